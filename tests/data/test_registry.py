"""A dataset is one package and one line: it is listed, loaded, judged and evaluated wherever datasets are."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pretender import Pretender

from mmgan.cli import main
from mmgan.data import registry
from mmgan.data.base import Dataset, Prompt, Row
from mmgan.data.registry import DATASETS, DatasetPackage, chosen, live_judge, load_dataset
from mmgan.evaluation.compare import Figures
from mmgan.evaluation.evaluate import evaluate as measure
from mmgan.runs.manager import Manager
from mmgan.ui.train import tab

GREYS = {"black": 0, "grey": 128, "white": 255}


class Greys(Dataset):
    """One flat picture and one silence for each of three words."""

    name, image_channels, num_images, num_sounds = "greys", 1, 3, 3
    concepts = sorted(GREYS)

    def __init__(self, split="train"):
        self.split = split

    def image(self, index):
        return Image.new("L", (8, 8), GREYS[self.concepts[index]])

    def sound(self, index):
        return np.zeros(1_024, np.float32)

    def image_concept(self, index):
        return self.concepts[index]

    sound_concept = image_concept

    def rows(self, rng, count):
        picks = [int(i) for i in rng.integers(3, size=count)]
        return [Row(self.concepts[i], self.concepts[i - 1], i, i, self.concepts[i]) for i in picks]

    def prompts(self):
        return [Prompt(name, name) for name in self.concepts]


def evaluate(pipeline, generated, train, held_out, seed, progress):
    figures = Figures()
    means = generated.images.values.mean((1, 2, 3))
    right = [abs(mean - GREYS[name]) < 8 for mean, name in zip(means, generated.images.concepts, strict=True)]
    figures.share("grey_accuracy", np.mean(right), 1.0, f"{train.split} and {held_out().split}")
    return figures, {}


def judge():
    return lambda images, mels, concepts: {"image_accuracy": 1.0}


def present():
    return False


def fetch_all():
    return ["greys.npz"]


@pytest.fixture
def greys(monkeypatch):
    here = __name__
    package = DatasetPackage("greys", f"{here}:Greys", f"{here}:evaluate", f"{here}:judge", here)
    monkeypatch.setitem(DATASETS, "greys", package)
    return package


def test_listing_names_loads_nothing():
    code = "import sys; from mmgan.data import DATASETS; print(*DATASETS, *{'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["digits", "shapes", "emoji"]


@pytest.mark.parametrize("package", [*DATASETS.values(), registry.FOLDER], ids=lambda package: package.name)
def test_every_part_that_is_named_is_there(package):
    for part in filter(None, (package.reader, package.evaluator, package.judge)):
        assert callable(registry.resolve_name(part))
    if package.files:
        module = registry.resolve_name(package.files)
        assert callable(module.present) and callable(module.fetch_all)


def test_a_registered_dataset_is_known_everywhere(greys, tmp_path, monkeypatch, capsys):
    for name in ("greys", "dataset:greys"):
        assert load_dataset(name).concepts == sorted(GREYS) and load_dataset(name, "test").split == "test"
    assert chosen("dataset:greys") == "greys" and chosen("grays") == "grays"
    assert live_judge("greys")([], [], []) == {"image_accuracy": 1.0} and live_judge("grays") is None

    manager, spawned = Manager(tmp_path / "runs"), []
    monkeypatch.setattr(manager, "_spawn", lambda run, arguments, command: spawned.append(arguments))
    manager.start("one", "greys")
    assert spawned[0][0] == "--data=dataset:greys"

    assert main(["data", "greys"]) == 0 and capsys.readouterr().out == "greys.npz\n"
    assert "greys" in tab._form()["judged"]
    assert "greys" not in tab._form()["data"]  # until it is on this machine
    monkeypatch.setattr(sys.modules[__name__], "present", lambda: True)
    assert tab._form()["data"][-1] == "greys"


def test_it_is_evaluated_by_its_own_evaluator(greys):
    def grey(text, count, rng):
        return np.full((count, 32, 32), GREYS[text], np.uint8), np.zeros((count, 16_384), np.float32)

    result, generated = measure(Pretender(grey), "greys", 2, progress=False)
    assert result["dataset"] == "greys" and result["samples"] == len(generated.prompts) == 6
    assert result["figures"]["grey_accuracy"] == {
        "generated": 1.0, "real": 1.0, "unit": "share", "note": "train and test"
    }  # fmt: skip
