"""What a modality is: its section of the config, its networks, and how its rows are read, augmented and shown."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import PIL.Image
import torch
from torch import Tensor, nn

from ...config import ModalityConfig, ModelConfig
from ..critic import Critic
from .augment import Allowed, Plan

if TYPE_CHECKING:
    from ...data.base import Dataset, Row
    from ..image_features import ImageFeatures


Section = TypeVar("Section", bound=ModalityConfig)


class Modality(ABC, Generic[Section]):
    """One modality. Rows [B, *shape] are float32, about -1..1."""

    name: ClassVar[str]  # of its section in configs, of its networks and of its scores
    config: ClassVar[type[ModalityConfig]]
    stored: ClassVar[torch.dtype] = torch.float32  # the type in which a loader keeps rows

    # Networks -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def shape(self, section: Section) -> tuple[int, ...]:
        """The shape of one row."""

    @abstractmethod
    def synthesis(self, model: ModelConfig, section: Section) -> nn.Module:
        """The network w [B, style_dim] -> rows."""

    @abstractmethod
    def critic(self, model: ModelConfig, section: Section) -> Critic:
        """The network rows -> features, with its heads."""

    # Data ---------------------------------------------------------------------------------------------------------

    @abstractmethod
    def count(self, dataset: Dataset) -> int:
        """How many items of this modality the dataset's bank has."""

    @abstractmethod
    def place(self, row: Row) -> int | None:
        """Where the row's item is in that bank; None: it has none."""

    @abstractmethod
    def concept(self, dataset: Dataset, index: int) -> str:
        """The concept of an item of the bank."""

    @abstractmethod
    def load(self, dataset: Dataset, indices: Sequence[int], section: Section) -> Tensor:
        """Items of the bank as rows of the dtype ``stored``."""

    def decode(self, rows: Tensor) -> Tensor:
        """Rows as they are stored -> float32."""
        return rows.float()

    def absent(self, section: Section) -> float:
        """The value that fills a row which a dataset does not have."""
        return 0.0

    # Training and comparing ---------------------------------------------------------------------------------------

    def augment(self, rows: Tensor, plan: Plan, p: float, allowed: Allowed) -> Tensor:
        """Each change that leaves captions true with probability ``p``."""
        return rows

    def maps(self, rows: Tensor) -> Tensor:
        """Rows as maps [B, C, H, W], whose small averages tell how much two rows differ."""
        return rows.flatten(1)[:, None, None]

    def eyes(self, device: torch.device) -> ImageFeatures | None:
        """Frozen features through which a training may compare rows; None where there are none."""
        return None

    def describe(self, rows: Tensor) -> Tensor | None:
        """Rows [B, ...] -> [B, F] by a network that no training looks through; None where there is none."""
        return None

    # Showing ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def preview(self, row: Tensor) -> PIL.Image.Image:
        """A picture of one row."""

    def strip(
        self, rows: Tensor, section: Section, dataset: Dataset | None = None, places: Sequence = ()
    ) -> dict[str, bytes]:
        """Rows side by side as files of a film strip, by how their names end.

        Args:
            dataset, places: where the rows are from (None in places: nowhere), if they are real ones.
        """
        return {f"-{self.name}.png": side_by_side([self.preview(row) for row in rows])}


def side_by_side(pictures: list[PIL.Image.Image]) -> bytes:
    """Pictures of one size in a row, as a PNG."""
    width, height = pictures[0].size
    strip = PIL.Image.new(pictures[0].mode, (width * len(pictures), height))
    for k, picture in enumerate(pictures):
        strip.paste(picture, (k * width, 0))
    data = io.BytesIO()
    strip.save(data, "PNG")
    return data.getvalue()
