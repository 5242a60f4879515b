"""Trainer and server are killed at a hundred random moments; no run is ever lost, and none lies."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmgan.checkpoint import load_model, load_training_state
from mmgan.training.manager import Manager
from mmgan.training.runs import Run

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE}:{HERE.parents[1]}"}
TRAINER_KILLS, SERVER_KILLS = 40, 60

# For each line of standard input a process that begins or resumes the run, so that torch is imported once for all.
TRAINER = """
import os, sys
import small_cli, small
small_cli.patch()
from mmgan.training.runs import Run
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

# A trainer of no weight, which keeps the contract of a run folder, and a server that starts, stops and deletes.
FAKE = """
import json, os, sys, time
from mmgan.files import replace_folder
from mmgan.training.runs import Run
arguments = sys.argv[1:]
folder = arguments[arguments.index("--out") + 1]
run = Run.resume(folder) if "--resume" in arguments else Run.create(folder, {"training": {}, "data": "shapes"})
with run:
    step = run.checkpoint_step() or 0
    def save():
        state = json.dumps({"version": 1, "tensors": [], "state": {"step": step}})
        replace_folder(run.checkpoint, lambda new: (new / "training.json").write_text(state))
    while not run.requested("stop") and step < 4000:
        step += 1
        run.log_metrics({"step": step})
        run.set_status("running", step=step)
        if step % 5 == 1:
            save()
        time.sleep(0.01)
    save()
    run.set_status("stopped", step=step, reason=f"Saved at step {step}.")
"""
SERVER = """
import sys
from mmgan.training import manager as module
from mmgan.training.manager import Manager
module.MAX_RUNNING = 50
folder, fake, number = sys.argv[1:]
manager = Manager(folder, (sys.executable, fake))
def say(*words): print(*words, flush=True)
name = f"run-{number}"
say("asked", name)
manager.start(name, "shapes")
say("started", name)
for other in manager.names():
    status = manager.status(other)
    if other != name and status["alive"]:
        manager.stop(other)
        say("stopped", other)
    elif other != name and int(number) % 3 == 0 and status["state"] != "starting":
        say("deleting", other)
        manager.delete(other)
        say("deleted", other)
while True:
    manager.names()
"""


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
            os.kill(child, signal.SIGKILL)
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
                assert f"resume it from step {step}" in status["reason"]
            if run.checkpoint_step() is not None:
                assert load_model(folder).info["steps"] == load_training_state(run.checkpoint)[1]["step"] == step
                assert set(range(1, step + 1)) <= set(steps), "a row from before the checkpoint was lost"
            for visit in run.visits():
                assert all((run.strips / f"{visit:07d}{end}").stat().st_size for end in (".png", "-mel.png", ".flac"))
            resumed, saved, rows = resumed + (step > saved), step, len(found)
        driver.stdin.close()
    assert resumed >= 10 and rows >= 10  # else the kills came too early to mean anything


def test_the_server_killed_at_random_moments(tmp_path):
    """Trainings go on, what was acknowledged is there, and what was deleted is gone as a whole or not at all."""
    fake, runs, draw = tmp_path / "fake.py", tmp_path / "runs", random.Random(1)
    fake.write_text(FAKE)
    started, deleted = set(), set()
    try:
        for number in range(SERVER_KILLS):
            command = [sys.executable, "-c", SERVER, str(runs), str(fake), str(number)]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
            assert server.stdout.readline().startswith("asked")
            time.sleep(draw.uniform(0, 0.4))
            server.send_signal(signal.SIGKILL)
            said = [line.split() for line in server.communicate()[0].splitlines()]
            started |= {name for word, name in said if word == "started"}
            deleted |= {name for word, name in said if word in ("deleting", "deleted")}
            gone = {name for word, name in said if word == "deleted"}
            manager = Manager(runs)
            there = set(manager.names())
            assert started - deleted <= there, "a run was lost"
            assert not gone & there
            for name in there:
                described = manager.describe(name)
                assert described["state"] in ("starting", "running", "stopped", "failed")
                if name in started and described["state"] == "running":
                    assert described["alive"]
        assert len(started) >= 5
        manager = Manager(runs)
        for name in manager.names():
            deadline = time.monotonic() + 60
            while manager.describe(name)["state"] == "starting" and time.monotonic() < deadline:
                time.sleep(0.05)
            described = manager.describe(name)
            if described["alive"]:  # it went on without its server, and listens to the next one
                described = manager.stop(name)
                assert described["state"] == "stopped"
            if described["state"] == "stopped" and described["step"]:
                assert manager.run(name).checkpoint_step() == described["step"]
    finally:
        for folder in runs.iterdir() if runs.exists() else ():
            (folder / "stop").touch() if folder.is_dir() else None
    assert not [entry for entry in runs.iterdir() if ".deleted-" in entry.name]
    names = Manager(runs).names()  # a folder whose claim was cut short is none of them
    assert names and all(json.loads((runs / name / "status.json").read_text()) for name in names)
