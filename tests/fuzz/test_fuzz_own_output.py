"""Spoiled marks of mmgan's own folders, and spoiled changes of a run: a dataset, a run or a sentence."""

import json

import pytest
from PIL import Image

from mmgan.data.folder.dataset import Folder
from mmgan.errors import MmganError
from mmgan.runs.changes import changes
from mmgan.runs.run import Run
from mmgan.training import begin

from .mutate import spoil_bytes, spoil_json

MARKS = {
    "config.json": {"format": "mmgan-run", "version": 1, "config": {"training": {"steps": 2}, "data": "."}},
    "status.json": {"state": "finished", "step": 2, "pid": 1, "host": "here", "reason": ""},
    "project.json": {"format": "mmgan-project", "version": 1, "name": "mine", "items": []},
}
TABLE = b"file_name,audio_file,text,model,seed,truncation\n000.png,,a zero,digits,0,1\n"


@pytest.mark.parametrize("mark", [*MARKS, "metadata.csv"])
def test_spoiled_marks(mark, count, tally, tmp_path):
    (tmp_path / "d" / "other").mkdir(parents=True)
    for name in ("red.png", "other/000.png"):
        Image.new("RGB", (16, 16)).save(tmp_path / "d" / name)
    for seed in range(count):
        data = spoil_json(json.dumps(MARKS[mark]).encode(), seed) if mark in MARKS else spoil_bytes(TABLE, seed)
        (tmp_path / "d" / "other" / mark).write_bytes(data)
        try:
            found = Folder(tmp_path / "d")
        except MmganError as error:
            tally["sentence"] += "\n" not in str(error)
            continue
        tally["result"] += 0 < found.num_images <= 2
    assert sum(tally.values()) == count


def test_spoiled_changes(count, tally, tmp_path):
    with Run.create(tmp_path / "run", {"training": {"steps": 2}, "data": "."}) as run:
        pass
    whole = json.dumps({"changes": [{"step": 2, "time": 1.0, "settings": {"steps": 9, "minutes": 0.0}}]}).encode()
    for seed in range(count):
        (run.folder / "changes.json").write_bytes(spoil_json(whole, seed))
        try:
            assert all(type(change["step"]) is int for change in changes(run.folder))
            tally["result"] += begin.going_on(run, {"steps": 50}).schedule.steps == 50
        except MmganError as error:
            tally["sentence"] += "\n" not in str(error)
    assert sum(tally.values()) == count
