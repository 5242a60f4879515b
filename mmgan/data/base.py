"""What every dataset gives: a bank of pictures, a bank of sounds, and a rule that draws captioned rows from them.

Banks rather than ready-made pairs, because digits pair 60,000 pictures with 2,700 sounds anew at every draw, and
because a bank can be turned into tensors once (:class:`mmgan.data.loader.Loader`) however often its items are drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Example:
    """One captioned pair; a side may be missing. ``audio`` is mono float32 [n] in -1..1 at 16 kHz."""

    text: str
    image: Image.Image | None
    audio: np.ndarray | None


@dataclass(frozen=True)
class Row:
    """One draw: a caption, one that is wrong for it, and where its picture and sound are in the banks (None: missing).

    ``concept`` is what picture and sound must share ("7", "large red star on blue"); rows of equal concept are never
    used as each other's wrong partner.
    """

    text: str
    wrong_text: str
    image: int | None
    sound: int | None
    concept: str


@dataclass(frozen=True)
class Prompt:
    """A prompt of the evaluation and the concept that its picture and sound should show."""

    text: str
    concept: str


class Dataset(ABC):
    """A named set of captioned pictures and sounds. Training draws from ``split`` "train" and never from "test"."""

    name: str
    split: str = "train"
    image_channels: int = 3  # 1 grey, 3 RGB

    @property
    @abstractmethod
    def num_images(self) -> int: ...

    @property
    @abstractmethod
    def num_sounds(self) -> int: ...

    @abstractmethod
    def image(self, index: int) -> Image.Image:
        """Picture ``index`` of the bank, mode L or RGB, any size; the loader scales it."""

    @abstractmethod
    def sound(self, index: int) -> np.ndarray:
        """Sound ``index`` of the bank: mono float32 [n] in -1..1 at 16 kHz, any length; the loader fits it."""

    @abstractmethod
    def rows(self, rng: np.random.Generator, count: int) -> list[Row]:
        """``count`` rows drawn with replacement; the same generator state draws the same rows.

        Rows 0 and 1, 2 and 3, ... are twins: of one concept, wherever a concept has more than one picture or sound. By
        how twins differ the critics judge variety.
        """

    @property
    @abstractmethod
    def concepts(self) -> list[str]:
        """Every concept, sorted."""

    @abstractmethod
    def image_concept(self, index: int) -> str:
        """The concept of picture ``index``."""

    @abstractmethod
    def sound_concept(self, index: int) -> str:
        """The concept of sound ``index``."""

    @abstractmethod
    def prompts(self) -> list[Prompt]:
        """The fixed prompts that ``mmgan evaluate`` asks for, several phrasings of each concept."""

    @property
    def examples(self) -> list[str]:
        """A few prompts for a person to start from, the first to be shown first."""
        prompts = list(dict.fromkeys(prompt.text for prompt in self.prompts()))
        return prompts[:: max(1, len(prompts) // 8)][:8]

    def example(self, row: Row) -> Example:
        """The row with its picture and sound."""
        return Example(
            row.text,
            None if row.image is None else self.image(row.image),
            None if row.sound is None else self.sound(row.sound),
        )
