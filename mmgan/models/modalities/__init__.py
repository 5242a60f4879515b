"""Modalities by name. One is an object; whatever goes over modalities asks it, and none is spelled out elsewhere."""

from __future__ import annotations

from ...config import MODALITY_CONFIGS
from .audio import Audio
from .base import Modality
from .image import Image

__all__ = ["MODALITIES", "Modality", "register"]

MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """From here on configs may have a section of the modality's name, and networks and loaders go over it too."""
    MODALITIES[modality.name] = modality
    MODALITY_CONFIGS[modality.name] = modality.config


register(Image())
register(Audio())
