"""``mmgan train``: the run's folder first and the libraries after, so that whoever watches sees it start at once."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from ..config import PRESETS, TrainingConfig, from_dict, to_dict
from ..errors import TrainingError
from ..files import exists
from .access import Access
from .changes import FIXED, record, trained_seconds
from .runs import Run

DIRECT = ("loss", "batch_size", "seed", "steps", "minutes", "learning_rate", "gamma", "accumulate")  # options, settings
CALLED = {  # what a run began with, and goes on with
    "data": "data", "preset": "preset", "base": "base", "start_from": "model to start from", "model": "sizes",
    "long_sounds": "way of cutting long sounds", "seed": "seed", "optimizer": "optimizer",
}  # fmt: skip
STOPPED_EARLY = "Stopped before it trained, so nothing was lost."
STOP_SECONDS = 0.1  # between two looks for a stop request while the training is being prepared


def main(options) -> int:
    """Trains as the options of :mod:`mmgan.cli` say. Returns the exit status."""
    if getattr(options, "nice", 0) and hasattr(os, "nice"):
        os.nice(options.nice)
    out = Path(options.out)
    if options.resume:
        run = Run.open(out)
        saved, changes, more = run.config, direct(options), getattr(options, "set", [])
        check_same(run, options)
        if "finetune" in saved:
            from .finetune import resume as resume_finetune

            return resume_finetune(out, options.device, options.text_encoder, settings=changes, more=more)
        config = going_on(run, changes, more)
        data, text_encoder = saved.get("data", ""), options.text_encoder or saved.get("text_encoder")
        start, encoding = saved.get("start_from"), saved.get("encoding")
    else:
        encoding = getattr(options, "encoding", None)
        if encoding:
            from ..data.encodings import checked_encoding

            encoding = checked_encoding(encoding)
        data, text_encoder, start = options.data, options.text_encoder, options.start_from
        changes = direct(options) | {"model": to_dict(_sizes(start) if start else PRESETS[options.preset or "tiny"])}
        config = from_dict(TrainingConfig, with_settings(changes, options.set), "the options")
    resume = options.resume and has_checkpoint(out)
    more = {"start_from": start} | ({"encoding": encoding} if encoding else {})
    with open_run(config, data, out, resume, text_encoder, more) as run, stoppable(run) as ready:
        from .train import train_into

        return train_into(
            run, out, config, data, resume, options.device, text_encoder, ready=ready, start_from=start,
            encoding=encoding,
        )  # fmt: skip


def direct(options) -> dict:
    """The settings that have options of their own, where they were given."""
    return {name: getattr(options, name) for name in DIRECT if getattr(options, name, None) is not None}


def going_on(run: Run, settings: dict | None = None, more: Sequence[str] = ()) -> TrainingConfig:
    """What ``run`` does when it goes on: as before, but for the ``settings`` and "name=value"s given now.

    How long it trains is counted from its beginning; steps replace minutes, and minutes steps.

    Raises:
        TrainingError: a setting cannot change any more, or what is asked for is done already.
        CheckpointError: a value is outside its limits.
    """
    saved = run.config.get("training", {})
    before = from_dict(TrainingConfig, saved, "the run's config.json")
    given = list(settings or {}) + [setting.partition("=")[0].partition(".")[0] for setting in more]
    if not given:
        return before
    values = with_settings({**to_dict(before), **(settings or {})}, list(more))
    if "steps" in given and "minutes" not in given:
        values["minutes"] = 0.0
    config = from_dict(TrainingConfig, values, "the options")
    old, new = to_dict(before), to_dict(config)
    if fixed := [name for name in FIXED if old[name] != new[name]]:
        raise TrainingError(_fixed(fixed))
    step, elapsed = run.checkpoint_step(), trained_seconds(run)
    if step is not None and (elapsed >= 60 * config.minutes if config.minutes else step >= config.steps):
        raise TrainingError(
            f"{run.folder.name} is at step {step} after {elapsed / 60:.1f} minutes, so nothing of that is left to do; "
            f"say how far it should go on, counted from its beginning, such as --steps {2 * step or 100}."
        )
    return config


def check_same(run: Run, options) -> None:
    """Raises TrainingError where options name other data or another beginning than those of the run that goes on."""
    from .manager import preset_of

    saved = run.config
    tuned = saved.get("finetune") or {}
    was = {
        "data": saved.get("data"), "preset": preset_of(saved.get("training", {})), "base": tuned.get("base"),
        "start_from": saved.get("start_from"), "long_sounds": "pieces" if tuned.get("pieces") else "loudest",
    }  # fmt: skip
    given = {name: getattr(options, name, None) for name in was}
    other = [name for name, value in given.items() if value is not None and not _same(value, was[name])]
    if other:
        raise TrainingError(_fixed(other))


def _fixed(names: list[str]) -> str:
    return (
        f"A run goes on with the {' and the '.join(CALLED[name] for name in names)} that it began with; "
        "leave that out, or start a new run in another folder."
    )


def _same(given: str, saved) -> bool:
    """Whether two names mean the same: word for word, or as paths."""
    if given == saved:
        return True
    return isinstance(saved, str) and exists(given) and Path(given).resolve() == Path(saved).resolve()


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
    if not resume:
        return Run.create(out, settings, _access(data))
    run = Run.resume(out)
    try:
        record(run, settings["training"])
    except BaseException:
        run.close()
        raise
    return run


def _access(data: str) -> Access | None:
    """Whose a run on ``data`` is unless its starter has said so: what is made of a private project is as private."""
    from ..data.layout import PROJECT

    if not exists(Path(data) / PROJECT):
        return None
    from ..data.projects import Project

    project = Project(data)
    return Access(project.owner) if project.owner and not project.shared else None


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
