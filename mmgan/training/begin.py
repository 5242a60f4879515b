"""``mmgan train``: the run's folder first and the libraries after, so that whoever watches sees it start at once."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path

from ..config import PRESETS, TrainingConfig, from_dict, to_dict
from ..errors import TrainingError
from .runs import Run

DIRECT = ("loss", "batch_size", "seed", "steps", "minutes", "learning_rate", "gamma", "accumulate")  # options, settings
STOPPED_EARLY = "Stopped before it trained, so nothing was lost."
STOP_SECONDS = 0.1  # between two looks for a stop request while the training is being prepared


def main(options) -> int:
    """Trains as the options of :mod:`mmgan.cli` say. Returns the exit status."""
    if getattr(options, "nice", 0) and hasattr(os, "nice"):
        os.nice(options.nice)
    out = Path(options.out)
    if options.resume:
        saved = Run.open(out).config
        if "finetune" in saved:
            from .finetune import resume as resume_finetune

            return resume_finetune(out, options.device, options.text_encoder)
        config = from_dict(TrainingConfig, saved.get("training", {}), "the run's config.json")
        data, text_encoder = saved.get("data", ""), options.text_encoder or saved.get("text_encoder")
        start = saved.get("start_from")
    else:
        data, text_encoder, start = options.data, options.text_encoder, options.start_from
        changes = {name: getattr(options, name) for name in DIRECT if getattr(options, name, None) is not None}
        changes |= {"model": to_dict(_sizes(start) if start else PRESETS[options.preset])}
        config = from_dict(TrainingConfig, with_settings(changes, options.set), "the options")
    resume = options.resume and has_checkpoint(out)
    with open_run(config, data, out, resume, text_encoder, {"start_from": start}) as run, stoppable(run) as ready:
        from .train import train_into

        return train_into(run, out, config, data, resume, options.device, text_encoder, ready=ready, start_from=start)


def _sizes(source: str):
    """The sizes of the model ``source``: a name, a folder or a Hub id."""
    from ..checkpoint import read_config, resolve

    return read_config(resolve(source))[0]


def with_settings(values: dict, settings: list[str]) -> dict:
    """``values`` with each "name=value" or "model.name=value" put in; the value is JSON, or else a plain word."""
    for setting in settings:
        name, equals, value = setting.partition("=")
        *path, last = name.split(".")
        place = values
        for part in path:
            place = place.get(part) if isinstance(place, dict) else None
        if not equals or not last or not isinstance(place, dict):
            raise TrainingError(f"--set {setting} should read NAME=VALUE, such as --set gamma=5.")
        try:
            place[last] = json.loads(value)
        except ValueError:
            place[last] = value
    return values


def has_checkpoint(out: str | Path) -> bool:
    """Whether there is one to resume from; a run that was killed before its first one begins anew instead."""
    return Run.open(out).checkpoint_step() is not None


def open_run(
    config: TrainingConfig, data: str, out: str | Path, resume: bool, text_encoder: str | None, more: dict | None = None
):
    """A context with the run folder that this process writes; with None where another process of several does.

    Args:
        more: what else the run's config should hold, such as what it was fine-tuned from.
    """
    if int(os.environ.get("RANK", "0")) != 0:
        return contextlib.nullcontext()
    settings = {"training": to_dict(config), "data": data, "text_encoder": text_encoder, **(more or {})}
    return Run.resume(out) if resume else Run.create(out, settings)


@contextlib.contextmanager
def stoppable(run: Run | None):
    """Until the event it gives is set, a stop request ends the process at once: there is nothing yet to save."""
    ready = threading.Event()

    def end():
        run.set_status("stopped", reason=STOPPED_EARLY)
        run.log(f"stopped: {STOPPED_EARLY}")

    def watch():
        while not ready.wait(STOP_SECONDS):
            if run.requested("stop") and not ready.is_set():
                end()
                os._exit(0)

    if run is not None:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield ready
    except KeyboardInterrupt:
        if run is not None and run.status()["state"] == "starting":
            end()
        raise
    finally:
        ready.set()
