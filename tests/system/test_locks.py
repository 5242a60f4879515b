"""Locks that end with their process, on file systems with locks of their own and without."""

import errno
import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import Timeout

from mmgan.errors import TrainingError
from mmgan.projects.projects import Projects
from mmgan.runs.run import Run
from mmgan.system import locks

ROOT = Path(locks.__file__).parents[2]
WITHOUT = (
    "import errno, fcntl\n"
    "def flock(*_): raise OSError(errno.ENOLCK, 'No locks available')\n"
    "fcntl.flock = flock\n"
)  # fmt: skip


@pytest.fixture(params=[None, errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL])
def disk(request, monkeypatch, tmp_path):
    """A folder, on a file system that answers ``flock`` with that error."""

    def flock(*_):
        raise OSError(request.param, "no locks here")

    if request.param is not None:
        monkeypatch.setattr(fcntl, "flock", flock)
    return tmp_path


def test_one_holder(disk):
    path = disk / "x"
    assert not locks.is_held(path)
    held = locks.hold(path)
    assert held and locks.is_held(path) and locks.hold(path) is None
    held.close()
    assert not locks.is_held(path)
    locks.hold(path).close()


def test_alone_waits_and_leaves_nothing(disk):
    path, inside, most = disk / "x", [], []

    def work():
        for _ in range(20):
            with locks.alone(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert max(most) == 1 and len(most) == 60 and list(disk.iterdir()) == []
    with locks.alone(path), pytest.raises(TimeoutError), locks.alone(path, timeout=0):
        pass


def test_file_locks(disk):
    with locks.file_lock(disk / "x", 1), pytest.raises(Timeout):
        locks.file_lock(disk / "x", 0)
    locks.file_lock(disk / "x", 1).lock.release()


def test_runs_and_projects_need_no_locks_of_the_file_system(disk):
    run = Run.create(disk / "run", {})
    run.set_status("running", step=3)
    assert Run.open(disk / "run").status()["state"] == "running"
    (run.checkpoint).mkdir()
    (run.checkpoint / "training.json").write_text('{"state": {"step": 3}}')
    with pytest.raises(TrainingError, match="Another process"):
        Run.resume(disk / "run")
    run.close()
    assert Run.open(disk / "run").status()["state"] == "failed"
    Run.resume(disk / "run").close()
    Run(disk / "run").remove()
    project = Projects(disk / "projects").create("Bells", "me")
    project.rename("Gongs")
    assert project.name == "Gongs"


@pytest.mark.parametrize("before", ["", WITHOUT])
def test_a_killed_process_holds_nothing(tmp_path, monkeypatch, before):
    code = before + "import sys, time\nfrom pathlib import Path\nfrom mmgan.system import locks\n"
    code += "held = locks.hold(Path(sys.argv[1]))\nprint(1, flush=True)\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "x"], stdout=subprocess.PIPE, cwd=ROOT)
    if before:
        monkeypatch.setattr(fcntl, "flock", refuse)
    process.stdout.readline()
    assert locks.is_held(tmp_path / "x") and locks.hold(tmp_path / "x") is None
    process.kill()
    process.communicate()
    assert not locks.is_held(tmp_path / "x")
    locks.hold(tmp_path / "x").close()


def refuse(*_):
    raise OSError(errno.ENOLCK, "No locks available")
