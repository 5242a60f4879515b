"""Sizes of a model, by modality, and the three presets."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field

from .ranges import choice, number

EMBEDDING_DIM = 384  # of the text space (all-MiniLM-L6-v2's)


@dataclass(frozen=True)
class AudioConfig:
    """How sound is stored and turned into the pictures of it that the networks see."""

    sampling_rate: int = number(16_000, 8_000, 48_000)  # Hz, mono
    num_samples: int = number(16_384, 4_096, 16_384 * 64)  # 1.024 s; set only this for longer clips
    window: int = number(1_024, 256, 4_096)  # samples, Hann
    hop: int = number(256, 64, 1_024)  # samples, so one second is 62.5 frames
    bands: int = number(64, 32, 128)  # mel bands (HTK scale)
    f_min: float = number(30.0, 0.0, 500.0)  # Hz
    f_max: float = number(8_000.0, 1_000.0, 24_000.0)  # Hz
    floor_db: float = number(-70.0, -120.0, -40.0)  # dB below a full-scale sine; quieter is silence
    griffin_lim_iterations: int = number(8, 1, 8)  # more could not be heard

    @property
    def frames(self) -> int:
        """Frames T of a log-mel [bands, T] of ``num_samples`` samples."""
        return self.num_samples // self.hop


@dataclass(frozen=True)
class ModalityConfig:
    """What the networks of any modality have: the base of the modalities' sections."""

    latent: int = number(32, 1, 512)  # noise of this modality alone


@dataclass(frozen=True)
class MapConfig(ModalityConfig):
    """What a modality needs whose rows are maps that convolutions make and judge."""

    # The networks see patch x patch pixels as channels of one position, which saves the convolutions at full
    # resolution. At patch 2 digits cost as much as at patch 1 with narrower maps and learned more slowly.
    patch: int = number(1, 1, 8)
    # Channels from the smallest map to the largest; each is twice as wide and high as the one before. Powers of two:
    # on a CPU 24 channels cost nearly what 32 do, and half as many at twice the size cost the same at every size.
    widths: tuple[int, ...] = number((128, 64, 32, 16), 4, 1_024)

    @property
    def shape(self) -> tuple[int, int, int]:
        """[channels, height, width] of a map."""
        raise NotImplementedError


@dataclass(frozen=True)
class ImageModelConfig(MapConfig):
    """Pictures, and the networks that make and judge them."""

    size: int = number(32, 16, 256)  # pixels a side
    channels: int = number(1, 1, 3)  # 1 grey, 3 RGB
    # "projected": through frozen eyes (mmgan.models.projected); "learned": from the pixels, with nothing known before
    critic: str = choice("learned", "learned", "projected")

    @property
    def shape(self) -> tuple[int, int, int]:
        """[channels, height, width] of a picture."""
        return self.channels, self.size, self.size


@dataclass(frozen=True)
class AudioModelConfig(AudioConfig, MapConfig):
    """Sounds, and the networks that make and judge their log-mels."""

    patch: int = number(2, 1, 8)

    @property
    def shape(self) -> tuple[int, int, int]:
        """[1, bands, frames] of a log-mel as a map."""
        return 1, self.bands, self.frames


MODALITY_CONFIGS: dict[str, type[ModalityConfig]] = {"image": ImageModelConfig, "audio": AudioModelConfig}


@dataclass(frozen=True)
class MemoryConfig:
    """A memory of named things, for datasets of more concepts than a smooth mapping of captions can tell apart."""

    things: int = number(0, 0, 20_000)  # 0: the model has none
    names: int = number(2, 1, 8)  # keys of each thing, such as its English and its Chinese name
    key: int = number(64, 8, 512)  # numbers by which a thing is found
    code: int = number(192, 8, 1_024)  # numbers that say what it looks and sounds like
    heads: int = number(2, 1, 8)  # things that one caption can name


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the generator, the discriminators and the joint critic; in JSON each modality is a section by name."""

    modalities: Mapping[str, ModalityConfig] = field(
        default_factory=lambda: {name: MODALITY_CONFIGS[name]() for name in ("image", "audio")}
    )
    latent_shared: int = number(16, 1, 512)  # noise that all modalities share (SyncGAN, MMVAE+)
    style_dim: int = number(192, 16, 1_024)  # w, what the mapping gives to every synthesis layer
    convolutions: int = number(1, 1, 4)  # 3x3 convolutions at each size
    critic_features: int = number(192, 16, 1_024)  # numbers by which a critic describes what it sees
    memory: MemoryConfig = field(default_factory=MemoryConfig)

    @property
    def image(self) -> ImageModelConfig:
        return typing.cast(ImageModelConfig, self.modalities["image"])

    @property
    def audio(self) -> AudioModelConfig:
        return typing.cast(AudioModelConfig, self.modalities["audio"])

    @property
    def latent_sizes(self) -> tuple[int, ...]:
        """The parts of one latent code: shared, then each modality's own in their order."""
        return self.latent_shared, *(section.latent for section in self.modalities.values())

    @property
    def latent_dim(self) -> int:
        """Length of one latent code."""
        return sum(self.latent_sizes)

    def with_channels(self, channels: int) -> ModelConfig:
        """The same for pictures of so many channels."""
        if "image" not in self.modalities:
            return self
        return dataclasses.replace(
            self, modalities={**self.modalities, "image": dataclasses.replace(self.image, channels=channels)}
        )


def _preset(image: dict, audio: dict, **sizes) -> ModelConfig:
    return ModelConfig({"image": ImageModelConfig(**image), "audio": AudioModelConfig(**audio)}, **sizes)


# Sizes of the three presets. The dataset decides whether pictures are grey or RGB.
PRESETS: dict[str, ModelConfig] = {
    # 32 px, for live training on a laptop's CPU
    "tiny": ModelConfig(),
    # 64 px
    "base": _preset(
        {"size": 64, "patch": 2, "widths": (192, 128, 96, 64)}, {"widths": (128, 96, 64, 32)},
        style_dim=256, convolutions=2, critic_features=256,
    ),
    # 128 px, for a GPU
    "large": _preset(
        {"size": 128, "patch": 2, "latent": 64, "widths": (256, 256, 192, 128, 64)},
        {"latent": 48, "widths": (256, 192, 128, 64)},
        style_dim=384, latent_shared=32, critic_features=384, convolutions=2,
    ),
}  # fmt: skip
