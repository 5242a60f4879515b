"""A dataset of one's own has no judge; what can be said without one."""

import json

import numpy as np
import pytest
from PIL import Image
from pretender import Pretender

from mmgan.audio.waveform import write_wav
from mmgan.data.registry import live_judge
from mmgan.errors import DataError
from mmgan.evaluation import evaluate as module
from mmgan.evaluation.report import format_report, write_json

CAPTIONS = ("light", "dark")


def picture(caption, rng):
    base = 170 if caption == "light" else 60
    corners = rng.integers(-50, 50, (4, 4, 3)) + base
    return np.asarray(
        Image.fromarray(corners.clip(0, 255).astype(np.uint8)).resize((32, 32), Image.Resampling.BILINEAR)
    )


def sound(caption, rng):
    pitch = (900 if caption == "light" else 200) * 2 ** rng.uniform(-0.3, 0.3)
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(16_384) / 16_000)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for caption in CAPTIONS:
        (tmp_path / "data" / caption).mkdir(parents=True)
        for number in range(15):
            Image.fromarray(picture(caption, rng)).save(tmp_path / "data" / caption / f"{number}.png")
            write_wav(tmp_path / "data" / caption / f"{number}.wav", sound(caption, rng), 16_000)
    return tmp_path / "data"


def new(text, count, rng):
    return tuple(np.stack([make(text, rng) for _ in range(count)]) for make in (picture, sound))


def test_new_samples_and_copies_are_told_apart(folder, tmp_path):
    result, _ = module.evaluate(Pretender(new), str(folder), 12, progress=False)
    figures = result["figures"]
    assert figures["image_nearest_training_item_median"]["generated"] > 5
    assert figures["image_diversity_in_pixels"]["generated"] == pytest.approx(
        figures["image_diversity_in_pixels"]["real"], rel=0.15
    )
    write_json(result, tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["figures"]
    assert "image" in format_report(result)

    data = module.load_dataset(str(folder))
    of = {c: [i for i in range(data.num_images) if data.image_concept(i) == c] for c in CAPTIONS}

    def copy(text, count, rng):
        chosen = rng.choice(of[text], count)
        return np.stack([np.asarray(data.image(i).convert("RGB")) for i in chosen]), new(text, count, rng)[1]

    figures = module.evaluate(Pretender(copy), str(folder), 12, progress=False)[0]["figures"]
    near = figures["image_nearest_training_item_median"]
    assert near["generated"] < 0.05 * near["real"]
    assert (
        figures["audio_nearest_training_item_median"]["generated"]
        > 0.1 * figures["audio_nearest_training_item_median"]["real"]
    )


def test_too_few_items_leave_figures_out_with_a_reason(folder):
    for path in [*folder.rglob("?.png"), *folder.rglob("1?.png"), *folder.rglob("1?.wav")]:
        path.unlink()
    Image.fromarray(picture("light", np.random.default_rng(1))).save(folder / "light" / "one.png")
    Image.fromarray(picture("dark", np.random.default_rng(1))).save(folder / "dark" / "one.png")
    figures = module.evaluate(Pretender(new), str(folder), 4, progress=False)[0]["figures"]
    assert figures["image_frechet_distance"]["generated"] is None
    assert "left out" in figures["image_frechet_distance"]["note"]


def test_the_command_prints_and_writes(folder, tmp_path, monkeypatch, capsys):
    from mmgan.sampling.pipeline import Pipeline

    monkeypatch.setattr(Pipeline, "from_pretrained", lambda model, device: Pretender(new))
    json_path, sheet_path = tmp_path / "out" / "report.json", tmp_path / "out" / "sheet.png"
    result = module.run("my-model", str(folder), json_path, sheet_path, samples=4, seed=3)
    assert result == json.loads(json_path.read_text())
    assert result["model"] == "my-model" and result["seed"] == 3 and result["samples"] == 8
    assert "my-model on" in capsys.readouterr().out
    assert Image.open(sheet_path).size[0] > 200


def test_what_is_not_there(tmp_path):
    with pytest.raises(DataError):
        module.evaluate(Pretender(new), str(tmp_path / "nowhere"), progress=False)
    assert live_judge(str(tmp_path)) is None
