"""A vocoder on disk: saved as a whole, read back bit for bit, refused in one sentence, and no model to sample from."""

import dataclasses
import json

import pytest
import torch

from mmgan.config import to_dict
from mmgan.errors import CheckpointError
from mmgan.models.model_folder import ModelFolder
from mmgan.models.vocoder import Vocoder, VocoderConfig

SMALL = VocoderConfig(width=16, hidden=16, blocks=1, phase_bins=8, corrections=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Vocoder(SMALL).eval()


@pytest.fixture
def folder(network, tmp_path):
    network.info = {"steps": 3}
    network.save_pretrained(tmp_path / "v")
    return tmp_path / "v"


def test_it_comes_back_as_it_was(network, folder):
    back, mel = Vocoder.from_pretrained(folder), torch.rand(2, 64, 9) - 0.5
    assert back.config == SMALL and not back.training and not any(p.requires_grad for p in back.parameters())
    assert torch.equal(back.vocode(mel), network.vocode(mel))
    assert json.loads((folder / "config.json").read_text())["info"] == {"steps": 3}


def test_half_precision_is_half_the_size_and_nearly_the_same(network, folder, tmp_path):
    network.save_pretrained(tmp_path / "half", half=True)
    sizes = [(each / "model.safetensors").stat().st_size for each in (folder, tmp_path / "half")]
    mel = torch.rand(2, 64, 9) - 0.5
    assert sizes[1] < 0.6 * sizes[0]
    assert torch.allclose(Vocoder.from_pretrained(tmp_path / "half").vocode(mel), network.vocode(mel), atol=0.02)


def test_it_is_none_of_the_models_that_sample(folder):
    assert Vocoder.is_in(folder) and not ModelFolder.is_in(folder)


def test_a_card_is_kept_and_what_training_needs_comes_back(network, folder):
    (folder / "README.md").write_text("card")
    network.save_pretrained(folder, tensors={"raw": {"x": torch.arange(3)}}, state={"step": 7})
    tensors, state = Vocoder.load_training_state(folder)
    assert torch.equal(tensors["raw"]["x"], torch.arange(3)) and state == {"step": 7}
    network.save_pretrained(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]


def test_other_files_are_not_touched(network, tmp_path):
    (tmp_path / "essay.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="choose an empty"):
        network.save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["essay.txt"]


def test_nothing_there(tmp_path):
    with pytest.raises(CheckpointError, match="name a folder"):
        Vocoder.from_pretrained(tmp_path / "nowhere")
    assert not Vocoder.is_in(tmp_path / "nowhere")


def change(**values):
    def spoil(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | values))

    return spoil


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


SPOILT = {
    "another format": (change(format="mmgan"), "is no vocoder"),
    "another version": (change(version=9), "update mmgan"),
    "no sizes": (change(vocoder=None), "should hold an object"),
    "an unknown setting": (change(vocoder={"colour": 1}), "colour"),
    "other sizes": (change(vocoder=to_dict(dataclasses.replace(SMALL, width=32))), "where config.json asks for"),
    "enormous sizes": (change(vocoder={"width": 10**9}), "outside"),
    "a number beyond all": (change(vocoder={"audio": {"f_min": 10**400}}), "outside"),
    "a hop that does not fit": (change(vocoder={"audio": {"hop": 100}}), "do not fit together"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "has no model.safetensors"),
    "weights cut short": (cut, "damaged or cut short"),
}


@pytest.mark.parametrize("spoil, sentence", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_folder_is_refused_in_one_sentence(folder, spoil, sentence):
    spoil(folder)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        Vocoder.from_pretrained(folder)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
