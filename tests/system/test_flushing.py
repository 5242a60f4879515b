"""What a save renames into place is on the disk before: after a power cut the old copy or the new one is there."""

import os

import pytest
import torch

from mmgan.models import Generator
from mmgan.models.checkpoint import Model
from mmgan.system import files


@pytest.fixture
def steps(monkeypatch):
    """("fsync", inode) and ("rename", inode of what gets a new name), in the order in which they happen."""
    steps = []
    fsync, rename, replace = os.fsync, os.rename, os.replace

    def flushed(handle):
        steps.append(("fsync", os.fstat(handle).st_ino))
        fsync(handle)

    def renamed(function):
        return lambda source, target: (steps.append(("rename", os.stat(source).st_ino)), function(source, target))[1]

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "rename", renamed(rename))
    monkeypatch.setattr(os, "replace", renamed(replace))
    return steps


def test_a_file_is_flushed_before_it_takes_its_name(tmp_path, steps):
    files.replace_file(tmp_path / "x", b"1")
    number = os.stat(tmp_path / "x").st_ino
    assert steps.index(("fsync", number)) < steps.index(("rename", number))


def test_a_file_that_need_not_last_does_not_wait_for_the_disk(tmp_path, steps):
    files.replace_file(tmp_path / "x", b"1", flush=False)
    assert [step for step, _ in steps] == ["rename"]


def test_a_model_is_flushed_file_by_file_with_its_folder_before_and_the_one_around_it_after(tmp_path, steps):
    from small import MODEL

    folder = tmp_path / "run" / "checkpoint"
    for _ in range(2):  # a first save and one that replaces it
        steps.clear()
        Model(Generator(MODEL)).save_pretrained(folder, tensors={"now": {"w": torch.ones(3)}}, state={"step": 1})
        taken = steps.index(("rename", os.stat(folder).st_ino))
        within = {os.stat(path).st_ino for path in folder.iterdir()} | {os.stat(folder).st_ino}
        assert within <= {number for step, number in steps[:taken] if step == "fsync"}
        assert ("fsync", os.stat(folder.parent).st_ino) in steps[taken:]
