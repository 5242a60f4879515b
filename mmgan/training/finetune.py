"""Fine-tuning: a model that has learned already goes on with a person's own files.

Generator, average and critics start from the base, the critics' early layers stay as they are, augmentation follows
overfitting, and a tenth of the files is never learned from, so that it can say when to stop and whether the model
copies. The rest is a run like any other: the same folder, the same ends, and ``--resume`` goes on with it.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator

from ..checkpoint import load_model, read_config, resolve, save_model
from ..config import TrainingConfig, from_dict, to_dict
from ..data import Dataset, load_dataset
from ..data.cleaning import REPAIRS
from ..data.encodings import CHOICES, checked_encoding
from ..data.projects import Project, is_project
from ..errors import CheckpointError, DataError
from ..evaluation.own import FEW_HELD_OUT
from ..files import present
from ..text import TextEncoder
from .base import Base, base_modules, fit, freeze_early, load_base, start_from
from .begin import direct, going_on, has_checkpoint, open_run, stoppable, with_settings
from .caption_rules import allowed_by
from .caption_rules import sentence as allowed_sentence
from .finetune_loop import FinetuneLoop
from .resuming import restore
from .runs import Run
from .train import refused
from .trainer import Trainer

MINUTES = 8.0
LOGGED = 1_000  # files that are left out, each in a line of the run's log
# Where a fine-tuning differs from a training: nothing else is changed without a measurement that says so.
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
        data: a project's folder, any folder or a zip in one of the layouts of :mod:`mmgan.data.layout`.
        base: a model's name, folder, run or Hub id; one that ships its critics learns sooner.
        settings: fields of :class:`~mmgan.config.TrainingConfig`, such as ``{"minutes": 5}`` (default 8 minutes).
        more: settings as "name=value", as the command line takes them.
        pieces: cut sounds longer than a clip into several, instead of to their loudest part. A project says it in its
            table, and is refused.
        encoding: of captions in files that do not say it (:mod:`mmgan.data.encodings`); None guesses.

    Raises:
        MmganError: the data, the base or a setting cannot be used. Whatever happens later is in the run's status.
    """
    model, _ = read_config(resolve(base))
    values = {**DEFAULTS, **(settings or {})}
    if not values.get("steps"):
        values.setdefault("minutes", MINUTES)
    config = from_dict(TrainingConfig, with_settings(values | {"model": to_dict(model)}, more or []), "the options")
    data = str(Path(data).resolve()) if Path(data).exists() else str(data)
    if pieces and is_project(data):
        raise DataError(
            f"{Project(data).name} is a project, and its table says how each long sound is cut; cut them there, or "
            "leave --long-sounds out."
        )
    encoding = checked_encoding(encoding) if encoding else None
    started = {"finetune": {"base": str(base), "pieces": pieces} | ({"encoding": encoding} if encoding else {})}
    with open_run(config, data, out, False, text_encoder, started) as run, stoppable(run) as ready:
        how = {"pieces": pieces, "encoding": encoding}
        return _into(run, Path(out), config, data, str(base), how, False, device, text_encoder, progress, ready)


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
    how = {"pieces": saved["finetune"].get("pieces") is True, "encoding": encoding if encoding in CHOICES else None}
    text_encoder, again = text_encoder or saved.get("text_encoder"), has_checkpoint(out)
    kept = {"finetune": saved["finetune"]}
    with open_run(config, data, out, again, text_encoder, kept) as run, stoppable(run) as ready:
        return _into(run, out, config, data, base, how, again, device, text_encoder, progress, ready)


