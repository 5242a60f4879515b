"""Fine-tuning: a model that has learned already goes on with a person's own files.

Generator, average and critics start from the base, the critics' early layers are frozen, and augmentation follows
overfitting. A tenth of the files is never learned from; it shows when to stop and whether the model copies. Otherwise
it is a run like any other: the same folder, the same endings, and ``--resume`` goes on with it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from ...config import TrainingConfig
from ...data import Dataset, load_dataset
from ...data.folder.encodings import CHOICES, checked_encoding
from ...data.loader import Loader
from ...data.media.cleaning import REPAIRS
from ...errors import CheckpointError, DataError
from ...evaluation.memorisation import FEW_HELD_OUT
from ...language import Message
from ...models.checkpoint import Model
from ...models.model_folder import ModelFolder
from ...projects.projects import Project, is_project
from ...runs.checks import configured
from ...runs.run import Run
from ...system.files import present
from ..begin import direct, going_on, has_checkpoint, open_run, stoppable
from ..callbacks import Checkpoints, FilmStrip, Metrics
from ..resuming import restore
from ..session import Callback
from ..train import LOGGED, Beginning, begin
from ..trainer import Trainer
from ..warm_start import Base, base_modules, fit, freeze_early, load_base, start_from, with_image_critic
from .caption_rules import allowed_by
from .caption_rules import notes as caption_notes
from .held_out import AugmentByHeldOut, HeldOut

MINUTES = 8.0
HELD_OUT_BATCH = 16  # rows of each look at overfitting
# Where a fine-tuning differs from a training; change nothing more without measuring it.
DEFAULTS = {
    "augment_image": 0.3, "augment_audio": 0.3, "augment_target": 0.5, "twin_spread_weight": 0.5,
    "checkpoint_seconds": 30.0,
}  # fmt: skip


def main(options) -> int:
    """``mmgan finetune``: options as :mod:`mmgan.cli` defines them. Returns the exit status."""
    if options.nice and hasattr(os, "nice"):
        os.nice(options.nice)
    return finetune(
        options.data, options.out, options.base or "shapes", direct(options), options.set, options.device,
        options.text_encoder, pieces=options.long_sounds == "pieces", encoding=options.encoding,
    )  # fmt: skip


def finetune(
    data: str | Path,
    out: str | Path,
    base: str = "shapes",
    settings: dict | None = None,
    more: list[str] | None = None,
    device: str = "auto",
    text_encoder: str | None = None,
    progress: bool = True,
    pieces: bool = False,
    encoding: str | None = None,
) -> int:
    """Fine-tunes ``base`` on a person's own files into the run folder ``out``; returns 0 when finished or stopped.

    Args:
        data: a project's folder, any folder or a zip in one of the layouts of :mod:`mmgan.data.folder.layout`.
        base: a model's name, folder, run or Hub id; one that ships its critics learns sooner.
        settings: fields of :class:`~mmgan.config.TrainingConfig`, such as ``{"minutes": 5}`` (default 8 minutes).
        more: settings as "name=value", as the command line takes them.
        pieces: cut sounds longer than a clip into several, instead of to their loudest part. Refused for a project,
            whose table says it for each sound.
        encoding: of captions in files that do not say it (:mod:`mmgan.data.folder.encodings`); None guesses.

    Raises:
        MmganError: the data, the base or a setting cannot be used. Whatever happens later is in the run's status.
    """
    model, _ = ModelFolder.read_config(base)
    values = {**DEFAULTS, **(settings or {})}
    if not values.get("steps"):
        values.setdefault("minutes", MINUTES)
    config = configured(TrainingConfig(model=model), values, more or [])
    data = str(Path(data).resolve()) if Path(data).exists() else str(data)
    if pieces and is_project(data):
        raise DataError("finetune.project_cuts", name=Project(data).name)
    encoding = checked_encoding(encoding) if encoding else None
    started = {"finetune": {"base": str(base), "pieces": pieces} | ({"encoding": encoding} if encoding else {})}
    with open_run(config, data, out, False, text_encoder, started) as run, stoppable(run) as ready:
        how = FineTuning(data, str(base), pieces, encoding)
        return begin(how, run, Path(out), config, False, device, text_encoder, progress, ready)


def resume(
    out: str | Path,
    device: str = "auto",
    text_encoder: str | None = None,
    progress: bool = True,
    settings: dict | None = None,
    more: Sequence[str] = (),
) -> int:
    """Goes on with a fine-tuning from its checkpoint, or begins it anew where it was killed before the first one.

    Args:
        settings, more: what to do otherwise than so far, as :func:`finetune` takes them; minutes and steps count from
            the run's beginning.

    Raises:
        MmganError: there is no such run, its data are gone, or a setting cannot change any more.
    """
    out, saved = Path(out), Run.open(out).config
    config = going_on(Run.open(out), settings, more)
    data, base = saved.get("data", ""), saved["finetune"].get("base", "")
    encoding = saved["finetune"].get("encoding")
    how = FineTuning(data, base, saved["finetune"].get("pieces") is True, encoding if encoding in CHOICES else None)
    text_encoder, again = text_encoder or saved.get("text_encoder"), has_checkpoint(out)
    kept = {"finetune": saved["finetune"]}
    with open_run(config, data, out, again, text_encoder, kept) as run, stoppable(run) as ready:
        return begin(how, run, out, config, again, device, text_encoder, progress, ready)


class FineTuning(Beginning):
    """A base model, and a person's own files, of which some are never learned from.

    Args:
        base: a model's name, folder, run or Hub id.
        pieces: cut sounds longer than a clip into several, instead of to their loudest part.
    """

    def __init__(self, data: str, base: str, pieces: bool = False, encoding: str | None = None):
        super().__init__(data, encoding)
        self.base_name, self.pieces = base, pieces

    def load(self, progress: bool) -> Dataset:
        dataset, self.held_out = load_own(self.data, self.pieces, progress, self.encoding)
        return dataset

    def fit(self, config: TrainingConfig, dataset: Dataset, out: Path, resume: bool, processes: int) -> TrainingConfig:
        self.base = _kept_base(out, self.base_name) if resume else load_base(self.base_name, dataset)
        if "image" in config.model.modalities:
            torch.manual_seed(config.schedule.seed)
            self.base = with_image_critic(self.base, config.model.image.critic)
        self.allowed = allowed_by((p.text for p in dataset.prompts()), dataset.image_channels == 3)
        # With files held out, augmentation follows the overfitting that they show; else the trainer's own rule holds.
        self.target = config.augmentation.augment_target if self.held_out is not None and processes == 1 else 0.0
        if self.target:
            config = configured(config, {"augment_target": 0.0})
        return dataclasses.replace(config, model=self.base.config)

    def notes(self, dataset: Dataset) -> tuple[list[Message], list[str]]:
        left_out, mended = _left_out(self.data, dataset), _mended(self.data, dataset)
        of_data = _data_notes(dataset, self.held_out, left_out, mended)
        self.said = [*self.base.notes, *of_data, *caption_notes(self.allowed)]
        return self.said, [*left_out[:LOGGED], *mended[:LOGGED]]

    def weights(self, trainer: Trainer, run: Run | None, out: Path, resume: bool) -> float:
        trainer.allowed = self.allowed
        if resume:
            elapsed = restore(trainer, out)
            if self.base.critics is not None:
                freeze_early(trainer.discriminators)
            return elapsed
        start_from(trainer, self.base)
        if run is not None:
            _keep_base(run, self.base)
            said = {"base": self.base.name, "data": trainer.dataset.name, "notes": self.said}
            run.set_status("starting", finetune=said)
        return 0.0

    def callbacks(self, trainer: Trainer, run: Run, elapsed: float, progress: bool) -> list[Callback]:
        held, adapt = None, None
        if self.held_out is not None:
            held = Loader(self.held_out, trainer.config.model, HELD_OUT_BATCH, trainer.config.schedule.seed)
            adapt = AugmentByHeldOut(trainer, held, self.target) if self.target else None
        looks = [Metrics(trainer, elapsed, progress), FilmStrip(trainer), Checkpoints()]
        return [*([adapt] if adapt else []), *looks, HeldOut(trainer, run, self.base, held, adapt)]


def load_own(
    data: str, pieces: bool = False, progress: bool = False, encoding: str | None = None
) -> tuple[Dataset, Dataset | None]:
    """The files to learn from, and the held-out tenth, which is None if there are too few files.

    Args:
        pieces: cut long sounds into several instead of to their loudest part.
        progress: whether reading them shows a bar.
        encoding: of captions in files that do not say it.

    Raises:
        DataError: there is nothing there that can be used.
    """
    if is_project(data):
        project = Project(data)  # writes its metadata again where a kill came before that was done
    dataset = load_dataset(data, pieces=pieces, progress=progress, encoding=encoding)
    try:
        held_out = load_dataset(data, "test", pieces, encoding=encoding)
    except DataError:
        held_out = None
    if is_project(data):
        dataset.name = project.name
    return dataset, held_out


def _left_out(data: str, dataset: Dataset) -> list[str]:
    """What is not learned from, each with its reason."""
    if is_project(data):
        project = Project(data)
        items = [f"{item.name} {item.problem}" for item in project.items() if not item.used]
        return items + [f"{problem.file} {problem.sentence}" for problem in project.left_out()]
    problems = getattr(dataset, "problems", [])
    return [f"{problem.file} {problem.sentence}" for problem in problems if problem.message not in REPAIRS.values()]


def _mended(data: str, dataset: Dataset) -> list[str]:
    """Sounds with bad samples that were mended, each with what was wrong."""
    if is_project(data):
        return [
            f"{item.name} {REPAIRS[item.repaired]}" for item in Project(data).items() if item.used and item.repaired
        ]
    problems = getattr(dataset, "problems", [])
    return [f"{problem.file} {problem.sentence}" for problem in problems if problem.message in REPAIRS.values()]


def _data_notes(dataset: Dataset, held_out: Dataset | None, left_out: list[str], mended: list[str]) -> list[Message]:
    notes = list(getattr(dataset, "notes", []))
    if held_out is None:
        notes.append(Message("finetune.none_held_out"))
    elif max(held_out.num_images, held_out.num_sounds) < FEW_HELD_OUT:
        notes.append(Message("finetune.few_held_out", count=max(held_out.num_images, held_out.num_sounds)))
    if len(dataset.concepts) == 1:
        notes.append(Message("finetune.one_caption"))
    if left_out:
        notes.append(Message("finetune.left_out", count=len(left_out)))
    if mended:
        notes.append(Message("finetune.mended", count=len(mended)))
    return notes


def _keep_base(run: Run, base: Base) -> None:
    """Saves a copy of the base, fitted to the data, in the run: to compare with, and to resume without the base."""
    generator, critics = base_modules(base)
    Model(generator, critics, {"name": base.name}).save_pretrained(run.folder / "base", half=True)


def _kept_base(out: Path, name: str) -> Base:
    folder = out / "base"
    if not present(folder).is_dir():
        raise CheckpointError("finetune.no_base", path=out)
    model = Model.from_pretrained(folder, with_discriminators=True)
    kept = fit(model, None)
    kept.name, kept.notes = name, []
    return kept
