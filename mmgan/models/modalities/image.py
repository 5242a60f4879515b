"""Pictures: rows [channels, size, size] in -1..1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ...config import ImageModelConfig, ModelConfig
from ...image.pictures import picture_to_array, to_pil
from ..critic import Critic
from ..image_features import JUDGED_WITH, LEARNED_WITH, ImageFeatures, shipped
from ..maps import MapCritic, MapSynthesis
from .augment import Allowed, Plan, augment_image
from .base import Modality, side_by_side

if TYPE_CHECKING:
    from ...data.base import Dataset, Row


class Image(Modality[ImageModelConfig]):
    name, config, stored = "image", ImageModelConfig, torch.uint8

    def shape(self, section: ImageModelConfig) -> tuple[int, ...]:
        return section.shape

    def synthesis(self, model: ModelConfig, section: ImageModelConfig) -> MapSynthesis:
        return MapSynthesis(model, section)

    def critic(self, model: ModelConfig, section: ImageModelConfig) -> Critic:
        if section.critic == "projected":
            from ..projected import ProjectedMapCritic  # it reads a file, which most models do not need

            return ProjectedMapCritic(model, section)
        return MapCritic(model, section)

    def count(self, dataset: Dataset) -> int:
        return dataset.num_images

    def place(self, row: Row) -> int | None:
        return row.image

    def concept(self, dataset: Dataset, index: int) -> str:
        return dataset.image_concept(index)

    def load(self, dataset: Dataset, indices: Sequence[int], section: ImageModelConfig) -> Tensor:
        arrays = [picture_to_array(dataset.image(i), section.size, section.channels) for i in indices]
        return torch.from_numpy(np.stack(arrays))

    def decode(self, rows: Tensor) -> Tensor:
        return rows.float().div_(127.5).sub_(1)

    def augment(self, rows: Tensor, plan: Plan, p: float, allowed: Allowed) -> Tensor:
        return augment_image(rows, plan, p, allowed)

    def maps(self, rows: Tensor) -> Tensor:
        return rows

    def eyes(self, device: torch.device) -> ImageFeatures:
        return shipped(LEARNED_WITH, device)

    def describe(self, rows: Tensor) -> Tensor:
        return shipped(JUDGED_WITH, rows.device).describe(rows)

    def preview(self, row: Tensor) -> PIL.Image.Image:
        return to_pil(row)

    def strip(
        self, rows: Tensor, section: ImageModelConfig, dataset: Dataset | None = None, places: Sequence = ()
    ) -> dict[str, bytes]:
        return {".png": side_by_side([self.preview(row) for row in rows])}
