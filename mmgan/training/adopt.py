"""A model zip from elsewhere as a run, so that it is sampled from, fine-tuned, shared and deleted as any other."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from ..config import to_dict
from ..errors import TrainingError
from ..files import saving
from .runs import Run

IMPORTED = "Imported from a zip."


def adopt(source: str | Path, folder: str | Path) -> Run:
    """Makes the finished run ``folder`` of a model zip, once all of the zip has been found right.

    Raises:
        TrainingError: the folder is there already.
        CheckpointError: see :func:`~mmgan.sharing.import_model`.
    """
    from ..checkpoint import read_config
    from ..sharing import import_model

    target = Path(folder)
    work = target.with_name(f".{uuid.uuid4().hex[:8]}.adopted-{os.getpid()}")
    if target.exists():
        raise TrainingError(f"There is a run named {target.name} already; choose another name.")
    try:
        import_model(source, work / "checkpoint")
        model, info = read_config(work / "checkpoint")
        steps = info.get("steps")
        with saving(target), Run.create(work / "run", {"training": {"model": to_dict(model)}, "data": ""}) as run:
            (work / "checkpoint").rename(run.checkpoint)
            run.set_status("finished", step=steps if isinstance(steps, int) else 0, reason=IMPORTED, share=1.0)
        with saving(target):
            (work / "run").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Run(target)


def model_step(run: Run) -> int | None:
    """The step of the run's model, also of one that came from elsewhere, without what training it on would need."""
    step = run.checkpoint_step()
    if step is None and (run.checkpoint / "config.json").is_file():
        return run.status()["step"]
    return step
