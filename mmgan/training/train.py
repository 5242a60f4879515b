"""A training from start to end: data -> Trainer -> Session -> run folder.

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

from ..config import TrainingConfig
from ..data import Dataset, load_dataset
from ..errors import MmganError
from ..language import Message
from ..runs.run import Run
from ..text.encoder import TextEncoder
from .begin import has_checkpoint, open_run, stoppable
from .callbacks import callbacks
from .resuming import restore, warm_start
from .session import Callback, Session, is_out_of_memory, out_of_memory
from .trainer import Trainer

LOGGED = 1_000  # files that are left out or were mended, each in a line of the run's log

__all__ = ["Beginning", "begin", "train"]


class Beginning:
    """What a training begins with: data, sizes, weights, and what is done beside the steps.

    Args:
        data: a dataset's name, a folder or a zip.
        encoding: of captions in files that do not say it (:mod:`mmgan.data.folder.encodings`); None guesses.
        start_from: a model whose weights to go on from, of the sizes in the config; None is from nothing.
    """

    def __init__(self, data: str, encoding: str | None = None, start_from: str | None = None):
        self.data, self.encoding, self.start_from = data, encoding, start_from

    def load(self, progress: bool) -> Dataset:
        """The data to learn from."""
        return load_dataset(self.data, encoding=self.encoding) if self.encoding else load_dataset(self.data)

    def notes(self, dataset: Dataset) -> tuple[list[Message], list[str]]:
        """What the person and the run's log are told, and lines for the log alone."""
        problems = getattr(dataset, "problems", [])[:LOGGED]
        return list(getattr(dataset, "notes", [])), [f"{problem.file} {problem.sentence}" for problem in problems]

    def fit(self, config: TrainingConfig, dataset: Dataset, out: Path, resume: bool, processes: int) -> TrainingConfig:
        """The config for the data, of which ``dataset`` is the part that is learned from."""
        return dataclasses.replace(config, model=config.model.with_channels(dataset.image_channels))

    def weights(self, trainer: Trainer, run: Run | None, out: Path, resume: bool) -> float:
        """Puts initial weights, if there are any, into the trainer; returns the seconds trained before."""
        if resume:
            return restore(trainer, out)
        if self.start_from:
            warm_start(trainer, self.start_from)
        return 0.0

    def callbacks(self, trainer: Trainer, run: Run, elapsed: float, progress: bool) -> list[Callback]:
        """What is done beside the steps, on the process that writes the run."""
        return callbacks(trainer, elapsed, progress)


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
        encoding: of captions in files that do not say it (:mod:`mmgan.data.folder.encodings`); None guesses.

    Raises:
        MmganError: the run cannot start. Whatever happens later is in the run's status.
    """
    resume = resume and has_checkpoint(out)
    more = {"start_from": start_from} | ({"encoding": encoding} if encoding else {})
    with open_run(config, data, out, resume, text_encoder, more) as run, stoppable(run) as ready:
        how = Beginning(data, encoding, start_from)
        return begin(how, run, Path(out), config, resume, device, text_encoder, progress, ready)


def begin(
    how: Beginning,
    run: Run | None,
    out: Path,
    config: TrainingConfig,
    resume: bool = False,
    device: str = "auto",
    text_encoder: str | None = None,
    progress: bool = True,
    ready: threading.Event | None = None,
) -> int:
    """Trains into ``run``, open for writing in ``out``, or None on all processes but the first.

    The run's status says what is being prepared; ``ready`` is set when the steps begin.
    """
    try:
        accelerator = Accelerator(cpu=device == "cpu" or not torch.cuda.is_available())
        _stage(run, "data")
        dataset = how.load(progress)
        _stage(run, "model")
        config = how.fit(config, dataset, out, resume, accelerator.num_processes)
        if run is not None and not resume:
            notes, lines = how.notes(dataset)
            for line in [*notes, *lines]:
                run.log(str(line))
            if progress and notes:
                print(*notes, sep="\n", file=sys.stderr)
        trainer = Trainer(config, dataset, TextEncoder.from_pretrained(text_encoder), accelerator)
        elapsed = how.weights(trainer, run, out, resume)
        beside = how.callbacks(trainer, run, elapsed, progress) if run is not None else []
        session = Session(trainer, run, elapsed, beside)
    except Exception as error:
        if run is not None:
            refused(run, error, config.optimization.batch_size)
        raise
    if ready is not None:
        ready.set()
    return session.run()


def _stage(run: Run | None, stage: str) -> None:
    if run is not None:
        run.set_status("starting", stage=stage)


def refused(run: Run, error: Exception, batch_size: int) -> None:
    """Says in the run why it could not start."""
    if is_out_of_memory(error):
        state, reason, more = out_of_memory(batch_size)
        run.set_status(state, reason=reason, **more)
    elif isinstance(error, MmganError):
        run.set_status("failed", reason=error.message)
    else:
        run.log(traceback.format_exc())
        run.set_status("failed", reason=Message("training.cannot_start", error=error))
    run.log(f"{run.status()['state']}: {run.status()['reason']}")
