"""What killed writers leave is gone after the next start, and nothing else is."""

import multiprocessing
import os
import tempfile
from pathlib import Path

import pytest

from mmgan.projects.projects import Projects
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run
from mmgan.ui.collect.tab import sweep

GONE = 999_999_999  # no process of any system


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_of_runs(tmp_path):
    with Run.create(tmp_path / "one", {}) as run:
        run.set_status("finished", step=1)
        run.strips.mkdir()
    before = tree(tmp_path)
    for name in (
        f".one.deleted-{GONE}", f".1234abcd.deleted-{GONE}", f".1234abcd.adopted-{GONE}", f"one/.checkpoint.new-{GONE}",
        f"one/.best.new-{GONE}",
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x")
    for name in (
        f"one/.status.json.new-{GONE}-1", f"one/samples/.1.png.new-{GONE}-1", f"one/samples/strips/.1.new-{GONE}-1",
        ".starting",
    ):  # fmt: skip
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / f".two.deleted-{os.getpid()}").mkdir()  # somebody is at it
    (tmp_path / "my files").mkdir()
    (tmp_path / "my files" / f".thesis.new-{GONE}").write_bytes(b"no folder of ours")
    Manager(tmp_path)
    kept = {f".two.deleted-{os.getpid()}", "my files", f"my files/.thesis.new-{GONE}"}
    assert tree(tmp_path) == before | kept


def test_of_a_run_that_is_trained_nothing(tmp_path):
    with Run.create(tmp_path / "one", {}) as run:
        (tmp_path / "one" / f".checkpoint.new-{GONE}").mkdir()  # by another machine, whose numbers are others
        run.set_status("running", step=1)
        Manager(tmp_path)
        assert (tmp_path / "one" / f".checkpoint.new-{GONE}").is_dir()


def test_of_projects_and_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    projects = Projects(tmp_path / "projects")
    project = projects.create("Bells", "me")
    project.add_recordings({"a.png": png()}, "a bell")
    before = tree(tmp_path)
    for name in (f".0123456789ab.new-{GONE}", ".0123456789ab.deleted", "0123456789ab"):
        (projects.root / name).mkdir()
    os.utime(projects.root / "0123456789ab", (0, 0))
    (projects.root / ".ffffffffffff.lock").touch()
    for name in (f".project.json.new-{GONE}-7", f"originals/.x.new-{GONE}-7", "originals/0123456789abcdef0123.png"):
        (project.folder / name).write_bytes(b"x")
    (tmp_path / "tmp" / f"mmgan-p{GONE}-ab.zip").touch()
    (tmp_path / "tmp" / f"mmgan-p{GONE}-cd").mkdir()
    (tmp_path / "tmp" / "somebody's.zip").touch()
    sweep(projects)
    assert tree(tmp_path) - before == {"tmp/somebody's.zip"} and not before - tree(tmp_path)
    assert [one.name for one in projects.list("me")] == ["Bells"]


def png() -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, "PNG")
    return file.getvalue()


def _start(folder: str, name: str, barrier) -> None:
    """A server of its own, that starts a run at the same moment as another."""
    from mmgan.runs import manager as module

    module.MAX_RUNNING = 1
    manager = Manager(folder, ("true",))
    module.check_model = lambda source: None
    manager._spawn = lambda *_: None  # what is begun goes on being begun
    barrier.wait(60)
    try:
        manager.start(name, "shapes")
    except module.NoRoom:
        os._exit(3)
    os._exit(0)


@pytest.mark.parametrize("attempt", range(2))
def test_two_servers_keep_one_limit(tmp_path, attempt):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    servers = [context.Process(target=_start, args=(str(tmp_path), name, barrier)) for name in ("one", "two")]
    [server.start() for server in servers]
    [server.join() for server in servers]
    assert sorted(server.exitcode for server in servers) == [0, 3]
    assert len(Manager(tmp_path).names()) == 1 and not (tmp_path / ".starting").exists()
