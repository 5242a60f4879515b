"""Modalities by name. Each is an object that knows all about itself; no other code names one."""

from __future__ import annotations

from ...config import MODALITY_CONFIGS
from .audio import Audio
from .base import Modality
from .image import Image

__all__ = ["MODALITIES", "Modality", "register"]

MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """Adds a modality: configs may then have a section of its name, and networks and loaders include it."""
    MODALITIES[modality.name] = modality
    MODALITY_CONFIGS[modality.name] = modality.config


register(Image())
register(Audio())
