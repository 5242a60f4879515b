"""The film strip: a few latent codes and prompts that stay the same, seen and heard at every visit.

In ``samples/strips`` of the run folder::

    strips.json                    what is in the columns: prompts, and how long a clip is
    real.png real-mel.png real.flac    real examples of the same concepts, written once
    0000120.png ...-mel.png ...flac    pictures side by side, spectrograms side by side, clips one after another

The picture is written last and removed first, so a visit that has one is whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..config import AudioConfig, ModelConfig
from ..data import Dataset, Prompt
from ..data.loader import Loader
from ..models.modalities import MODALITIES, Modality
from ..runs.files import to_json
from ..runs.run import Run
from ..system.files import replace_file

COLUMNS = 8  # latent codes on the strip
MAX_VISITS = 60  # kept on the disk, about 200 kB each
SCANNED = 20_000  # items of a bank searched for examples of the strip's concepts


@dataclass(frozen=True)
class Column:
    """One latent code's prompt, and where the bank of each modality has a real example of its concept, if it has."""

    prompt: str
    places: dict[str, int]


def choose_columns(dataset: Dataset, prompts: list[Prompt]) -> list[Column]:
    """Prompts of concepts spread over the dataset; where there are fewer than ``COLUMNS``, they come again."""
    first: dict[str, str] = {}
    for prompt in prompts:
        first.setdefault(prompt.concept, prompt.text)
    found = {name: _places(dataset, modality, first) for name, modality in MODALITIES.items()}
    concepts = [concept for concept in first if any(concept in places for places in found.values())] or list(first)
    if not concepts:
        return []
    count = min(COLUMNS, len(concepts))
    chosen = [concepts[k * len(concepts) // count] for k in range(count)]

    def column(k: int) -> Column:
        concept, turn = chosen[k % count], k // count
        some = {name: places[concept] for name, places in found.items() if concept in places}
        return Column(first[concept], {name: places[turn % len(places)] for name, places in some.items()})

    return [column(k) for k in range(COLUMNS)]


def _places(dataset: Dataset, modality: Modality, wanted) -> dict[str, list[int]]:
    """Up to ``COLUMNS`` places of each wanted concept in the modality's bank."""
    places: dict[str, list[int]] = {}
    for index in range(min(SCANNED, modality.count(dataset))):
        concept = modality.concept(dataset, index)
        if concept in wanted and len(found := places.setdefault(concept, [])) < COLUMNS:
            found.append(index)
    return places


def write_real(run: Run, columns: list[Column], loader: Loader) -> None:
    """The columns' real examples, and what the columns are."""
    run.strips.mkdir(parents=True, exist_ok=True)
    has = {}
    for name, section in loader.model.modalities.items():
        places = [column.places.get(name) for column in columns]
        has[name] = [place is not None for place in places]
        rows = [loader.blank(name, 1) if place is None else loader.rows(name, [place]) for place in places]
        _write(run, "real", MODALITIES[name].strip(torch.cat(rows), section, loader.dataset, places))
    audio = loader.model.audio if "audio" in loader.model.modalities else AudioConfig()
    described = {
        "prompts": [column.prompt for column in columns],
        "has_image": has.get("image", [False] * len(columns)),
        "has_sound": has.get("audio", [False] * len(columns)),
        "clip_seconds": audio.num_samples / audio.sampling_rate,
    }
    replace_file(run.strips / "strips.json", to_json(described), flush=False)


def write_visit(run: Run, step: int, rows: dict[str, Tensor], model: ModelConfig) -> None:
    """What the columns' codes give at ``step``: rows by modality."""
    for name in reversed(rows):  # the picture last
        _write(run, f"{step:07d}", MODALITIES[name].strip(rows[name], model.modalities[name]))
    thin(run)


def _write(run: Run, name: str, files: dict[str, bytes]) -> None:
    for ending, data in files.items():
        replace_file(run.strips / f"{name}{ending}", data, flush=False)


def thin(run: Run, limit: int = MAX_VISITS) -> None:
    """Removes visits, and their sheets, until ``limit`` are left: those whose neighbours are relatively closest.

    The first and the last stay, and early visits, between which most changes, stay closer together than late ones.
    """
    visits = run.visits()
    while len(visits) > max(2, limit):
        gaps = [(visits[i + 1] - visits[i - 1]) / (visits[i + 1] + 1) for i in range(1, len(visits) - 1)]
        step = visits.pop(1 + int(np.argmin(gaps)))
        for path in (
            run.strips / f"{step:07d}.png", run.strips / f"{step:07d}-mel.png", run.strips / f"{step:07d}.flac",
            run.sample_path(step),
        ):  # fmt: skip
            path.unlink(missing_ok=True)


def cut(run: Run, step: int) -> None:
    """Removes visits beyond ``step``, a past that a resumed training replaces."""
    for visit in run.visits():
        if visit > step:
            for path in run.strips.glob(f"{visit:07d}*"):
                path.unlink(missing_ok=True)