def _into(run, out, config, data, base_name, how, again, device, text_encoder, progress, ready) -> int:
    """Loads everything, saying in the run's status what, and trains; ``how`` says it to :func:`load_own`, and ``again``
    goes on from the checkpoint."""

    def stage(what: str) -> None:
        if run is not None:
            run.set_status("starting", stage=what)

    try:
        accelerator = Accelerator(cpu=device == "cpu" or not torch.cuda.is_available())
        stage("data")
        dataset, held_out = load_own(data, how["pieces"], progress, how["encoding"])
        stage("model")
        base = _kept_base(out, base_name) if again else load_base(base_name, dataset)
        target = config.augment_target if held_out is not None and accelerator.num_processes == 1 else 0.0
        # Where files are held out, the loop follows overfitting by them; else the trainer does by the critics' scores.
        own = 0.0 if target else config.augment_target
        config = dataclasses.replace(config, model=base.config, augment_target=own)
        trainer = Trainer(config, dataset, TextEncoder.from_pretrained(text_encoder), accelerator)
        trainer.allowed = allowed_by((p.text for p in dataset.prompts()), dataset.image_channels == 3)
        left_out, mended = _left_out(data, dataset), _mended(data, dataset)
        notes = [*base.notes, *_data_notes(dataset, held_out, left_out, mended), allowed_sentence(trainer.allowed)]
        if again:
            elapsed = restore(trainer, out)
            if base.critics is not None:
                freeze_early(trainer.discriminators)
        else:
            elapsed = 0.0
            start_from(trainer, base)
            if run is not None:
                _keep_base(run, base)
                said = {"base": base.name, "data": dataset.name, "notes": [note for note in notes if note]}
                run.set_status("starting", finetune=said)
                for line in [*left_out[:LOGGED], *mended[:LOGGED], *filter(None, notes)]:
                    run.log(line)
                if progress:
                    print(*filter(None, notes), sep="\n", file=sys.stderr)
        loop = FinetuneLoop(trainer, run, elapsed, progress, base, held_out, target)
    except Exception as error:
        if run is not None:
            refused(run, error, config.batch_size)
        raise
    ready.set()
    return loop.run()


def load_own(
    data: str, pieces: bool = False, progress: bool = False, encoding: str | None = None
) -> tuple[Dataset, Dataset | None]:
    """The files to learn from, and the tenth that is not; None where there are too few to spare any.

    Args:
        pieces: cut long sounds into several instead of to their loudest part.
        progress: whether reading them shows a bar.
        encoding: of captions in files that do not say it.

    Raises:
        DataError: there is nothing there that can be used.
    """
    if is_project(data):
        project = Project(data)  # writes its metadata anew where a kill came between
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
    return [f"{problem.file} {problem.sentence}" for problem in problems if problem.sentence not in REPAIRS.values()]


def _mended(data: str, dataset: Dataset) -> list[str]:
    """Sounds with bad samples that were mended, each with what was wrong."""
    if is_project(data):
        return [
            f"{item.name} {REPAIRS[item.repaired]}" for item in Project(data).items() if item.used and item.repaired
        ]
    problems = getattr(dataset, "problems", [])
    return [f"{problem.file} {problem.sentence}" for problem in problems if problem.sentence in REPAIRS.values()]


def _data_notes(dataset: Dataset, held_out: Dataset | None, left_out: list[str], mended: list[str]) -> list[str]:
    notes = list(getattr(dataset, "notes", []))
    if held_out is None:
        notes.append("There are too few files to hold any out, so nothing can say when to stop; add some to reach 20.")
    elif max(held_out.num_images, held_out.num_sounds) < FEW_HELD_OUT:
        held = max(held_out.num_images, held_out.num_sounds)
        files = "file is" if held == 1 else "files are"
        notes.append(f"Only {held} {files} held out, so what is said of copying and of when to stop is rough.")
    if len(dataset.concepts) == 1:
        notes.append("All your files have one caption, so the model will make the same kind of thing for any prompt.")
    if left_out:
        notes.append(f"Left out: {len(left_out):,} (files or lines); the run's log says which and why.")
    if mended:
        notes.append(f"Mended: {len(mended):,} (sounds with bad samples); the run's log says which and how.")
    return notes


def _keep_base(run: Run, base: Base) -> None:
    """A copy of the base, fitted to the data, in the run: for before and after, and for resuming without the base."""
    generator, critics = base_modules(base)
    save_model(run.folder / "base", generator, critics, {"name": base.name}, half=True)


def _kept_base(out: Path, name: str) -> Base:
    folder = out / "base"
    if not present(folder).is_dir():
        raise CheckpointError(f"{out} lacks the copy of its base, so it cannot be resumed; start a new run.")
    model = load_model(folder, with_discriminators=True)
    kept = fit(model, model.config.image_channels)
    kept.name, kept.notes = name, []
    return kept
