"""Runs as processes: started, directed and found again by name, by whoever looks at their folder."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmgan.errors import MmganError, TrainingError
from mmgan.runs import manager as module
from mmgan.runs.checks import check_settings, preset_of
from mmgan.runs.manager import Manager
from mmgan.runs.process import NICE
from mmgan.runs.run import Run
from mmgan.system.files import process_lives

SUPPORT = Path(__file__).parents[1] / "support"
COMMAND = (sys.executable, str(SUPPORT / "small_cli.py"))
FAST = {"steps": 100_000, "checkpoint_seconds": 0.5, "metric_steps": 1}


@pytest.fixture
def manager(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{SUPPORT}:{SUPPORT.parents[1]}")
    manager = Manager(tmp_path / "runs", COMMAND)
    yield manager
    end_all(manager)


def end_all(manager: Manager) -> None:
    """No training outlives its test."""
    for name in manager.names():
        status = manager.status(name)
        if status["alive"]:
            manager.run(name).request("stop")
    for name in manager.names():
        pid = manager.status(name)["pid"]
        deadline = time.monotonic() + 30
        while manager.status(name)["alive"] and time.monotonic() < deadline:
            time.sleep(0.05)
        if manager.status(name)["alive"] and pid:
            os.kill(pid, signal.SIGKILL)


def wait(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def trains(manager: Manager, name: str, step: int = 1) -> dict:
    return wait(lambda: (d := manager.describe(name))["state"] == "running" and d["step"] >= step and d)


def test_from_start_to_deletion(manager):
    manager.start("one", "shapes", settings=FAST)
    assert manager.status("one")["state"] == "starting" and manager.names() == ["one"]
    with pytest.raises(TrainingError, match="stop it first"):
        manager.delete("one")
    trains(manager, "one", 3)
    assert manager.status("one")["pid"] != os.getpid()
    if hasattr(os, "getpriority"):
        assert os.getpriority(os.PRIO_PROCESS, manager.status("one")["pid"]) == NICE

    with pytest.raises(TrainingError, match="is being trained already"):
        manager.resume("one")
    with pytest.raises(TrainingError, match="stop it first"):
        manager.delete("one")

    saved = manager.save("one")["answered"]["save"]["step"]
    assert manager.run("one").checkpoint_step() >= saved > 0
    sampled = manager.sample("one")["answered"]["sample"]["step"]
    assert sampled in manager.run("one").visits()

    paused = manager.pause("one")
    assert paused["state"] == "paused" and str(paused["reason"]) == f"Saved at step {paused['step']}."
    assert manager.run("one").checkpoint_step() == paused["step"] and manager.describe("one")["alive"]
    before = cpu_seconds(paused["pid"])
    time.sleep(1)
    assert manager.status("one")["step"] == paused["step"]
    assert cpu_seconds(paused["pid"]) - before < 0.1  # it waits, and does not spin

    manager.resume("one")
    trains(manager, "one", paused["step"] + 1)
    assert manager.status("one")["pid"] == paused["pid"]

    stopped = Manager(manager.folder).stop("one")  # another one, as after a restart of the server
    assert (stopped["state"], str(stopped["reason"])) == ("stopped", f"Saved at step {stopped['step']}.")
    assert manager.describe("one")["state"] == "stopped"
    assert manager.models() == [("one", manager.folder / "one")]
    manager.resume("one")
    assert manager.status("one")["state"] == "starting"
    trains(manager, "one", stopped["step"] + 1)
    manager.stop("one")
    manager.delete("one")
    assert manager.names() == [] and list(manager.folder.iterdir()) == []


def cpu_seconds(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def test_it_outlives_the_server_that_started_it(manager):
    code = f"from mmgan.runs.manager import Manager; import time; m = Manager({str(manager.folder)!r}, {COMMAND!r})"
    code += f"\nm.start('orphan', 'shapes', settings={FAST!r}); print(1, flush=True); time.sleep(60)"
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    server.stdout.readline()
    server.send_signal(signal.SIGKILL)
    server.communicate()
    trains(manager, "orphan")
    assert manager.stop("orphan")["state"] == "stopped"


def test_a_long_pause_gives_the_memory_back(tmp_path):
    code = "import sys; import small_cli; small_cli.patch()\n"
    code += "from mmgan.training import session; session.IDLE_SECONDS = 0.2\n"
    code += "from mmgan.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": f"{SUPPORT}:{SUPPORT.parents[1]}"}
    arguments = ["train", "--data", "shapes", "--out", str(tmp_path / "run"), "--steps", "100000"]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, stderr=subprocess.DEVNULL)
    wait(lambda: (tmp_path / "run" / "config.json").exists())
    Run(tmp_path / "run").request("pause")
    assert process.wait(60) == 0
    status = Run.open(tmp_path / "run").status()
    assert status["state"] == "paused" and not status["alive"]
    assert Run.open(tmp_path / "run").checkpoint_step() == status["step"]


def test_stopped_while_it_is_being_prepared(manager):
    manager.start("hasty", "shapes", settings=FAST)
    manager.run("hasty").request("stop")  # before its process has made the run: the wish counts all the same
    status = wait(lambda: (s := manager.status("hasty"))["state"] == "stopped" and s)
    assert status["state"] == "stopped" and status["step"] == 0 and "nothing was lost" in str(status["reason"])
    manager.resume("hasty")  # from the beginning, with the same settings
    wait(lambda: manager.describe("hasty")["step"] > 0)
    assert manager.settings("hasty")["checkpoint_seconds"] == 0.5


def test_how_a_failure_is_told(manager, tmp_path):
    folder = tmp_path / "nothing"
    folder.mkdir()
    real = Manager(manager.folder)  # the real command, which reads the folder
    real.start("empty", str(folder))
    status = wait(lambda: (s := real.status("empty"))["state"] == "failed" and s)
    assert "no picture or sound that can be used" in str(status["reason"]) and "\n" not in str(status["reason"])
    broken = Manager(manager.folder, (sys.executable, "-c", "raise SystemExit('no such thing')"))
    broken.start("mute", "shapes")
    status = wait(lambda: (s := broken.status("mute"))["state"] == "failed" and s)
    assert "log has its last words" in str(status["reason"])
    assert broken.run("mute").log_tail().endswith("no such thing")


def test_a_killed_training_is_told_and_resumed(manager):
    manager.start("killed", "shapes", settings=FAST)
    wait(lambda: manager.describe("killed")["checkpoint"])
    os.kill(manager.status("killed")["pid"], signal.SIGKILL)
    status = wait(lambda: (s := manager.status("killed"))["state"] == "failed" and s)
    assert "resume it from step" in str(status["reason"])
    wait(lambda: not process_lives(status["pid"]))  # its files are let go of a moment before its number is
    manager.resume("killed")
    trains(manager, "killed", manager.run("killed").checkpoint_step() + 1)


def test_an_empty_folder_that_a_kill_left_blocks_no_name(tmp_path):
    folder = tmp_path / "left"
    folder.mkdir()
    with pytest.raises(TrainingError, match="there already"):
        Run(folder).claim()  # somebody may be making it this moment
    os.utime(folder, (0, 0))
    Run(folder).claim()
    assert Run(folder).status()["state"] == "starting"
    os.utime(folder, (0, 0))
    with pytest.raises(TrainingError, match="there already"):
        Run(folder).claim()


def test_a_finished_run_is_trained_further(manager):
    manager.start("first", "shapes", settings=FAST | {"steps": 2})
    wait(lambda: manager.status("first")["state"] == "finished")
    with pytest.raises(MmganError, match="nowhere"):
        manager.start("second", "shapes", start_from="nowhere")
    manager.start("second", "shapes", "large", FAST, start_from=str(manager.folder / "first"))
    trains(manager, "second")
    assert manager.settings("second")["start_from"] == "first"
    assert manager.settings("second")["model.style_dim"] == manager.settings("first")["model.style_dim"]


def test_only_so_many_at_a_time(manager, monkeypatch):
    monkeypatch.setattr(module, "MAX_RUNNING", 1)
    manager.start("first", "shapes", settings=FAST)
    with pytest.raises(TrainingError, match="Already being trained: first;"):
        manager.start("second", "shapes")
    assert manager.names() == ["first"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../x",
        "a/b",
        ".hidden",
        "-x",
        "x\n",
        "a" * 61,
        "con\\x",
        "con",
        "NUL",
        "aux.1",
        "x.",
        "\u202eabc",
        "a\x00",
    ],
)
def test_names_that_are_no_folder_names(manager, name):
    if name == "x\n":  # space around a name is only space
        assert module.check_name(name) == "x"
        return
    with pytest.raises(TrainingError, match="Name the run"):
        manager.start(name, "shapes")
    with pytest.raises(TrainingError, match="no run named"):
        manager.delete(name)
    assert not manager.folder.exists()


def test_nothing_but_a_run_is_deleted(manager):
    (manager.folder / "thesis").mkdir(parents=True)
    (manager.folder / "thesis" / "thesis.docx").write_text("years of work")
    with pytest.raises(TrainingError, match="no run named"):
        manager.delete("thesis")
    assert (manager.folder / "thesis" / "thesis.docx").exists() and manager.names() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"data": "/no/such/folder"}, "check the path"),
        ({"data": " "}, "what to learn from"),
        ({"data": "shapes", "preset": "huge"}, "no preset"),
        ({"data": "shapes", "settings": {"learning_rate": -1}}, "learning_rate .*limits"),
        ({"data": "shapes", "settings": {"gama": 1}}, "gama"),
        ({"data": "shapes", "settings": {"batch_size": 18}}, "batch of 18"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_is_made(manager, arguments, sentence):
    with pytest.raises(MmganError, match=sentence):
        manager.start("x", **arguments)
    assert manager.names() == []


def test_names_are_offered_and_presets_recognised(manager):
    assert manager.free_name("shapes") == "shapes-1"
    (manager.folder / "shapes-1").mkdir(parents=True)
    assert manager.free_name("shapes") == "shapes-2" and manager.free_name("我的画") == "我的画-1"
    assert manager.free_name("../..") == "run-1"
    from mmgan.config import PRESETS, to_dict

    for preset in PRESETS:
        assert preset_of(json.loads(json.dumps(to_dict(check_settings(preset, {}))))) == preset


def test_a_deletion_cut_short_is_finished(manager):
    manager.folder.mkdir()
    (manager.folder / ".old.deleted-999999999").mkdir()
    Manager(manager.folder)
    assert list(manager.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("status.json", '{"state": "running", "started": "yesterday"}'), ("status.json", "{torn"),
        ("status.json", "[]"),
        ("status.json", '{"state": "asleep"}'), ("status.json", '{"state": "failed", "started": 1e999}'),
        ("status.json", '{"state": "failed", "step": -1}'), ("config.json", "{"),
        ("config.json", '{"format": "mmgan"}'),
        ("config.json", '{"format": "mmgan-run", "config": {"data": 5}}'), ("access.json", "{}"),
        ("checkpoint/training.json", '{"state": {"step": "two"}}'),
    ],
)  # fmt: skip
def test_a_damaged_run_is_told_and_can_be_deleted(tmp_path, name, content):
    for one in ("bad", "good"):
        with Run.create(tmp_path / one, {"data": "shapes", "training": {}}) as run:
            run.set_status("finished", step=1)
            run.checkpoint.mkdir()
    (tmp_path / "bad" / name).write_text(content)
    manager = Manager(tmp_path)
    assert sorted(manager.names()) == ["bad", "good"] and manager.running() == [] == manager.models()
    told = manager.describe("bad")
    assert (
        told["state"] == "damaged" and str(told["reason"]) == f"The run's {Path(name).name} is damaged; delete the run."
    )
    assert manager.describe("good")["state"] == "finished" and manager.history("bad").since()["curves"] == {}
    manager.delete("bad")
    assert manager.names() == ["good"] and sorted(entry.name for entry in tmp_path.iterdir()) == ["good"]


def test_a_run_that_lost_its_status_is_told_and_can_be_deleted(tmp_path):
    Run.create(tmp_path / "bad", {}).close()
    (tmp_path / "bad" / "status.json").unlink()
    manager = Manager(tmp_path)
    assert str(manager.describe("bad")["reason"]) == "The run's status.json is missing; delete the run."
    manager.delete("bad")
    assert list(tmp_path.iterdir()) == []
