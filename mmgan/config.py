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


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the generator, the discriminators and the joint critic."""

    image_size: int = _number(32, 16, 256)  # pixels a side
    image_channels: int = _number(1, 1, 3)  # 1 grey, 3 RGB
    embedding_dim: int = _number(384, 384, 384)  # the text space (all-MiniLM-L6-v2's)
    latent_shared: int = _number(16, 1, 512)  # noise that picture and sound share (SyncGAN, MMVAE+)
    latent_image: int = _number(32, 1, 512)  # noise of the picture alone
    latent_audio: int = _number(32, 1, 512)  # noise of the sound alone
    style_dim: int = _number(192, 16, 1_024)  # w, what the mapping gives to every synthesis layer
    # The networks see patch x patch pixels as channels of one position, which saves the convolutions at full
    # resolution. At patch 2 digits cost as much as at patch 1 with narrower maps and learned more slowly.
    image_patch: int = _number(1, 1, 8)
    audio_patch: int = _number(2, 1, 8)
    # Channels from the smallest map to the largest; each is twice as wide and high as the one before. Powers of two:
    # on a CPU 24 channels cost nearly what 32 do, and half as many at twice the size cost the same at every size.
    image_widths: tuple[int, ...] = _number((128, 64, 32, 16), 4, 1_024)
    audio_widths: tuple[int, ...] = _number((128, 64, 32, 16), 4, 1_024)
    convolutions: int = _number(1, 1, 4)  # 3x3 convolutions at each size
    critic_features: int = _number(192, 16, 1_024)  # numbers by which a critic describes what it sees
    audio: AudioConfig = field(default_factory=AudioConfig)

    @property
    def latent_dim(self) -> int:
        """Length of one latent code: shared, then the picture's, then the sound's."""
        return self.latent_shared + self.latent_image + self.latent_audio


# Sizes of the three presets; whether pictures are grey or RGB is the dataset's to say.
PRESETS: dict[str, ModelConfig] = {
    # 32 px, for live training on a laptop's CPU
    "tiny": ModelConfig(),
    # 64 px
    "base": ModelConfig(
        image_size=64, style_dim=256, image_patch=2, image_widths=(192, 128, 96, 64), audio_widths=(128, 96, 64, 32),
        convolutions=2, critic_features=256,
    ),
    # 128 px, for a GPU
    "large": ModelConfig(
        image_size=128, image_patch=2, style_dim=384, latent_shared=32, latent_image=64, latent_audio=48,
        critic_features=384, image_widths=(256, 256, 192, 128, 64), audio_widths=(256, 192, 128, 64), convolutions=2,
    ),
}  # fmt: skip

LOSS_NAMES = ("minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic")


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained. Rates and weights are for small batches; what was tried stands in the models' cards."""

    model: ModelConfig = field(default_factory=ModelConfig)
    loss: str = _choice("relativistic", *LOSS_NAMES)
    optimizer: str = _choice("adam", "sgd", "adam", "adamw")
    learning_rate: float = _number(7e-4, 0.0, 1.0)  # both networks
    beta1: float = _number(0.0, 0.0, 0.999)  # Adam's memory of gradients; adversarial gradients change direction
    beta2: float = _number(0.99, 0.0, 0.9999)
    weight_decay: float = _number(0.0, 0.0, 1.0)  # of AdamW
    final_rate: float = _number(0.1, 0.0, 1.0)  # the learning rate falls along a cosine to this share of it at the end
    batch_size: int = _number(16, 2, 4_096)  # rows a step, over all processes
    accumulate: int = _number(1, 1, 256)  # slices a step is cut into, to save memory
    penalty: str = _choice("auto", "auto", "none", "r1", "r1r2", "gp")  # auto: what the loss's paper uses
    gamma: float = _number(0.0, 0.0, 1_000.0)  # weight of R1 and R2; 0: gamma_share of the data's spread
    # Mean squared distance between real rows times this. A weight good for digits let the critics run away on RGB
    # shapes, whose rows lie ten times as far apart.
    gamma_share: float = _number(0.002, 0.0, 1.0)
    gamma_final: float = _number(0.1, 0.001, 1.0)  # gamma falls to this share of it until half of the training is done
    gp_weight: float = _number(10.0, 0.0, 1_000.0)  # weight of the Wasserstein penalty
    penalty_interval: int = _number(4, 1, 64)  # penalties every so many steps, as much heavier (lazy regularisation)
    joint_weight: float = _number(1.0, 0.0, 10.0)  # of the joint critic
    twin_weight: float = _number(1.0, 0.0, 10.0)  # of the critics that judge two samples of a concept at once
    wrong_caption_weight: float = _number(0.5, 0.0, 10.0)  # real rows under a wrong caption (matching-aware negatives)
    wrong_partner_weight: float = _number(0.5, 0.0, 10.0)  # real pictures with real sounds of another concept
    contrastive_weight: float = _number(1.0, 0.0, 10.0)  # critic features beside captions
    generator_contrastive_weight: float = _number(0.5, 0.0, 10.0)  # the same, as a wish to the generator: it steers
    recognition_share: float = _number(0.3, 0.01, 1e6)  # at first, and falls to 0 here: kept on, samples look alike
    range_weight: float = _number(10.0, 0.0, 1_000.0)  # on generated values beyond -1..1, which no picture can show
    # For going on with a model that takes captions of the same words for one ("blue on yellow", "yellow on blue"):
    # their styles keep a distance (30 does it), and means of what is made are drawn to the real rows' (80).
    caption_margin_weight: float = _number(0.0, 0.0, 1_000.0)
    caption_mean_weight: float = _number(0.0, 0.0, 1_000.0)
    twin_spread_weight: float = _number(0.0, 0.0, 1_000.0)  # samples of one caption shall differ as real rows do
    latent_weight: float = _number(0.3, 0.0, 10.0)  # the noise is to be read back from what it made, or it goes unused
    # The critics read latents from real rows, and the generator rebuilds the rows from them (VAE/GAN): pixels teach
    # colours, places and pitches sooner than scores do. It falls to 0 at this share, because it blurs.
    reconstruction_weight: float = _number(10.0, 0.0, 1_000.0)
    reconstruction_share: float = _number(0.2, 0.01, 1e6)
    divergence_weight: float = _number(0.01, 0.0, 10.0)  # of the latents' divergence from the prior, within the above
    temperature: float = _number(0.1, 0.01, 1.0)  # of the contrastive loss
    text_noise: float = _number(0.1, 0.0, 1.0)  # added to embeddings, so that unseen phrasings fall between seen ones
    ema_images: float = _number(10_000.0, 0.0, 1e7)  # the average's half-life, in examples
    # Probability of each augmentation, at the start; -1: 0.5 for banks of under 5,000 items, else 0. Where data are
    # plenty it only hurts: shifted bands and gains kept the shapes' tones from finding their pitch and loudness.
    augment_image: float = _number(-1.0, -1.0, 1.0)
    augment_audio: float = _number(-1.0, -1.0, 1.0)
    augment_target: float = _number(0.0, 0.0, 1.0)  # > 0: adapt both so that mean sign(D(real)) stays there (ADA)
    max_gradient: float = _number(0.0, 0.0, 1e6)  # > 0: clip gradients to this norm
    precision: str = _choice("auto", "auto", "fp32", "bf16")  # auto: bf16 on CUDA, fp32 elsewhere
    steps: int = _number(20_000, 1, 100_000_000)
    minutes: float = _number(0.0, 0.0, 1e6)  # > 0: end after so long instead
    checkpoint_seconds: float = _number(60.0, 0.0, 1e6)
    sample_seconds: float = _number(60.0, 0.0, 1e6)
    metric_steps: int = _number(10, 1, 10_000)
    seed: int = _number(0, 0, 2**32 - 1)


