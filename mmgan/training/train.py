"""A training from start to honest end: data -> Trainer -> run folder.

Under ``accelerate launch`` every process runs this; the first one writes, and tells the others when to stop.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
import traceback
from pathlib import Path

import torch
from accelerate import Accelerator

from ..config import ModelConfig, TrainingConfig
from ..data import load_dataset
from ..errors import MmganError
from ..text import TextEncoder
from .begin import has_checkpoint, main, open_run, stoppable, with_settings
from .loop import Loop, is_out_of_memory, out_of_memory
from .resuming import restore, warm_start
from .runs import Run
from .trainer import Trainer

LOGGED = 1_000  # files that are left out or were mended, each in a line of the run's log

__all__ = ["main", "train", "train_into", "with_settings"]


def train(
    config: TrainingConfig,
    data: str,
    out: str | Path,
    resume: bool = False,
    device: str = "auto",
    text_encoder: str | None = None,
    progress: bool = True,
    start_from: str | None = None,
    encoding: str | None = None,
) -> int:
    """Trains a model into the run folder ``out``; returns 0 when finished or stopped, 1 when it failed.

    Args:
        config: sizes, rates and weights; the dataset decides between grey and RGB.
        data: a dataset's name, a folder or a zip.
        resume: go on from the run's checkpoint, exactly where it was.
        text_encoder: see :meth:`mmgan.TextEncoder.from_pretrained`.
        start_from: a model whose weights to go on from, of the sizes in ``config``; None is from nothing.
        encoding: of captions in files that do not say it (:mod:`mmgan.data.encodings`); None guesses.

    Raises:
        MmganError: the run cannot start. Whatever happens later is in the run's status.
    """
    resume = resume and has_checkpoint(out)
    more = {"start_from": start_from} | ({"encoding": encoding} if encoding else {})
    with open_run(config, data, out, resume, text_encoder, more) as run, stoppable(run) as ready:
        return train_into(
            run, Path(out), config, data, resume, device, text_encoder, progress, ready, start_from, encoding
        )


def train_into(
    run: Run | None,
    out: Path,
    config: TrainingConfig,
    data: str,
    resume: bool = False,
    device: str = "auto",
    text_encoder: str | None = None,
    progress: bool = True,
    ready: threading.Event | None = None,
    start_from: str | None = None,
    encoding: str | None = None,
) -> int:
    """The same into ``run``, open for writing in ``out``, or None on all processes but the first.

    The run's status says what is being prepared; ``ready`` is set when the steps begin.
    """
    try:
        accelerator = Accelerator(cpu=device == "cpu" or not torch.cuda.is_available())
        _stage(run, "data")
        dataset = load_dataset(data, encoding=encoding) if encoding else load_dataset(data)
        if run is not None:
            for note in getattr(dataset, "notes", []):
                run.log(note)
                if progress:
                    print(note, file=sys.stderr)
            for problem in getattr(dataset, "problems", [])[:LOGGED]:
                run.log(f"{problem.file} {problem.sentence}")
        _stage(run, "model")
        config = dataclasses.replace(config, model=_fitted(config.model, dataset.image_channels))
        trainer = Trainer(config, dataset, TextEncoder.from_pretrained(text_encoder), accelerator)
        if start_from and not resume:
            warm_start(trainer, start_from)
        elapsed = restore(trainer, out) if resume else 0.0
        loop = Loop(trainer, run, elapsed, progress)
    except Exception as error:
        if run is not None:
            refused(run, error, config.batch_size)
        raise
    if ready is not None:
        ready.set()
    return loop.run()


def _stage(run: Run | None, stage: str) -> None:
    if run is not None:
        run.set_status("starting", stage=stage)


def refused(run: Run, error: Exception, batch_size: int) -> None:
    """Says in the run why it could not start."""
    if is_out_of_memory(error):
        state, reason, more = out_of_memory(batch_size)
        run.set_status(state, reason=reason, **more)
    elif isinstance(error, MmganError):
        run.set_status("failed", reason=str(error))
    else:
        run.log(traceback.format_exc())
        run.set_status("failed", reason=f"The training could not start ({error}); the log has the details.")
    run.log(f"{run.status()['state']}: {run.status()['reason']}")


def _fitted(model: ModelConfig, channels: int) -> ModelConfig:
    return dataclasses.replace(model, image_channels=channels)
