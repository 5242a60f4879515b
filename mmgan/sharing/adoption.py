"""Makes a run of a model zip, so that it is sampled from, fine-tuned, shared and deleted like any other."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from ..config import to_dict
from ..errors import TrainingError
from ..language import Message
from ..runs.run import Run
from ..system.files import saving
from .zips import import_model

IMPORTED = Message("runs.imported")


def adopt(source: str | Path, folder: str | Path) -> Run:
    """Turns a model zip into the finished run ``folder``, after all of the zip has been checked.

    Raises:
        TrainingError: the folder is there already.
        CheckpointError: see :func:`~mmgan.sharing.zips.import_model`.
    """
    from ..models.model_folder import ModelFolder

    target = Path(folder)
    work = target.with_name(f".{uuid.uuid4().hex[:8]}.adopted-{os.getpid()}")
    if target.exists():
        raise TrainingError("runs.name_taken", name=target.name)
    try:
        import_model(source, work / "checkpoint")
        model, info = ModelFolder.read_config(work / "checkpoint")
        steps = info.get("steps")
        with saving(target), Run.create(work / "run", {"training": {"model": to_dict(model)}, "data": ""}) as run:
            (work / "checkpoint").rename(run.checkpoint)
            run.set_status("finished", step=steps if isinstance(steps, int) else 0, reason=IMPORTED, share=1.0)
        with saving(target):
            (work / "run").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Run(target)
