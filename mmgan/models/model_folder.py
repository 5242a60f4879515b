"""What a model folder says of itself, without torch: its settings and its info."""

from __future__ import annotations

from ..config import ModelConfig
from ..hub.pretrained import Pretrained
from ..system.resources import MODELS


class ModelFolder(Pretrained):
    """A folder to sample from; :class:`mmgan.models.checkpoint.Model` loads it."""

    format, section, config_class, ships = "mmgan", "model", ModelConfig, MODELS
