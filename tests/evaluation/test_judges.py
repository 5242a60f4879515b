"""The judges that ship, what they are given, and what happens to a damaged one."""

import json

import numpy as np
import pytest
import torch
from needed import data_folder
from PIL import Image

from mmgan.errors import CheckpointError
from mmgan.evaluation.judges import Judge, JudgeConfig, picture_input, sound_input, tensor_input
from mmgan.system.resources import PRETRAINED


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    judge = Judge(JudgeConfig(widths=(8, 8), features=16)).eval()
    judge.save_pretrained(tmp_path, half=True)
    return judge, tmp_path


def test_a_saved_judge_judges_as_before(saved):
    judge, folder = saved
    x = torch.randn(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    again = Judge.from_pretrained(folder)
    assert torch.allclose(again.logits(x), judge.logits(x), atol=0.02)  # half precision on the disk
    assert again.features(x).shape == (5, 16) and not again.training
    labels, features = again.judge(x, batch=2)
    assert labels == again.predict(x) and torch.allclose(features, again.features(x), atol=1e-5)


@pytest.mark.parametrize("damage", ["absent", "truncated", "not json", "unknown setting", "other sizes", "nonsense"])
def test_a_damaged_judge_gives_one_sentence(saved, damage):
    _, folder = saved
    config = json.loads((folder / "config.json").read_text())
    weights = folder / "model.safetensors"
    if damage == "absent":
        weights.unlink()
    elif damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:200])
    elif damage == "not json":
        (folder / "config.json").write_text("{")
    else:
        changes = {"unknown setting": {"colour": 1}, "other sizes": {"features": 32}, "nonsense": {"size": 10**9}}
        config["judge"] |= changes[damage]
        (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError) as caught:
        Judge.from_pretrained(folder)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_pictures_of_every_kind_become_the_same_input():
    digit = np.zeros((28, 28), np.uint8)
    digit[8:20, 12:16] = 255
    small = picture_input([digit, Image.fromarray(digit).convert("RGB"), np.stack([digit] * 3, -1)])
    assert small.shape == (3, 1, 32, 32) and small.dtype == torch.float32
    assert small.min() == -1 and small.max() == 1
    assert torch.equal(small[0], small[1]) and torch.equal(small[0], small[2])
    assert torch.equal(small[0, 0, 10:22, 14:18], torch.ones(12, 4))  # padded, not enlarged
    large = picture_input([Image.fromarray(np.pad(digit, 2)).resize((128, 128), Image.Resampling.NEAREST)])
    assert torch.allclose(large[0], small[0], atol=0.35)
    assert picture_input([]).shape == (0, 1, 32, 32)


def test_tensors_become_grey_and_32_pixels():
    assert tensor_input(torch.ones(2, 3, 64, 64) * 3).tolist() == torch.ones(2, 1, 32, 32).tolist()


def test_a_judge_hears_the_same_at_any_loudness():
    wave = np.sin(np.arange(16_384) / 10).astype(np.float32)[None]
    assert torch.allclose(sound_input(wave * 0.01), sound_input(wave), atol=1e-3)
    assert sound_input(wave).shape == (1, 64, 64)


@pytest.mark.parametrize("modality, least", [("image", 0.985), ("audio", 0.97)])
def test_the_shipped_judges_know_the_test_split(modality, least):
    from mmgan.data import load_dataset

    data_folder("digits")
    test = load_dataset("digits", "test")
    folder = PRETRAINED / f"judge-digits-{modality}"
    assert (folder / "model.safetensors").stat().st_size < 1 << 20
    judge = Judge.from_pretrained(f"judge-digits-{modality}")
    if modality == "image":
        indices = range(0, test.num_images, 8)
        inputs, wanted = picture_input([test.image(i) for i in indices]), [test.image_concept(i) for i in indices]
    else:
        indices = range(test.num_sounds)
        clips = np.stack([np.pad(test.sound(i), (0, 16_384))[:16_384] for i in indices])
        inputs, wanted = sound_input(clips), [test.sound_concept(i) for i in indices]
    assert np.mean([a == b for a, b in zip(judge.predict(inputs), wanted, strict=True)]) >= least
    # Noise must not be taken for anything with certainty by chance alone: shuffled labels score about one in ten.
    shuffled = np.random.default_rng(0).permutation(wanted)
    assert np.mean([a == b for a, b in zip(judge.predict(inputs), shuffled, strict=True)]) < 0.2


def test_a_judge_sees_the_mean_of_the_channels():
    colours = torch.tensor([[0.9, -0.3, 0.0], [-0.3, 0.9, 0.0], [0.0, -0.3, 0.9]])
    grey = tensor_input(colours[:, :, None, None].expand(3, 3, 32, 32))
    assert torch.allclose(grey, torch.full((3, 1, 32, 32), 0.2), atol=1e-6)


def test_larger_pictures_are_averaged_and_not_picked_from():
    stripes = torch.ones(1, 3, 64, 64)
    stripes[..., ::2] = -1  # of every two columns one is black
    assert torch.allclose(tensor_input(stripes), torch.zeros(1, 1, 32, 32), atol=1e-6)
