"""What a run is asked to do otherwise when it goes on: more steps, another rate.

config.json says what a run was begun with, and stays. Each change since then is an entry of ``changes.json``, with the
step from which on it counts, so that whoever looks at the run sees what it does now and what it did before.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from ..config import flat, put, sections
from ..system.files import replace_file, saving
from .files import CHANGES as FILE
from .files import read_changes, read_checkpoint, to_json

FIXED = ("model", "seed", "optimizer")  # a checkpoint, or the film strip's latent codes, depend on these settings


def changes(folder: Path) -> list[dict]:
    """The changes of a run, oldest first: ``{"step": 40, "time": ..., "settings": {"steps": 80}}``. Raises Damaged."""
    return read_changes(folder)


def with_changes(config: dict, folder: Path) -> dict:
    """What the run does now, of its ``config`` at first."""
    if not isinstance(config.get("training"), dict):
        return config
    training = sections(config["training"])
    for entry in changes(folder):
        for name, value in entry["settings"].items():
            if name.partition(".")[0] not in FIXED:
                put(training, name, value)
    return config | {"training": training}


def trained_seconds(run) -> float:
    """How long the run's checkpoint was trained; 0 while there is none."""
    seconds = read_checkpoint(run.checkpoint).get("elapsed")
    return float(seconds) if isinstance(seconds, (int, float)) else 0.0


def record(run, training: dict) -> None:
    """Notes where ``training`` (a TrainingConfig's values) differs from what ``run``, open for writing, did so far.

    Raises:
        MmganError: the folder cannot be written.
    """
    before, plain = flat(run.config.get("training", {})), flat(json.loads(json.dumps(training)))
    new = {
        name: value for name, value in plain.items()
        if name.partition(".")[0] not in FIXED and value != before.get(name, value)
    }  # fmt: skip
    if not new:
        return
    step = run.checkpoint_step() or 0
    entries = [*changes(run.folder), {"step": step, "time": time.time(), "settings": new}]
    with saving(run.folder / FILE):
        replace_file(run.folder / FILE, to_json({"changes": entries}, indent=2))
    told = ", ".join(f"{name} = {value} instead of {before.get(name)}" for name, value in new.items())
    run.log(f"goes on from step {step} with {told}")
