"""A run that goes on does what is asked for now: further, at another rate; what cannot change is refused by name."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from small import MODEL, Blobs, Encoder

from mmgan.cli import main
from mmgan.config import PRESETS
from mmgan.data import chosen, load_dataset
from mmgan.errors import DataError
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.runs.changes import changes
from mmgan.runs.files import Damaged
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.text.encoder import TextEncoder
from mmgan.training import begin, start, train
from mmgan.training.finetune import command as finetune
from mmgan.training.finetune.held_out import HeldOut


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(PRESETS, "tiny", MODEL)
    monkeypatch.setattr(TextEncoder, "from_pretrained", lambda *_: Encoder())
    monkeypatch.setattr("mmgan.training.trainer.spread_captions", lambda texts, _: sorted(set(texts)))


def trained(tmp_path, monkeypatch, *more):
    """A finished training of two steps over blobs."""
    monkeypatch.setattr(train, "load_dataset", lambda source, **_: Blobs())
    out = tmp_path / "run"
    (tmp_path / "blobs").mkdir()
    assert mmgan("train", "--data", tmp_path / "blobs", "--out", out, "--steps", 2, *more) == 0
    return out


def tuned(tmp_path, *more):
    """A finished fine-tuning of two steps, and the folder it is of."""
    mine, out = tmp_path / "mine", tmp_path / "mine" / "runs" / "one"
    mine.mkdir()
    for i, name in enumerate(("red", "green", "blue")):
        Image.new("RGB", (16, 16), name).save(mine / f"{name}.png")
        soundfile.write(mine / f"{name}.wav", 0.3 * np.sin(np.arange(5_000) * 0.1 * (i + 1)), 16_000)
    torch.manual_seed(0)
    Model(Generator(MODEL), Discriminators(MODEL), {"name": "small", "examples": ["a"]}).save_pretrained(
        tmp_path / "base"
    )
    asked = ("--base", tmp_path / "base", "--out", out, "--steps", 2, "--batch-size", 8)
    assert mmgan("finetune", mine, *asked, *more) == 0
    return out


def mmgan(*arguments) -> int:
    return main([*map(str, arguments), "--device", "cpu"])


def refusal(capsys):
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mmgan: ")]
    return line


def ended(run):
    return Run.open(run).status()["state"], Run.open(run).checkpoint_step()


def test_a_finished_training_goes_on_to_the_steps_that_are_asked_for(tmp_path, monkeypatch):
    out = trained(tmp_path, monkeypatch)
    assert mmgan("train", "--out", out, "--resume", "--steps", 5) == 0
    run = Run.open(out)
    assert ended(out) == ("finished", 5) and run.status()["share"] == 1
    # What it was begun with stays in config.json; the page and the next resume see what it does now.
    assert json.loads((out / "config.json").read_text())["config"]["training"]["schedule"]["steps"] == 2
    assert run.config["training"]["schedule"]["steps"] == Manager(tmp_path).describe("run")["steps"] == 5
    assert Manager(tmp_path).settings("run")["steps"] == 5
    (change,) = changes(out)
    assert change["step"] == 2 and change["settings"] == {"steps": 5}
    assert "goes on from step 2 with steps = 5 instead of 2" in run.log_tail(50)
    assert mmgan("train", "--out", out, "--resume") == 0 and ended(out) == ("finished", 5) and len(changes(out)) == 1


def test_a_finished_fine_tuning_goes_on_to_the_steps_that_are_asked_for(tmp_path):
    out = tuned(tmp_path)
    assert mmgan("finetune", "--out", out, "--resume", "--steps", 4) == 0
    assert ended(out) == ("finished", 4)
    assert (
        mmgan("finetune", tmp_path / "mine", "--out", out, "--resume", "--steps", 6) == 0
    )  # the same data, said again
    assert ended(out) == ("finished", 6) and [entry["step"] for entry in changes(out)] == [2, 4]


def test_the_second_fine_tuning_of_a_folder_learns_the_same_files(tmp_path, monkeypatch):
    loaded, load = [], finetune.load_own
    monkeypatch.setattr(finetune, "load_own", lambda *a, **how: loaded.append(load(*a, **how)[0]) or load(*a, **how))
    out = tuned(tmp_path)
    monkeypatch.chdir(tmp_path / "mine")
    asked = ("--base", tmp_path / "base", "--out", "runs/two", "--steps", 1, "--batch-size", 8)
    assert mmgan("sample", "red", "-n", 1, "-o", "out", "--model", out) == 0
    assert mmgan("finetune", ".", *asked) == 0
    assert [(data.concepts, data.num_images, data.num_sounds) for data in loaded] == [
        (["blue", "green", "red"], 3, 3)
    ] * 2
    log = Run.open("runs/two").log_tail(50)
    assert "runs/one is a training run of mmgan's, so it is left out." in log and "out holds samples" in log


def test_other_rates_and_batches_count_from_there_on(tmp_path, monkeypatch):
    out, seen = trained(tmp_path, monkeypatch, "--learning-rate", "0.001"), []
    step = train.Trainer.step

    def spy(self):
        how = self.config.optimization
        seen.append((how.learning_rate, how.batch_size, self.config.losses.gamma))
        return step(self)

    monkeypatch.setattr(train.Trainer, "step", spy)
    asked = ("--steps", 4, "--learning-rate", "0.0001", "--batch-size", 8, "--set", "gamma=3")
    assert mmgan("train", "--out", out, "--resume", *asked) == 0
    assert seen == [(0.0001, 8, 3.0)] * 2
    assert Model.load_training_state(out / "checkpoint")[1]["examples"] == 2 * 16 + 2 * 8
    assert Model.from_pretrained(out).info["examples_seen"] == 48
    assert changes(out)[0]["settings"] == {"steps": 4, "learning_rate": 0.0001, "batch_size": 8, "gamma": 3.0}


def test_minutes_take_the_place_of_steps_and_steps_that_of_minutes(tmp_path, monkeypatch):
    out = trained(tmp_path, monkeypatch)
    run = Run.open(out)
    config = begin.going_on(run, {"minutes": 30.0})
    assert (config.schedule.minutes, config.schedule.steps) == (30.0, 2)
    (out / "changes.json").write_text(json.dumps({"changes": [{"step": 2, "settings": {"minutes": 30.0}}]}))
    assert run.config["training"]["schedule"]["minutes"] == 30.0 and begin.going_on(run) == config
    config = begin.going_on(run, {"steps": 9})
    assert (config.schedule.minutes, config.schedule.steps) == (0.0, 9)
    assert begin.going_on(run, more=["steps=9", "minutes=31"]).schedule.minutes == 31.0


@pytest.mark.parametrize("asked", ["--steps 2", "--steps 1", "--minutes 0.0001", "--learning-rate 0.1"])
def test_asking_for_what_is_done_already_is_said(tmp_path, monkeypatch, capsys, asked):
    out = trained(tmp_path, monkeypatch)
    capsys.readouterr()
    assert mmgan("train", "--out", out, "--resume", *asked.split()) == 2
    assert "is at step 2" in (said := refusal(capsys)) and "such as --steps 4" in said
    assert ended(out) == ("finished", 2) and not changes(out)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["--seed", "5"], "the seed"),
        (["--set", "seed=5"], "the seed"),
        (["--set", "optimizer=sgd"], "the optimizer"),
        (["--set", "model.image_size=32"], "the sizes"),
        (["--preset", "base"], "the preset"),
        (["--data", "digits"], "the data"),
        (["--start-from", "digits", "--preset", "large"], "the preset and the model to start from"),
    ],
)
def test_what_cannot_change_is_named(tmp_path, monkeypatch, capsys, asked, named):
    out = trained(tmp_path, monkeypatch)
    capsys.readouterr()
    assert mmgan("train", "--out", out, "--resume", "--steps", "9", *asked) == 2
    assert f"goes on with {named} that it began with" in refusal(capsys)
    assert ended(out) == ("finished", 2) and not changes(out)


@pytest.mark.parametrize(
    ("asked", "named"), [("--base digits", "the base"), ("--long-sounds pieces", "the way of cutting long sounds")]
)
def test_what_cannot_change_of_a_fine_tuning_is_named(tmp_path, capsys, asked, named):
    out = tuned(tmp_path)
    capsys.readouterr()
    assert mmgan("finetune", "--out", out, "--resume", "--steps", "9", *asked.split()) == 2
    assert f"goes on with {named} that it began with" in refusal(capsys)
    (tmp_path / "other").mkdir()
    assert mmgan("finetune", tmp_path / "other", "--out", out, "--resume", "--steps", "9") == 2
    assert "goes on with the data" in refusal(capsys)


def test_values_outside_their_limits_are_refused_before_anything_starts(tmp_path, monkeypatch, capsys):
    out = trained(tmp_path, monkeypatch)
    capsys.readouterr()
    for asked in (["--batch-size", "1"], ["--set", "gamma=-1"], ["--set", "nothing=1"], ["--set", "gamma"]):
        assert mmgan("train", "--out", out, "--resume", "--steps", "9", *asked) == 2
        assert refusal(capsys)
    assert ended(out) == ("finished", 2) and not changes(out)


def test_a_verdict_of_the_past_does_not_end_what_is_asked_for_now(tmp_path, monkeypatch):
    """A fine-tuning that ended itself, since it copied, goes on for whoever asks; its best weights stay known."""
    monkeypatch.setattr(HeldOut, "interval", lambda self, session: 0.0)
    measured = HeldOut._measured

    def copying(self, rows):
        from dataclasses import replace

        found = measured(self, rows)
        return {kind: replace(m, copies=1.0 if self.trainer.step_count > 1 else 0.0) for kind, m in found.items()}

    monkeypatch.setattr(HeldOut, "_measured", copying)
    out = tuned(tmp_path, "--set", "steps=8")
    state, step = ended(out)
    assert state == "finished" and step < 8 and "began to copy" in str(Run.open(out).status()["reason"])
    monkeypatch.setattr(HeldOut, "_measured", measured)
    assert mmgan("finetune", "--out", out, "--resume", "--steps", 12) == 0
    assert ended(out) == ("finished", 12)


def test_damaged_changes_are_told_as_damage(tmp_path, monkeypatch):
    out = trained(tmp_path, monkeypatch)
    for text in ("", "[]", "{", '{"changes": 5}', '{"changes": [5, {"step": "x"}, {"step": 1, "settings": 3}]}'):
        (out / "changes.json").write_text(text)
        with pytest.raises(Damaged, match="damaged; delete the run"):
            _ = Run.open(out).config
        assert "changes.json" in str(Manager(tmp_path).describe("run")["reason"])


def test_a_name_that_is_a_dataset_and_a_folder_is_asked_about(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert chosen("shapes") == "shapes" == chosen("dataset:shapes") and chosen(None) is None
    assert load_dataset("dataset:shapes").name == "shapes"
    Path("shapes").mkdir()
    Image.new("RGB", (16, 16)).save("shapes/dog.png")
    with pytest.raises(DataError):
        chosen("shapes")
    for command in (["train", "--out", "run"], ["evaluate", "digits"]):
        assert mmgan(*command, "--data", "shapes") == 2
        assert "write ./shapes for what is here, or dataset:shapes for the dataset" in refusal(capsys)
    assert not Path("run").exists()
    assert chosen("./shapes") == "./shapes" and load_dataset("./shapes").concepts == ["dog"]
    assert chosen("dataset:shapes") == "shapes"
    manager, spawned = Manager("runs"), []
    monkeypatch.setattr(manager, "_spawn", lambda run, arguments, command="train": spawned.append(arguments))
    manager.start("one", "shapes")  # from a list on the page, where a dataset is meant
    assert spawned[0][0] == "--data=dataset:shapes"


def test_without_any_option_a_namespace_of_few_goes_on(tmp_path, monkeypatch):
    out = trained(tmp_path, monkeypatch)
    options = SimpleNamespace(out=str(out), resume=True, device="cpu", text_encoder=None, nice=0)
    assert start.main(options) == 0 and ended(out) == ("finished", 2)
