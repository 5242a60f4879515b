"""Runs, projects and models with spoiled files: listed, shown, resumed and sampled from, or refused in one sentence."""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from mmgan.config import TrainingConfig, from_dict
from mmgan.data import load_dataset
from mmgan.errors import MmganError
from mmgan.evaluation.report import sheet_grid
from mmgan.models.checkpoint import Model
from mmgan.projects.projects import Projects
from mmgan.runs.access import Access, close_others, write_access
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.sampling.pipeline import Pipeline
from mmgan.training.forgetting import SHEET, forget_examples
from mmgan.training.resuming import restore
from mmgan.training.trainer import Trainer
from mmgan.ui.collect.rows import described, table
from mmgan.ui.server.seeing import Sight
from mmgan.ui.train.desk import Desk
from mmgan.ui.train.watching import Watcher

from .mutate import spoil_bytes, spoil_json

OWNER = "o" * 32
CONFIG, STATUS, METRICS, TRAINING = "config.json", "status.json", "metrics.jsonl", "checkpoint/training.json"
WEIGHTS = ("checkpoint/config.json", "checkpoint/generator.safetensors", "checkpoint/optimizer-generator.safetensors")
STRIPS = ("samples/strips/strips.json", "samples/strips/real.png", "samples/strips/0000002.png", SHEET)
PROJECT = ("project.json", "metadata.csv")


