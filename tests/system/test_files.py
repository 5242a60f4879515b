"""Replacing a folder or a file as a whole."""

import os
import subprocess
import sys

import pytest

from mmgan.errors import MmganError
from mmgan.system import files


def write(**contents):
    return lambda folder: [(folder / name).write_text(text) for name, text in contents.items()]


def test_replaces_and_keeps_what_it_is_told_to(tmp_path):
    folder = tmp_path / "f"
    files.replace_folder(folder, write(a="1", b="1"))
    (folder / "sub").mkdir()
    (folder / "sub" / "x").write_text("deep")
    files.replace_folder(folder, write(a="2"), keep=lambda name: name == "sub")
    assert {e.name for e in folder.iterdir()} == {"a", "sub"}
    assert (folder / "a").read_text() == "2" and (folder / "sub" / "x").read_text() == "deep"
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_folder(tmp_path, error):
    files.replace_folder(tmp_path / "f", write(a="1"))

    def fail(folder):
        (folder / "a").write_text("2")
        raise error

    with pytest.raises(error):
        files.replace_folder(tmp_path / "f", fail)
    assert (tmp_path / "f" / "a").read_text() == "1" and len(list(tmp_path.iterdir())) == 1


def test_a_relative_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.replace_folder("f", write(a="1"))
    assert (tmp_path / "f" / "a").read_text() == "1"


def test_tidies_what_dead_processes_left_and_nothing_else(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, others = tmp_path / f".f.new-{dead.pid}", [tmp_path / f".f.new-{os.getppid()}", tmp_path / ".f.new-mine"]
    for folder in (left, *others):
        folder.mkdir()
    files.replace_folder(tmp_path / "f", write(a="1"))
    assert not left.exists() and all(folder.exists() for folder in others)


def test_a_reader_never_mixes_two_saves(tmp_path):
    folder = tmp_path / "f"
    files.replace_folder(folder, write(a="1", b="1"))

    def read(current):
        first = (current / "a").read_text()
        if first == "1":  # a save comes in between, once
            files.replace_folder(folder, write(a="2", b="2"))
        return first, (current / "b").read_text()

    assert files.read_folder(folder, read) == ("2", "2")


def test_a_reader_gets_the_error_of_a_folder_that_stays(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.read_folder(tmp_path, lambda folder: (folder / "a").read_text())


def test_replace_file(tmp_path):
    for flush in (True, False):
        files.replace_file(tmp_path / "x", b"1" if flush else b"2", flush)
    assert (tmp_path / "x").read_bytes() == b"2" and len(list(tmp_path.iterdir())) == 1
    (tmp_path / "d").mkdir()
    with pytest.raises(MmganError, match="in its way"), files.saving(tmp_path / "d"):
        files.replace_file(tmp_path / "d", b"3")
    assert len(list(tmp_path.iterdir())) == 2


def test_process_lives():
    assert files.process_lives(os.getpid()) and not files.process_lives(0) and not files.process_lives(-1)
