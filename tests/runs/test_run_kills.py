"""Trainer and server are killed at a hundred random moments; no run is ever lost, and none lies."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from zygote import ask

from mmgan.models.checkpoint import Model
from mmgan.runs.manager import Manager
from mmgan.runs.run import Run

SUPPORT = Path(__file__).parents[1] / "support"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{SUPPORT}:{SUPPORT.parents[1]}"}
TRAINER_KILLS, SERVER_KILLS = 76, 24
SETTINGS = {"minutes": 0, "steps": 10**6, "checkpoint_seconds": 0.05, "metric_steps": 1}

# For each line of standard input a process that begins or resumes the run, so that torch is imported once for all.
TRAINER = """
import os, sys
import small_cli, small
small_cli.patch()
from mmgan.runs.run import Run
from mmgan.training.train import train
folder = sys.argv[1]
settings = small.config(steps=10**6, checkpoint_seconds=0.05, metric_steps=1)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        resume = Run(folder).exists()
        os._exit(train(settings, "blobs", folder, resume=resume, device="cpu", progress=False))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def kill(trainer, folder):
    try:
        os.kill(trainer, signal.SIGKILL)
    except ProcessLookupError:
        pytest.fail(f"The trainer ended before it was killed: {Run(folder).status()}")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to start many processes quickly")
def test_the_trainer_killed_at_random_moments(tmp_path):
    folder, draw, saved, rows, resumed = tmp_path / "run", random.Random(0), 0, 0, 0
    driver = subprocess.Popen(
        [sys.executable, "-c", TRAINER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, bufsize=1, env=ENVIRONMENT,
    )  # fmt: skip
    with driver:
        for attempt in range(TRAINER_KILLS):
            before = Run(folder).metrics()[1]
            driver.stdin.write("go\n")
            child = int(driver.stdout.readline())
            if attempt % 3:  # some time after its first new row, or its first new checkpoint, however busy the machine
                run, deadline = Run(folder), time.monotonic() + 30
                while time.monotonic() < deadline:
                    if attempt % 3 == 1 and (place := run.metrics()[1]) and place != before:
                        break
                    if attempt % 3 == 2 and (run.checkpoint_step() or 0) > saved:
                        break
                    time.sleep(0.002)
            time.sleep(draw.uniform(0, 0.2 if attempt % 3 == 0 else 0.05))
            kill(child, folder)
            assert driver.stdout.readline() == "ended\n"
            run = Run(folder)
            if not run.exists():
                assert saved == 0
                continue
            status, found = run.status(), run.metrics()[0]
            assert status["state"] == "failed" and not status["alive"] and run.resumable()
            steps = [row["step"] for row in found]
            assert steps == sorted(steps)
            step = run.checkpoint_step() or 0
            assert step >= saved, "a checkpoint was lost"
            if step:
                assert f"resume it from step {step}" in str(status["reason"])
            if run.checkpoint_step() is not None:
                assert (
                    Model.from_pretrained(folder).info["steps"]
                    == Model.load_training_state(run.checkpoint)[1]["step"]
                    == step
                )
                assert set(range(1, step + 1)) <= set(steps), "a row from before the checkpoint was lost"
            for visit in run.visits():
                assert all((run.strips / f"{visit:07d}{end}").stat().st_size for end in (".png", "-mel.png", ".flac"))
            resumed, saved, rows = resumed + (step > saved), step, len(found)
        driver.stdin.close()
    assert resumed >= 10 and rows >= 10  # else the kills came too early to mean anything


class Asking(threading.Thread):
    """A visitor of the page who starts a run, then stops or deletes others, and notes what the server acknowledged."""

    def __init__(self, port, number, names):
        super().__init__(daemon=True)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}/gradio_api/call", timeout=30)
        self.number, self.names, self.tried, self.done = number, names, [], []

    def ask(self, what, name, *more):
        self.tried.append((what, name))
        event = self.http.post(f"/{what}_run", json={"data": [name, *more]}).json()["event_id"]
        if "event: complete" in self.http.get(f"/{what}_run/{event}").text:
            self.done.append((what, name))

    def run(self):
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):  # the server is gone
            self.ask("start", f"run-{self.number}", "shapes", "tiny", "relativistic", 0, SETTINGS)
            for name in self.names:
                self.ask("stop", name)
                if self.number % 3 == 0:
                    self.ask("delete", name)

    def of(self, what, done=True):
        return {name for asked, name in (self.done if done else self.tried) if asked == what}


@pytest.fixture
def zygote(tmp_path):
    """Where real servers and real trainers are asked for (:mod:`zygote`)."""
    path = str(tmp_path / "zygote")
    command = [sys.executable, SUPPORT / "zygote.py", path, tmp_path / "runs"]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not os.path.exists(path):
            assert process.poll() is None
            time.sleep(0.05)
        yield path
        process.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to start many processes quickly")
def test_the_server_killed_at_random_moments(tmp_path, zygote):
    """Trainings go on, what was acknowledged is there, and what was deleted is gone as a whole or not at all."""
    runs, draw = tmp_path / "runs", random.Random(1)
    started, stopped, deleted = set(), set(), set()
    try:
        for number in range(SERVER_KILLS):
            server, port = ask(zygote, ["serve"])
            asking = Asking(port, number, Manager(runs).names())
            asking.start()
            time.sleep(draw.uniform(0, 1.5))
            os.kill(server, signal.SIGKILL)
            asking.join()
            started |= asking.of("start")
            stopped |= asking.of("stop")
            deleted |= asking.of("delete", done=False)
            manager = Manager(runs)
            there = set(manager.names())
            assert started - deleted <= there, "a run was lost"
            assert not asking.of("delete") & there
            for name in there:
                described = manager.describe(name)
                assert described["state"] in ("starting", "running", "stopped", "failed")
                if name in started and described["state"] == "running":
                    assert described["alive"]
                if name in asking.of("stop"):
                    assert described["state"] in ("stopped", "failed")
        assert len(started) >= 5 and stopped and deleted  # else the kills came too early to mean anything
        for name in manager.names():
            check_after_the_servers(manager, name)
    finally:
        for folder in runs.iterdir() if runs.exists() else ():
            (folder / "stop").touch() if folder.is_dir() else None
    assert not [entry for entry in runs.iterdir() if ".deleted-" in entry.name]
    names = Manager(runs).names()  # a folder whose claim was cut short is none of them
    assert names and all(json.loads((runs / name / "status.json").read_text()) for name in names)


def check_after_the_servers(manager, name):
    """A run goes on without its server and listens to the next one; its checkpoint is of the step that it tells."""
    deadline = time.monotonic() + 60
    while manager.describe(name)["state"] == "starting" and time.monotonic() < deadline:
        time.sleep(0.05)
    described = manager.describe(name)
    if described["alive"]:
        described = manager.stop(name)
        assert described["state"] == "stopped"
    if described["state"] == "stopped" and described["step"]:
        run = manager.run(name)
        assert Model.load_training_state(run.checkpoint)[1]["step"] == run.checkpoint_step() == described["step"]
        assert Model.from_pretrained(run.folder).info["steps"] == described["step"]