@pytest.fixture(scope="module")
def small():
    """The tiny training of the training tests, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        import small

        from mmgan.training import train

        patch.setattr(train, "load_dataset", lambda source: small.Blobs())
        patch.setattr(train.TextEncoder, "from_pretrained", lambda *_: small.Encoder())
        yield small
        sys.modules.pop("small", None)


@pytest.fixture(scope="module")
def runs(small, tmp_path_factory):
    """A folder with one whole run, as a fine-tuning that has ended leaves it, and one that must stay in sight."""
    from mmgan.training.train import train

    folder = tmp_path_factory.mktemp("fuzz") / "runs"
    train(small.config(steps=2, metric_steps=1), "blobs", folder / "spoiled", device="cpu", progress=False)
    run = Run(folder / "spoiled")
    said = {"base": "shapes", "data": "blobs", "notes": ["So."], "captions": ["a"], "sentences": ["So."]}
    run.set_status("failed", reason="So.", finetune=said | {"gauges": {"image": "So."}}, answered={"save": {"step": 1}})
    write_access(run.folder, Access("", True))
    run.log("the end")
    grid = sheet_grid()
    sheet = io.BytesIO()
    Image.new("RGB", (200, grid["top"] + 3 * grid["down"])).save(sheet, "PNG")
    (run.folder / SHEET).write_bytes(sheet.getvalue())
    with Run.create(folder / "whole", {"data": "shapes", "training": {}}) as whole:
        whole.set_status("finished", step=1)
    return folder


@pytest.fixture(scope="module")
def trainer(small):
    return Trainer(small.config(), small.Blobs(), small.Encoder())


def attempt(tally, act):
    """Counts how ``act`` ended; anything but a result or a sentence ends the test."""
    try:
        result = act()
    except MmganError as error:
        assert str(error).strip() and "\n" not in str(error)
        tally["sentence"] += 1
        return
    json.dumps(result, allow_nan=False, ensure_ascii=False, default=str).encode()  # as every answer has to
    tally["result"] += 1


def spoiled(path: Path, seed: int) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".json":
        return spoil_json(data, seed)
    if path.suffix == ".jsonl":
        lines = data.splitlines(keepends=True)
        line = random.Random(seed).randrange(len(lines))
        return b"".join([*lines[:line], spoil_json(lines[line], seed).rstrip(b"\n") + b"\n", *lines[line + 1 :]])
    return spoil_bytes(data, seed)


def looks(folder: Path) -> list:
    """All that a page asks of a folder of runs, and all that it does with them but to train."""
    manager = Manager(folder)
    watcher, sight = Watcher(manager), Sight(manager)
    desk = Desk(sight, _Open())
    question = {"run": "spoiled", "cursor": 0, "epoch": ""}
    return [
        manager.running, lambda: manager.settings("spoiled"), lambda: manager.history("spoiled").last(),
        lambda: desk.poll(question, "zh"), lambda: watcher.strip("spoiled", None),
        lambda: watcher.strip("spoiled", 2), lambda: watcher.sound("spoiled", 2),
        lambda: watcher.before_after("spoiled"), lambda: watcher.compare(["spoiled", "whole"]),
        lambda: sight.models(OWNER), lambda: close_others([manager.run("spoiled")], folder, OWNER),
    ]  # fmt: skip


class _Open:
    needs_code = False

    def may(self, code, address=""):
        return True


@pytest.mark.parametrize("name", [CONFIG, STATUS, METRICS, "log.txt", "access.json", TRAINING, *WEIGHTS[:1], *STRIPS])
def test_spoiled_files_of_a_run_are_told_and_hide_no_other(runs, name, count, tally, tmp_path):
    path = runs / "spoiled" / name
    whole = path.read_bytes()
    try:
        for seed in range(count if path.suffix.startswith(".json") else -(-count // 10)):
            path.write_bytes(spoiled(path, seed))
            for look in looks(runs):
                attempt(tally, look)
            assert sorted(Manager(runs).names()) == ["spoiled", "whole"]
            path.write_bytes(whole)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", [CONFIG, STATUS, METRICS, TRAINING, *WEIGHTS, *STRIPS])
def test_spoiled_runs_are_resumed_or_refused(runs, trainer, name, count, tally, tmp_path):
    for seed in range(-(-count // 10)):
        run = Run(tmp_path / str(seed))
        shutil.copytree(runs / "spoiled", run.folder)
        (run.folder / name).write_bytes(spoiled(runs / "spoiled" / name, seed))

        def resume(run=run):
            with Run.resume(run.folder) as resumed:
                from_dict(TrainingConfig, resumed.config.get("training", {}), "the run's config.json")
                restore(trainer, run.folder)
                resumed.log_metrics({"step": 3})

        attempt(tally, resume)
        attempt(tally, lambda run=run: forget_examples(run))
        attempt(tally, lambda: Manager(tmp_path).delete(str(seed)))  # noqa: B023 (called at once)
        assert not run.folder.exists()


@pytest.mark.parametrize("name", ["config.json", "generator.safetensors", "discriminator.safetensors", "training.json"])
def test_spoiled_models_are_loaded_or_refused(runs, small, name, count, tally, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(runs / "spoiled" / "checkpoint", model)
    for seed in range(count):
        (model / name).write_bytes(spoiled(runs / "spoiled" / "checkpoint" / name, seed))

        def sample():
            pipe = Pipeline.from_pretrained(model, "cpu", small.Encoder())
            return [pipe.name, pipe.examples, pipe.info]

        attempt(
            tally, sample if name[0] in "cg" else lambda: Model.from_pretrained(model, with_discriminators=True).info
        )


def test_spoiled_headers_of_weights(runs, small, count, tally, tmp_path):
    """The same of the header alone, which says names, types, shapes and places of what follows."""
    model = tmp_path / "model"
    shutil.copytree(runs / "spoiled" / "checkpoint", model)
    data = (model / "generator.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    for seed in range(count):
        header = spoil_json(data[8 : 8 + size], seed)
        (model / "generator.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + data[8 + size :])
        attempt(tally, lambda: Pipeline.from_pretrained(model, "cpu", small.Encoder()).name)


@pytest.mark.parametrize("name", PROJECT)
def test_spoiled_projects_are_told_and_hide_no_other(name, count, tally, tmp_path):
    projects = Projects(tmp_path / "projects")
    project, other = projects.create("Bells", OWNER), projects.create("Other", OWNER)
    for colour in ("red", "blue"):
        picture = io.BytesIO()
        Image.new("RGB", (16, 16), colour).save(picture, "PNG")
        project.add_recordings({f"{colour}.png": picture.getvalue(), "broken.png": b"\x89PNG"}, colour)
    path = project.folder / name
    whole = path.read_bytes()
    for seed in range(count):
        path.write_bytes(spoiled(path, seed))
        for look in (
            projects.damaged, lambda: [described(one, OWNER, "zh") for one in projects.list(OWNER)],
            lambda: table(projects.open(project.key, OWNER), "zh"),
            lambda: projects.open(project.key).summary().sentence,
            lambda: load_dataset(str(project.folder)).prompts(), lambda: project.export(tmp_path / "bells.zip"),
        ):  # fmt: skip
            attempt(tally, look)
        keys = {one.key for one in projects.list(OWNER)} | dict(projects.damaged()).keys()
        assert other.key in keys
        path.write_bytes(whole)
