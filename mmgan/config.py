"""Every size, rate and weight of mmgan, in one place.

Each dataclass can be written to JSON (:func:`to_dict`) and read back with every field checked (:func:`from_dict`), so
that a ``config.json`` from somebody else can never do more than choose numbers within the limits stated here.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field

from .errors import CheckpointError

LIMIT = "limit"  # metadata key: (smallest, largest) value accepted from a file, for numbers and for items of a tuple
CHOICES = "choices"  # metadata key: the accepted strings


def _number(default, low, high):
    return field(default=default, metadata={LIMIT: (low, high)})


def _choice(default, *choices):
    return field(default=default, metadata={CHOICES: choices})


@dataclass(frozen=True)
class AudioConfig:
    """How sound is stored and turned into the pictures of it that the networks see."""

    sampling_rate: int = _number(16_000, 8_000, 48_000)  # Hz, mono
    num_samples: int = _number(16_384, 4_096, 16_384 * 64)  # 1.024 s; longer clips are this value and nothing else
    window: int = _number(1_024, 256, 4_096)  # samples, Hann
    hop: int = _number(256, 64, 1_024)  # samples, so one second is 62.5 frames
    bands: int = _number(64, 32, 128)  # mel bands (HTK scale)
    f_min: float = _number(30.0, 0.0, 500.0)  # Hz
    f_max: float = _number(8_000.0, 1_000.0, 24_000.0)  # Hz
    floor_db: float = _number(-70.0, -120.0, -40.0)  # dB below a full-scale sine; quieter is silence
    griffin_lim_iterations: int = _number(32, 1, 256)

    @property
    def frames(self) -> int:
        """Frames T of a log-mel [bands, T] of ``num_samples`` samples."""
        return self.num_samples // self.hop


def to_dict(config) -> dict:
    """A dataclass as plain JSON values."""
    return dataclasses.asdict(config)


def from_dict(cls, values: dict, where: str = "config.json"):
    """Builds ``cls`` from untrusted JSON values; absent fields keep their defaults.

    Raises:
        CheckpointError: an unknown field, a wrong type, or a value outside the limits; the sentence names the field.
    """
    if not isinstance(values, dict):
        raise CheckpointError(f"{where} should hold an object of settings; take the file from a fresh copy of the model.")
    known = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError(
            f"{where} has the setting {unknown[0]!r}, which this mmgan does not know; update mmgan or take a model made for it."
        )
    hints = typing.get_type_hints(cls)
    return cls(**{name: _checked(known[name], hints[name], value, f"{name} in {where}") for name, value in values.items()})


def _checked(field_, hint, value, where):
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 16:
            raise CheckpointError(f"{where} should be a short list of numbers; take the file from a fresh copy of the model.")
        return tuple(_scalar(field_, typing.get_args(hint)[0], item, where) for item in value)
    return _scalar(field_, hint, value, where)


def _scalar(field_, kind, value, where):
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise CheckpointError(f"{where} should be of type {kind.__name__}; take the file from a fresh copy of the model.")
    low, high = field_.metadata.get(LIMIT, (None, None))
    if low is not None and not low <= value <= high:
        raise CheckpointError(f"{where} is {value}, outside {low} to {high}; take the file from a fresh copy of the model.")
    choices = field_.metadata.get(CHOICES)
    if choices and value not in choices:
        raise CheckpointError(f"{where} is {value!r}; it should be one of {', '.join(choices)}.")
    return value
