"""What beginning a run and going on with one share: its folder, its settings, and stopping before the first step."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from ..config import TrainingConfig, flat, from_dict, to_dict
from ..errors import TrainingError
from ..language import Message
from ..runs.access import Access
from ..runs.changes import FIXED, record, trained_seconds
from ..runs.checks import configured, preset_of
from ..runs.run import Run
from ..system.files import exists

DIRECT = ("loss", "batch_size", "seed", "steps", "minutes", "learning_rate", "gamma", "accumulate")  # options, settings
CALLED = {  # what cannot change when a run goes on
    "data": "data", "preset": "preset", "base": "base", "start_from": "model to start from", "model": "sizes",
    "long_sounds": "way of cutting long sounds", "seed": "seed", "optimizer": "optimizer",
}  # fmt: skip
STOPPED_EARLY = Message("training.stopped_early")
STOP_SECONDS = 0.1  # between two checks for a stop request while the training is being prepared


def direct(options) -> dict:
    """The settings that have options of their own, where they were given."""
    return {name: getattr(options, name) for name in DIRECT if getattr(options, name, None) is not None}


def going_on(run: Run, settings: dict | None = None, more: Sequence[str] = ()) -> TrainingConfig:
    """The config with which ``run`` goes on: as before, except for the ``settings`` and "name=value"s given now.

    How long it trains is counted from its beginning; steps replace minutes, and minutes steps.

    Raises:
        TrainingError: a setting cannot change any more, or what is asked for is done already.
        CheckpointError: a value is outside its range.
    """
    before = from_dict(TrainingConfig, run.config.get("training", {}), Message("config.run_config"))
    given = list(settings or {}) + [setting.partition("=")[0] for setting in more]
    if not given:
        return before
    replaced = {"minutes": 0.0} if "steps" in given and "minutes" not in given else {}
    config = configured(before, {**(settings or {}), **replaced}, more)
    old, new = flat(to_dict(before)), flat(to_dict(config))
    changed = [name for name in new if new[name] != old.get(name)]
    if fixed := [name for name in FIXED if any(c.partition(".")[0] == name for c in changed)]:
        raise _fixed(fixed)
    step, elapsed, schedule = run.checkpoint_step(), trained_seconds(run), config.schedule
    if step is not None and (elapsed >= 60 * schedule.minutes if schedule.minutes else step >= schedule.steps):
        raise TrainingError(
            "training.nothing_left", run=run.folder.name, step=step, minutes=elapsed / 60, wanted=2 * step or 100
        )
    return config


def check_same(run: Run, options) -> None:
    """Raises TrainingError where options name other data or another start than the run has."""
    saved = run.config
    tuned = saved.get("finetune") or {}
    was = {
        "data": saved.get("data"), "preset": preset_of(saved.get("training", {})), "base": tuned.get("base"),
        "start_from": saved.get("start_from"), "long_sounds": "pieces" if tuned.get("pieces") else "loudest",
    }  # fmt: skip
    given = {name: getattr(options, name, None) for name in was}
    other = [name for name, value in given.items() if value is not None and not _same(value, was[name])]
    if other:
        raise _fixed(other)


def _fixed(names: list[str]) -> TrainingError:
    return TrainingError("training.fixed", names=" and the ".join(CALLED[name] for name in names))


def _same(given: str, saved) -> bool:
    """Whether two names mean the same: word for word, or as paths."""
    if given == saved:
        return True
    return isinstance(saved, str) and exists(given) and Path(given).resolve() == Path(saved).resolve()


def sizes_of(source: str):
    """The sizes of the model ``source``: a name, a folder or a Hub id."""
    from ..models.model_folder import ModelFolder

    return ModelFolder.read_config(source)[0]


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
    asked = {"training": to_dict(config), "data": data, "text_encoder": text_encoder, **(more or {})}
    if not resume:
        return Run.create(out, asked, _access(data))
    run = Run.resume(out)
    try:
        record(run, asked["training"])
    except BaseException:
        run.close()
        raise
    return run


def _access(data: str) -> Access | None:
    """Whose a run on ``data`` is unless that was said before: a run on a private project is as private."""
    from ..data.folder.layout import PROJECT

    if not exists(Path(data) / PROJECT):
        return None
    from ..projects.projects import Project

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
