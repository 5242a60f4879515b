"""The shapes' evaluation on pipelines that obey the prompt, or half of it."""

import numpy as np
import pytest
import torch
from PIL import Image
from pretender import Pretender

from mmgan.audio.mel import log_mel
from mmgan.data.registry import live_judge
from mmgan.data.shapes import dataset as shapes
from mmgan.data.shapes import evaluation as evaluated
from mmgan.evaluation import evaluate as module
from mmgan.evaluation.report import format_report


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(evaluated, "REAL_ITEMS", 44)
    monkeypatch.setattr(evaluated, "COMPARED", 440)
    prompts = shapes.Shapes.prompts
    monkeypatch.setattr(shapes.Shapes, "prompts", lambda self, which=None: prompts(self, which)[::6])


def items(combination, count, rng):
    pictures = [np.asarray(shapes.draw_picture(combination, rng, 32)) for _ in range(count)]
    return np.stack(pictures), np.stack([shapes.synthesise(combination, rng) for _ in range(count)])


def obedient(text, count, rng):
    return items(CONCEPTS[text], count, rng)


def deaf(text, count, rng):
    pictures, _ = items(CONCEPTS[text], count, rng)
    return pictures, items(shapes.ALL_COMBINATIONS[0], count, rng)[1]


CONCEPTS = {p.text: shapes.parse_concept(p.concept) for p in shapes.Shapes("train").prompts()}


def test_the_rule_itself_is_coherent():
    result, generated = module.evaluate(Pretender(obedient), "shapes", 1, progress=False)
    figures = result["figures"]
    for group in ("seen", "held_out"):
        assert figures[f"both_{group}"]["generated"] > 0.95 and figures[f"both_{group}"]["real"] > 0.9
    assert figures["image_frechet_distance"]["generated"] < 2 * figures["image_frechet_distance"]["real"]
    assert len(result["tables"]["right_per_attribute"]) == 8
    assert "right per attribute" in format_report(result)
    assert len(generated.prompts) == result["samples"]


def test_sounds_that_ignore_the_prompt_are_found_out():
    result = module.evaluate(Pretender(deaf), "shapes", 1, progress=False)[0]
    figures, mistakes = result["figures"], result["tables"]["commonest_mistakes"]
    assert all(row["asked"].startswith("sound ") and row["of_those_asked"] > 0.9 for row in mistakes)
    assert mistakes[0]["asked"] in format_report(result)
    assert figures["image_seen"]["generated"] > 0.95
    assert figures["sound_seen"]["generated"] < 0.1 and figures["both_held_out"]["generated"] < 0.1
    assert figures["audio_frechet_distance"]["generated"] > 3 * figures["audio_frechet_distance"]["real"]


def test_the_live_judge_measures_shapes():
    judge = live_judge("shapes")
    rng = np.random.default_rng(0)
    chosen = [shapes.ALL_COMBINATIONS[i] for i in range(0, 120, 10)]
    pictures = np.stack([np.asarray(shapes.draw_picture(c, rng, 32)) for c in chosen])
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    mels = log_mel(torch.from_numpy(np.stack([shapes.synthesise(c, rng) for c in chosen])))
    concepts = [str(c) for c in chosen]
    right = judge(images, mels, concepts)
    assert right["image_accuracy"] > 0.9 and right["audio_accuracy"] > 0.8
    assert right["both"] <= min(right["image_accuracy"], right["audio_accuracy"])
    wrong = judge(images, mels, concepts[1:] + concepts[:1])
    assert wrong == {"image_accuracy": 0.0, "audio_accuracy": 0.0, "both": 0.0}
    assert judge(images.mul(0), mels.mul(0) - 1, concepts)["both"] == 0.0


def test_a_sheet_of_few_samples(tmp_path):
    _, generated = module.evaluate(Pretender(obedient), "shapes", 1, progress=False)
    module.contact_sheet(generated, tmp_path / "sheet.png", "shapes")
    assert Image.open(tmp_path / "sheet.png").mode == "RGB"
