"""The film strip: a few latent codes and prompts that stay the same, seen and heard at every visit.

In ``samples/strips`` of the run folder::

    strips.json                    what is in the columns: prompts, and how long a clip is
    real.png real-mel.png real.flac    real examples of the same concepts, written once
    0000120.png ...-mel.png ...flac    pictures side by side, spectrograms side by side, clips one after another

The picture is written last and removed first, so a visit that has one is whole.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
import torch
from PIL import Image
from torch import Tensor

from ..audio import fit_length, vocode
from ..config import AudioConfig
from ..data import Dataset, Prompt
from ..data.loader import SOURCE_RATE, Loader, resample
from ..evaluation.report import to_pil
from ..files import replace_file
from ..spectrogram import spectrogram_image
from .run_files import to_json
from .runs import Run

COLUMNS = 8  # latent codes on the strip
MAX_VISITS = 60  # kept on the disk, about 200 kB each
SCANNED = 20_000  # items of a bank looked through for examples of the strip's concepts


@dataclass(frozen=True)
class Column:
    """One latent code's prompt, and where the banks have a real example of its concept (None: they have none)."""

    prompt: str
    image: int | None
    sound: int | None


def choose_columns(dataset: Dataset, prompts: list[Prompt]) -> list[Column]:
    """Prompts of concepts spread over the dataset; where there are fewer than ``COLUMNS``, they come again."""
    first: dict[str, str] = {}
    for prompt in prompts:
        first.setdefault(prompt.concept, prompt.text)
    images = _places(min(SCANNED, dataset.num_images), dataset.image_concept, first)
    sounds = _places(min(SCANNED, dataset.num_sounds), dataset.sound_concept, first)
    concepts = [concept for concept in first if concept in images or concept in sounds] or list(first)
    if not concepts:
        return []
    count = min(COLUMNS, len(concepts))
    chosen = [concepts[k * len(concepts) // count] for k in range(count)]

    def column(k: int) -> Column:
        concept, turn = chosen[k % count], k // count
        image, sound = images.get(concept, [None]), sounds.get(concept, [None])
        return Column(first[concept], image[turn % len(image)], sound[turn % len(sound)])

    return [column(k) for k in range(COLUMNS)]


def _places(count: int, concept_of, wanted) -> dict[str, list[int]]:
    """Up to ``COLUMNS`` places of each wanted concept."""
    places: dict[str, list[int]] = {}
    for index in range(count):
        concept = concept_of(index)
        if concept in wanted and len(found := places.setdefault(concept, [])) < COLUMNS:
            found.append(index)
    return places


def write_real(run: Run, columns: list[Column], loader: Loader) -> None:
    """The columns' real examples, and what the columns are."""
    audio, size = loader.audio, loader.image_size
    blank = torch.zeros(loader.image_channels, size, size)
    images = [blank if c.image is None else loader.images([c.image])[0] for c in columns]
    silence = torch.full((audio.bands, audio.frames), loader.silence)
    mels = [silence if c.sound is None else loader.mels([c.sound])[0] for c in columns]
    sounds = [
        np.zeros(audio.num_samples, np.float32) if c.sound is None
        else fit_length(resample(loader.dataset.sound(c.sound), SOURCE_RATE, audio.sampling_rate), audio.num_samples)
        for c in columns
    ]  # fmt: skip
    run.strips.mkdir(parents=True, exist_ok=True)
    _write(run, "real", torch.stack(images), torch.stack(mels), np.stack(sounds), audio)
    described = {
        "prompts": [c.prompt for c in columns],
        "has_image": [c.image is not None for c in columns],
        "has_sound": [c.sound is not None for c in columns],
        "clip_seconds": audio.num_samples / audio.sampling_rate,
    }
    replace_file(run.strips / "strips.json", to_json(described), flush=False)


def write_visit(run: Run, step: int, images: Tensor, mels: Tensor, audio: AudioConfig) -> None:
    """What the columns' codes give at ``step``: images [n, C, S, S] in -1..1 and log-mels [n, bands, T]."""
    _write(run, f"{step:07d}", images, mels, vocode(mels, audio).numpy(), audio)
    thin(run)


def _write(run: Run, name: str, images: Tensor, mels: Tensor, sounds: np.ndarray, audio: AudioConfig) -> None:
    sound = io.BytesIO()  # FLAC: lossless, half of a WAV, and no padding, so that clip k starts at k clips' time
    soundfile.write(sound, sounds.reshape(-1).clip(-1, 1), audio.sampling_rate, format="FLAC", subtype="PCM_16")
    replace_file(run.strips / f"{name}.flac", sound.getvalue(), flush=False)
    replace_file(run.strips / f"{name}-mel.png", _side_by_side([spectrogram_image(m, 1) for m in mels]), flush=False)
    replace_file(run.strips / f"{name}.png", _side_by_side([to_pil(image) for image in images]), flush=False)


def _side_by_side(pictures: list[Image.Image]) -> bytes:
    width, height = pictures[0].size
    strip = Image.new(pictures[0].mode, (width * len(pictures), height))
    for k, picture in enumerate(pictures):
        strip.paste(picture, (k * width, 0))
    data = io.BytesIO()
    strip.save(data, "PNG")
    return data.getvalue()


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
