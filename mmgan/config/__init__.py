"""Every size, rate and weight of mmgan in sections: model (by modality), optimisation, losses, augmentation, schedule.

Each section can be written to JSON (:func:`to_dict`) and read back with every field checked (:func:`from_dict`), so
that a ``config.json`` from somebody else can never do more than choose numbers within the ranges stated here. Files of
earlier releases, which had no sections, pass through :mod:`mmgan.config.migration`.
"""

from .model import (
    EMBEDDING_DIM,
    MODALITY_CONFIGS,
    PRESETS,
    AudioConfig,
    AudioModelConfig,
    ImageModelConfig,
    MapConfig,
    MemoryConfig,
    ModalityConfig,
    ModelConfig,
)
from .ranges import CHOICES, RANGE
from .reading import flat, from_dict, put, sections, to_dict, with_values
from .training import (
    LOSS_NAMES,
    SECTIONS,
    SETTINGS,
    AugmentationConfig,
    LossConfig,
    OptimizationConfig,
    ScheduleConfig,
    TrainingConfig,
)

__all__ = [
    "CHOICES", "EMBEDDING_DIM", "LOSS_NAMES", "MODALITY_CONFIGS", "PRESETS", "RANGE", "SECTIONS", "SETTINGS",
    "AudioConfig", "AudioModelConfig", "AugmentationConfig", "ImageModelConfig", "LossConfig", "MapConfig",
    "MemoryConfig", "ModalityConfig", "ModelConfig", "OptimizationConfig", "ScheduleConfig", "TrainingConfig", "flat",
    "from_dict", "put", "sections", "to_dict", "with_values",
]  # fmt: skip