def to_dict(config) -> dict:
    """A dataclass as plain JSON values."""
    return dataclasses.asdict(config)


def from_dict(cls, values: dict, where: str = "config.json"):
    """Builds ``cls`` from untrusted JSON values; absent fields keep their defaults.

    Raises:
        CheckpointError: an unknown field, a wrong type, or a value outside the limits; the sentence names the field.
    """
    if not isinstance(values, dict):
        raise CheckpointError(
            f"{where} should hold an object of settings; take the file from a fresh copy of the model."
        )
    known = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError(
            f"{where} has the setting {unknown[0]!r}, which this mmgan does not know; "
            "update mmgan or take a model made for it."
        )
    hints = typing.get_type_hints(cls)
    return cls(
        **{name: _checked(known[name], hints[name], value, f"{name} in {where}") for name, value in values.items()}
    )


def _checked(field_, hint, value, where):
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 16:
            raise CheckpointError(
                f"{where} should be a short list of numbers; take the file from a fresh copy of the model."
            )
        return tuple(_scalar(field_, typing.get_args(hint)[0], item, where) for item in value)
    return _scalar(field_, hint, value, where)


def _scalar(field_, kind, value, where):
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else float("inf")
    if type(value) is not kind:
        raise CheckpointError(
            f"{where} should be of type {kind.__name__}; take the file from a fresh copy of the model."
        )
    low, high = field_.metadata.get(LIMIT, (None, None))
    if low is not None and not low <= value <= high:
        raise CheckpointError(
            f"{where} is {value}, outside {low} to {high}; take the file from a fresh copy of the model."
        )
    choices = field_.metadata.get(CHOICES)
    if choices and value not in choices:
        raise CheckpointError(f"{where} is {value!r}; it should be one of {', '.join(choices)}.")
    return value
