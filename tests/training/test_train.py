"""Whole trainings in processes of their own: resumed after a kill, on two processes, stopped, failed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small
import torch
from safetensors.torch import load_file

from mmgan.config import PRESETS, TrainingConfig, from_dict, to_dict
from mmgan.errors import MmganError, TrainingError
from mmgan.models.checkpoint import Model
from mmgan.runs.checks import with_settings
from mmgan.runs.run import Run
from mmgan.training import train

SUPPORT = Path(__file__).parents[1] / "support"
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": f"{SUPPORT}:{SUPPORT.parents[1]}",
    "ACCELERATE_USE_CPU": "true",
}


def start(*arguments, launcher=()) -> subprocess.Popen:
    command = [sys.executable, *launcher, str(SUPPORT / "small.py"), *map(str, arguments)]
    return subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors


def state(folder: Path) -> dict[str, torch.Tensor]:
    files = sorted((folder / "checkpoint").glob("*.safetensors"))
    assert len(files) == 5
    return {f"{file.stem}/{name}": value for file in files for name, value in load_file(file).items()}


def wait_for_step(folder: Path, step: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (folder / "config.json").exists() and (Run.open(folder).checkpoint_step() or 0) >= step:
            return
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint of step {step} within two minutes")


def test_resuming_after_a_kill_gives_the_same_weights(tmp_path):
    straight = start(tmp_path / "straight", 40)
    killed = start(tmp_path / "killed", 40, "", 0.0)  # a checkpoint after every step
    wait_for_step(tmp_path / "killed", 20)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    run = Run.open(tmp_path / "killed")
    assert run.status()["state"] == "failed" and 20 <= run.checkpoint_step() < 40
    finish(straight)
    finish(start(tmp_path / "killed", 40, "resume"))
    one, two = state(tmp_path / "straight"), state(tmp_path / "killed")
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name
    rows = [row["step"] for row in run.metrics()[0] if "generator" in row]
    assert rows == sorted(set(rows)) and rows[-1] == 40
    assert Run.open(tmp_path / "killed").status()["state"] == "finished"


def test_two_processes_compute_what_one_computes(tmp_path):
    launcher = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
                "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]  # fmt: skip
    finish(start(tmp_path / "one", 8))
    finish(start(tmp_path / "two", 8, launcher=launcher))
    one, two = (
        [row for row in Run.open(tmp_path / name).metrics()[0] if "generator" in row] for name in ("one", "two")
    )
    assert len(one) == len(two) == 8
    for a, b in zip(one, two, strict=True):
        names = {"generator", "discriminator", "contrastive", "wrong_caption", "wrong_partner"}
        assert a.keys() == b.keys() and names < a.keys()
        for name in names | ({"penalty"} & a.keys()):
            assert a[name] == pytest.approx(b[name], rel=1e-3, abs=1e-4), (a["step"], name)


def test_a_stop_request_saves_and_says_at_which_step(tmp_path):
    process = start(tmp_path / "run", 100_000, "", 0.0)
    wait_for_step(tmp_path / "run", 2)
    Run.open(tmp_path / "run").request("stop")
    finish(process)
    status = Run.open(tmp_path / "run").status()
    assert status["state"] == "stopped" and status["step"] > 0
    assert str(status["reason"]) == f"Saved at step {status['step']}."
    assert Run.open(tmp_path / "run").checkpoint_step() == status["step"]
    assert Model.from_pretrained(tmp_path / "run").info["steps"] == status["step"]
    assert Model.from_pretrained(tmp_path / "run").info["captions"]


def test_an_interrupt_saves_too(tmp_path):
    process = start(tmp_path / "run", 100_000, "", 0.0)
    wait_for_step(tmp_path / "run", 2)
    process.send_signal(signal.SIGINT)
    finish(process)
    assert Run.open(tmp_path / "run").status()["state"] == "stopped"


def test_a_run_has_sheets_metrics_and_a_model(tmp_path):
    finish(start(tmp_path / "run", 6))
    run = Run.open(tmp_path / "run")
    assert [path.name for path in run.samples()] == ["0000006.png"]
    assert run.visits() == [0, 6]  # the film strip begins before the first step
    assert {path.name for path in run.strips.iterdir()} == {"strips.json"} | {
        f"{name}{ending}" for name in ("real", "0000000", "0000006") for ending in (".png", "-mel.png", ".flac")
    }
    rows = [row for row in run.metrics()[0] if "generator" in row]
    assert {"pairs_per_second", "discriminator", "contrastive"} <= rows[-1].keys()
    assert ["penalty" in row for row in rows] == [True, False, False, False, True, False]  # every fourth step
    assert run.config["training"]["schedule"]["steps"] == 6
    assert Model.from_pretrained(run.folder).config.image.size == 16


@pytest.mark.parametrize(
    ("error", "batch_size", "state", "sentence"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), 16, "out_of_memory", "try a batch size of 8."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 12, "out_of_memory", "try a batch size of 4."),
        (MemoryError(), 4, "out_of_memory", "try a smaller preset."),
        (TrainingError("A loss became infinite."), 16, "failed", "A loss became infinite."),
        (ZeroDivisionError("by zero"), 16, "failed", "the log has the details."),
    ],
)
def test_how_a_training_that_breaks_ends(tmp_path, monkeypatch, error, batch_size, state, sentence):
    def breaks(trainer):
        if trainer.step_count == 2:
            raise error
        trainer.step_count += 1
        return {"generator": 1.0, "discriminator": 1.0}

    monkeypatch.setattr(train, "load_dataset", lambda source: small.Blobs())
    monkeypatch.setattr(train.TextEncoder, "from_pretrained", lambda *_: small.Encoder())
    monkeypatch.setattr(train.Trainer, "step", breaks)
    settings = small.config(steps=9, batch_size=batch_size)
    assert train.train(settings, "blobs", tmp_path / "run", device="cpu", progress=False) == 1
    run = Run.open(tmp_path / "run")
    assert (run.status()["state"], run.status()["step"]) == (state, 2) and str(run.status()["reason"]).endswith(
        sentence
    )
    assert run.resumable() and run.checkpoint_step() == 0  # saved before its first step
    assert ("Traceback" in run.log_tail()) == (type(error) is ZeroDivisionError)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["gamma"], "NAME=VALUE"),
        (["nothing.at.all=3"], "NAME=VALUE"),
        (["gama=3"], "'gama', which this mmgan does not know"),
        (["gamma=-1"], "gamma in the options is -1.0, outside 0.0 to 1000.0"),
        (["model.image.widths=wide"], "widths in image in model in the options should be a short list of numbers"),
    ],
)
def test_settings_that_cannot_be_used_get_a_sentence(settings, sentence):
    with pytest.raises(MmganError, match=sentence):
        from_dict(TrainingConfig, with_settings({"model": to_dict(PRESETS["tiny"])}, settings), "the options")


def test_settings_reach_the_configuration():
    settings = ["gamma=5", "loss=hinge", "model.image_widths=[32,16]"]
    values = with_settings({"model": to_dict(PRESETS["tiny"])}, settings)
    config = from_dict(TrainingConfig, values)
    assert (config.losses.gamma, config.losses.loss, config.model.image.widths) == (5.0, "hinge", (32, 16))
