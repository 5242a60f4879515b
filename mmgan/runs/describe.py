"""What is said of a run: in a list, and of its settings; as JSON values and messages."""

from __future__ import annotations

from pathlib import Path

from ..config import flat
from .checks import preset_of
from .files import Damaged, damage_of, data_name
from .run import ALIVE, REQUESTS, Run


def describe(run: Run, status: dict) -> dict:
    """What a list shows of the run.

    ``state``, ``stage`` (of a start), ``step``, ``share`` done (0..1), ``seconds`` trained, ``seconds_left`` (None:
    unknown), ``reason`` (a message), ``started`` (Unix time), ``data``, ``preset``, ``loss``, ``batch_size`` to try
    after running out of memory, ``checkpoint`` (its step or None), ``resumable``, ``waiting`` (requests not yet
    answered), ``answered``, ``finetune`` (what a fine-tuning says of itself; None of others). Of a run whose files are
    damaged ``state`` is "damaged" and ``reason`` says which; it can be deleted as any other.

    Args:
        status: as :meth:`mmgan.runs.manager.Manager.status` has it.
    """
    damage = None if status["alive"] else damage_of(run.folder)
    if damage:
        status |= {"state": "damaged", "reason": damage}
    share, elapsed = status.get("share") or 0.0, status.get("elapsed") or 0.0
    left = elapsed * (1 - share) / share if 0 < share <= 1 and status["state"] in (*ALIVE, "paused") else None
    try:
        config = run.config
    except Damaged:
        config = {}
    training = config.get("training", {})
    asked = flat(training)
    return {
        "name": run.folder.name, "state": status["state"], "stage": status.get("stage", ""), "step": status["step"],
        "share": round(min(1.0, share), 4), "seconds": round(elapsed, 1),
        "seconds_left": None if left is None else round(left), "reason": status["reason"],
        "started": status["started"], "updated": status["updated"], "alive": status["alive"],
        "data": data_name(config, status), "preset": preset_of(training), "loss": asked.get("loss", ""),
        "steps": asked.get("steps"), "minutes": asked.get("minutes"),
        "resumable": status["state"] not in (*ALIVE, "finished") and run.resumable(),
        "batch_size": status.get("batch_size"), "checkpoint": run.model_step(),
        "waiting": [what for what in REQUESTS if status["alive"] and run.requested(what)],
        "answered": status.get("answered", {}), "finetune": status.get("finetune"),
    }  # fmt: skip


def settings_of(run: Run, status: dict) -> dict:
    """Everything that the run was asked for, by name: "data", "learning_rate", "model.image.size", ..."""
    config = run.config
    found = {"data": data_name(config, status), "text_encoder": config.get("text_encoder") or ""}
    found["start_from"] = Path(config.get("start_from") or "").name
    return found | flat(config.get("training", {}))
