"""What one sample of a model costs, estimated from its config alone, before anything is built.

Sizes that are each within their range can together ask for minutes of work and gigabytes of memory. So a server that
samples from strangers' models checks the whole against the limits here; what ships and all presets lie far below them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..config import EMBEDDING_DIM, AudioConfig, MapConfig, ModelConfig
from ..errors import CheckpointError
from ..language import Message
from .model_folder import ModelFolder

MAX_MULTIPLY_ADDS = 5e9  # of one sample, four times the large preset's; about a third of a second of one core
MAX_SECONDS = 10.5  # of sound
MAX_NUMBERS = 5_600_000  # held at a time for one sample, 4 bytes each; four are made together
MAX_PARAMETERS = 32_000_000  # of the generator, twice the large preset's
ITERATIONS = 8  # of the vocoder, whatever a config asks for (mmgan.audio.griffin_lim.ENOUGH)
_MEL_PRODUCTS = 9  # products of frames x bins x bands: inverse, numerator and updates of mel_to_magnitude
_TRANSFORM = 8  # times n log2 n for a transform of n numbers, with the passes around it


@dataclass(frozen=True)
class Cost:
    """Of one sample."""

    multiply_adds: float
    seconds: float  # of sound
    numbers: float  # held at a time
    parameters: float  # of the generator


def sample_cost(config: ModelConfig) -> Cost:
    """Estimates what a sample of a model with ``config`` costs, to within a factor of about two."""
    style, parts = config.style_dim, config.modalities
    mapping = style * (EMBEDDING_DIM + style)
    mapping += sum(style * (3 * style + config.latent_shared + section.latent) for section in parts.values())
    memory = config.memory
    if memory.things:
        mapping += memory.things * (memory.names * memory.key + memory.code)
        mapping += memory.heads * (EMBEDDING_DIM * memory.key + style * memory.code)
    networks = [_synthesis(config, section) for section in parts.values() if isinstance(section, MapConfig)]
    audio = config.audio if "audio" in parts else None
    sound = _vocoder(audio) if audio else (0.0, 0.0)
    return Cost(
        mapping + sum(work for work, _, _ in networks) + sound[0],
        audio.num_samples / audio.sampling_rate if audio else 0.0,
        max([sound[1], *(most for _, most, _ in networks)]),
        mapping + sum(parameters for _, _, parameters in networks),
    )


def check_cost(config: ModelConfig, what: str | Message) -> None:
    """Raises CheckpointError where a sample of ``what``, a model of ``config``, costs more than others can wait for."""
    cost = sample_cost(config)
    if cost.seconds > MAX_SECONDS:
        raise CheckpointError("models.long_sound", model=what, seconds=cost.seconds, limit=MAX_SECONDS)
    if cost.multiply_adds > MAX_MULTIPLY_ADDS or cost.numbers > MAX_NUMBERS or cost.parameters > MAX_PARAMETERS:
        raise CheckpointError("models.costly", model=what)


def check_model(source: str | Path) -> None:
    """The same for a model by name, folder or run. Raises CheckpointError also where it is none."""
    check_cost(ModelFolder.read_config(source)[0], Path(source).name)


def _synthesis(config: ModelConfig, section: MapConfig) -> tuple[float, float, float]:
    """Multiply-adds, most numbers at a time and parameters of a MapSynthesis (mmgan.models.maps)."""
    (channels, height, width), widths, patch = section.shape, section.widths, section.patch
    area = height * width / patch**2  # positions of the largest map
    places = [area / 4 ** (len(widths) - 1 - index) for index in range(len(widths))]
    parameters = config.style_dim * widths[0] * places[0]
    work, most = parameters, 0.0
    for before, here, positions in zip((widths[0], *widths), widths, places, strict=False):
        convolutions = config.convolutions * (9 * here * here + 4 * here * config.style_dim)
        channels_change = before * here if before != here else 0
        parameters += channels_change + convolutions
        # Channels change at the smaller size. Each 3 x 3 convolution comes with a few passes over the map.
        work += channels_change * positions / 4 + convolutions
        work += config.convolutions * positions * here * (9 * here + 19)
        most = max(most, 4 * positions * here)
    out = 9 * widths[-1] * channels * patch**2
    return work + out * area, most, parameters + out


def _vocoder(audio: AudioConfig) -> tuple[float, float]:
    """Multiply-adds and most numbers at a time of mmgan.audio.griffin_lim.vocode."""
    bins, frames, pieces = audio.window // 2 + 1, audio.frames, max(1.0, audio.window / audio.hop)
    mel = _MEL_PRODUCTS * frames * bins * audio.bands
    rounds = min(ITERATIONS, audio.griffin_lim_iterations) + 2  # the first phases cost about as much as two more
    transforms = 2 * rounds * frames * audio.window * _TRANSFORM * math.log2(audio.window)
    return mel + transforms, frames * (12 * bins + audio.window * (2 + 1 / pieces))
