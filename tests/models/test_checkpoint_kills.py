"""A real process that saves is killed at twenty moments; what it leaves can always be loaded."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import MODEL

from mmgan.config import to_dict
from mmgan.models import Generator, checkpoint
from mmgan.models.checkpoint import Model
from mmgan.system import files

ROOT = Path(checkpoint.__file__).parents[2]
# For each line "step pause" starts a process that saves for ever, so that torch is imported once for all of them. Each
# save holds one number everywhere, so that a mixture of two saves would show.
SAVER = """
import json, os, sys, time, torch
torch.set_num_threads(1)
from mmgan.models import checkpoint
from mmgan.config import ModelConfig, from_dict
from mmgan.models import Generator
folder, config = sys.argv[1:]
generator = Generator(from_dict(ModelConfig, json.loads(config)))
for line in sys.stdin:
    child = os.fork()
    if child:
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)
        continue
    step, pause = int(line.split()[0]), float(line.split()[1])
    while True:
        time.sleep(pause)
        step += 1
        with torch.no_grad():
            for parameter in generator.parameters():
                parameter.fill_(step)
        tensors = {"now": {"w": torch.full((3000,), step)}}
        checkpoint.Model(generator).save_pretrained(folder, tensors=tensors, state={"step": step})
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to start many processes quickly")
def test_a_kill_at_any_moment_leaves_a_good_checkpoint(tmp_path):
    folder, draw, step, saves = tmp_path / "run" / "checkpoint", random.Random(0), 0, 0
    with subprocess.Popen(
        [sys.executable, "-c", SAVER, str(folder), json.dumps(to_dict(MODEL))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as driver:
        for attempt in range(20):
            reads = attempt % 4 == 3  # while it is being replaced, as the page does
            before = files._identity(folder)
            driver.stdin.write(f"{step} {0.2 if reads else 0}\n")
            child = int(driver.stdout.readline())
            try:
                if attempt % 2:  # some time after its first save; else perhaps within it, however slow the machine is
                    deadline = time.monotonic() + 60
                    while files._identity(folder) in (before, None) and time.monotonic() < deadline:
                        time.sleep(0.001)
                time.sleep(draw.uniform(0, 0.05))
                if reads:
                    assert check_whole(folder) > step
            finally:
                os.kill(child, signal.SIGKILL)
            assert driver.stdout.readline() == "ended\n"
            if step or files.present(folder).exists():
                value = check_whole(folder)
                assert value >= step
                step, saves = value, saves + (value > step)
        driver.stdin.close()
    assert saves >= 10
    Model(Generator(MODEL)).save_pretrained(folder)
    assert [entry.name for entry in folder.parent.iterdir()] == ["checkpoint"]


def check_whole(folder: Path) -> int:
    """The step of the checkpoint, whose every number must be of that step."""
    values = {
        float(v) for p in Model.from_pretrained(folder).generator.state_dict().values() for v in (p.min(), p.max())
    }
    tensors, state = Model.load_training_state(folder)
    assert len(values) == 1 and tensors["now"]["w"].unique().tolist() == [state["step"]]
    return state["step"]
