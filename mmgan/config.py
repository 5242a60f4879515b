"""Every size, rate and weight of mmgan in sections: model (by modality), optimisation, losses, augmentation, schedule.

Each section can be written to JSON (:func:`to_dict`) and read back with every field checked (:func:`from_dict`), so
that a ``config.json`` from somebody else can never do more than choose numbers within the ranges stated here. Files of
earlier releases, which had no sections, pass through :mod:`mmgan.config_migration`.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field

from .config_migration import migrate_model, migrate_name, migrate_training
from .errors import CheckpointError
from .language import Message

RANGE = "range"  # metadata key: (smallest, largest) value accepted from a file, for numbers and for items of a tuple
CHOICES = "choices"  # metadata key: the accepted strings
EMBEDDING_DIM = 384  # of the text space (all-MiniLM-L6-v2's)
FRESH = Message("config.take_fresh")


def _number(default, low, high):
    return field(default=default, metadata={RANGE: (low, high)})


def _choice(default, *choices):
    return field(default=default, metadata={CHOICES: choices})


# The model ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AudioConfig:
    """How sound is stored and turned into the pictures of it that the networks see."""

    sampling_rate: int = _number(16_000, 8_000, 48_000)  # Hz, mono
    num_samples: int = _number(16_384, 4_096, 16_384 * 64)  # 1.024 s; set only this for longer clips
    window: int = _number(1_024, 256, 4_096)  # samples, Hann
    hop: int = _number(256, 64, 1_024)  # samples, so one second is 62.5 frames
    bands: int = _number(64, 32, 128)  # mel bands (HTK scale)
    f_min: float = _number(30.0, 0.0, 500.0)  # Hz
    f_max: float = _number(8_000.0, 1_000.0, 24_000.0)  # Hz
    floor_db: float = _number(-70.0, -120.0, -40.0)  # dB below a full-scale sine; quieter is silence
    griffin_lim_iterations: int = _number(8, 1, 8)  # more could not be heard

    @property
    def frames(self) -> int:
        """Frames T of a log-mel [bands, T] of ``num_samples`` samples."""
        return self.num_samples // self.hop


@dataclass(frozen=True)
class ModalityConfig:
    """What the networks of any modality have: the base of the modalities' sections."""

    latent: int = _number(32, 1, 512)  # noise of this modality alone


@dataclass(frozen=True)
class MapConfig(ModalityConfig):
    """What a modality needs whose rows are maps that convolutions make and judge."""

    # The networks see patch x patch pixels as channels of one position, which saves the convolutions at full
    # resolution. At patch 2 digits cost as much as at patch 1 with narrower maps and learned more slowly.
    patch: int = _number(1, 1, 8)
    # Channels from the smallest map to the largest; each is twice as wide and high as the one before. Powers of two:
    # on a CPU 24 channels cost nearly what 32 do, and half as many at twice the size cost the same at every size.
    widths: tuple[int, ...] = _number((128, 64, 32, 16), 4, 1_024)

    @property
    def shape(self) -> tuple[int, int, int]:
        """[channels, height, width] of a map."""
        raise NotImplementedError


@dataclass(frozen=True)
class ImageModelConfig(MapConfig):
    """Pictures, and the networks that make and judge them."""

    size: int = _number(32, 16, 256)  # pixels a side
    channels: int = _number(1, 1, 3)  # 1 grey, 3 RGB
    # "projected": through frozen eyes (mmgan.models.projected); "learned": from the pixels, with nothing known before
    critic: str = _choice("learned", "learned", "projected")

    @property
    def shape(self) -> tuple[int, int, int]:
        """[channels, height, width] of a picture."""
        return self.channels, self.size, self.size


@dataclass(frozen=True)
class AudioModelConfig(AudioConfig, MapConfig):
    """Sounds, and the networks that make and judge their log-mels."""

    patch: int = _number(2, 1, 8)

    @property
    def shape(self) -> tuple[int, int, int]:
        """[1, bands, frames] of a log-mel as a map."""
        return 1, self.bands, self.frames


MODALITY_CONFIGS: dict[str, type[ModalityConfig]] = {"image": ImageModelConfig, "audio": AudioModelConfig}


@dataclass(frozen=True)
class MemoryConfig:
    """A memory of named things, for datasets of more concepts than a smooth mapping of captions can tell apart."""

    things: int = _number(0, 0, 20_000)  # 0: the model has none
    names: int = _number(2, 1, 8)  # keys of each thing, such as its English and its Chinese name
    key: int = _number(64, 8, 512)  # numbers by which a thing is found
    code: int = _number(192, 8, 1_024)  # numbers that say what it looks and sounds like
    heads: int = _number(2, 1, 8)  # things that one caption can name


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the generator, the discriminators and the joint critic; in JSON each modality is a section by name."""

    modalities: Mapping[str, ModalityConfig] = field(
        default_factory=lambda: {name: MODALITY_CONFIGS[name]() for name in ("image", "audio")}
    )
    latent_shared: int = _number(16, 1, 512)  # noise that all modalities share (SyncGAN, MMVAE+)
    style_dim: int = _number(192, 16, 1_024)  # w, what the mapping gives to every synthesis layer
    convolutions: int = _number(1, 1, 4)  # 3x3 convolutions at each size
    critic_features: int = _number(192, 16, 1_024)  # numbers by which a critic describes what it sees
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
        return with_values(self, {"image.channels": channels}) if "image" in self.modalities else self


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

# Training -------------------------------------------------------------------------------------------------------------

LOSS_NAMES = ("minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic")


@dataclass(frozen=True)
class OptimizationConfig:
    """How both networks step. Rates are for small batches; the models' cards say what was tried."""

    optimizer: str = _choice("adam", "sgd", "adam")
    learning_rate: float = _number(7e-4, 0.0, 1.0)  # both networks
    beta1: float = _number(0.0, 0.0, 0.999)  # Adam's memory of gradients; adversarial gradients change direction
    beta2: float = _number(0.99, 0.0, 0.9999)
    final_rate: float = _number(0.1, 0.0, 1.0)  # the learning rate falls along a cosine to this share of it at the end
    batch_size: int = _number(16, 2, 4_096)  # rows a step, over all processes
    accumulate: int = _number(1, 1, 256)  # slices a step is cut into, to save memory
    max_gradient: float = _number(0.0, 0.0, 1e6)  # > 0: clip gradients to this norm
    ema_images: float = _number(10_000.0, 0.0, 1e7)  # the average's half-life, in examples
    precision: str = _choice("auto", "auto", "fp32", "bf16")  # auto: bf16 on CUDA, fp32 elsewhere


@dataclass(frozen=True)
class LossConfig:
    """The adversarial loss, its penalty, and the weight of every other term (:mod:`mmgan.training.terms`)."""

    loss: str = _choice("relativistic", *LOSS_NAMES)
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
    generator_contrastive_weight: float = _number(0.5, 0.0, 10.0)  # the same for the generator, which it steers
    recognition_share: float = _number(0.3, 0.01, 1e6)  # falls to 0 at this share: kept on, samples look alike
    temperature: float = _number(0.1, 0.01, 1.0)  # of the contrastive loss
    range_weight: float = _number(10.0, 0.0, 1_000.0)  # on generated values beyond -1..1, which no picture can show
    # For training on a model that confuses captions of the same words ("blue on yellow", "yellow on blue"): the first
    # keeps their styles apart (30 is enough), the second draws the means of samples to those of real rows (80).
    caption_margin_weight: float = _number(0.0, 0.0, 1_000.0)
    caption_mean_weight: float = _number(0.0, 0.0, 1_000.0)
    twin_spread_weight: float = _number(0.0, 0.0, 1_000.0)  # lets samples of a caption differ as real rows do
    latent_weight: float = _number(0.3, 0.0, 10.0)  # the critics must read the noise back, or it goes unused
    # The critics read latents from real rows, and the generator rebuilds the rows from them (VAE/GAN): pixels teach
    # colours, places and pitches sooner than scores do. It falls to 0 at this share, because it blurs.
    reconstruction_weight: float = _number(10.0, 0.0, 1_000.0)
    reconstruction_share: float = _number(0.2, 0.01, 1e6)
    divergence_weight: float = _number(0.01, 0.0, 10.0)  # in it, the latents' divergence from the prior
    # Of several samples of a caption, the one most like its picture is drawn to it (implicit maximum likelihood): a few
    # dozen photographs teach a generator sooner so than critics can, which have to learn to see from them.
    match_weight: float = _number(0.0, 0.0, 1_000.0)
    match_draws: int = _number(8, 1, 64)
    match_share: float = _number(1.0, 0.01, 1e6)  # of the training, at which its weight has fallen to 0


@dataclass(frozen=True)
class AugmentationConfig:
    """How real and generated rows, and captions, are changed before critics see them."""

    # By modality, the probability of each augmentation at the start. -1 or left out: 0.5 where the data have under
    # 5,000 items, else 0. With plenty of data it only hurts: shifted bands and gains kept the shapes' tones from
    # finding their pitch and loudness.
    probability: Mapping[str, float] = field(default_factory=dict, metadata={RANGE: (-1.0, 1.0)})
    augment_target: float = _number(0.0, 0.0, 1.0)  # > 0: adapt them so that mean sign(D(real)) stays at this (ADA)
    text_noise: float = _number(0.1, 0.0, 1.0)  # added to embeddings, so that unseen phrasings fall between seen ones


@dataclass(frozen=True)
class ScheduleConfig:
    """How long a training takes, and what it writes when."""

    steps: int = _number(20_000, 1, 100_000_000)
    minutes: float = _number(0.0, 0.0, 1e6)  # > 0: train for so long, whatever the steps
    checkpoint_seconds: float = _number(60.0, 0.0, 1e6)
    sample_seconds: float = _number(60.0, 0.0, 1e6)
    metric_steps: int = _number(10, 1, 10_000)
    seed: int = _number(0, 0, 2**32 - 1)


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained."""

    model: ModelConfig = field(default_factory=ModelConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)


SECTIONS = {name: kind for name, kind in typing.get_type_hints(TrainingConfig).items() if name != "model"}
# Every setting's own name -> where it stands, and its range; no two sections have one of the same name.
SETTINGS: dict[str, tuple[str, dataclasses.Field]] = {
    setting.name: (f"{name}.{setting.name}", setting)
    for name, section in SECTIONS.items() for setting in dataclasses.fields(section)
}  # fmt: skip

SETTINGS |= {
    f"augment_{modality}": (f"augmentation.probability.{modality}", _number(-1.0, -1.0, 1.0))
    for modality in MODALITY_CONFIGS
}
_PARTS = {"model", "probability", *SECTIONS, *MODALITY_CONFIGS}
_NAMES = {place: name for name, (place, _) in SETTINGS.items()}

# Reading and writing --------------------------------------------------------------------------------------------------


def to_dict(config) -> dict:
    """A section, or all of them, as plain JSON values."""
    values = {}
    for name in (setting.name for setting in dataclasses.fields(config)):
        value = getattr(config, name)
        if name == "modalities":
            values |= {modality: to_dict(section) for modality, section in value.items()}
        elif dataclasses.is_dataclass(value):
            values[name] = to_dict(value)
        else:
            values[name] = dict(value) if isinstance(value, Mapping) else value
    return values


def with_values(config, values: Mapping):
    """``config`` with some values put in, by a setting's own name ("gamma") or its place ("model.image.size").

    Raises:
        CheckpointError: see :func:`from_dict`.
    """
    tree = to_dict(config)
    for name, value in values.items():
        put(tree, name, value)
    return from_dict(type(config), tree, Message("config.the_settings"))


def put(tree: dict, name: str, value) -> bool:
    """Puts ``value`` into nested values; False where ``name`` leads through a value that has no parts.

    A name of an earlier release ("augment_image", "model.image_size") is understood as well.
    """
    name = migrate_name(name)
    *path, last = (SETTINGS[name][0] if name in SETTINGS and name not in tree else name).split(".")
    for part in path:
        if not isinstance(tree, dict) or not (part in tree or part in _PARTS):
            return False
        tree = tree.setdefault(part, {})
    if not isinstance(tree, dict) or not last:
        return False
    tree[last] = value
    return True


def flat(values: Mapping) -> dict:
    """A training's nested values by the settings' own names, the model's by their places ("model.image.size")."""
    return {_NAMES.get(place, place): value for place, value in _leaves(values, "")}


def _leaves(values: Mapping, before: str):
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield before + key, value


def from_dict(cls, values: dict, where: str | Message = "config.json"):
    """Builds ``cls`` from untrusted JSON values; absent fields keep their defaults.

    Raises:
        CheckpointError: an unknown field, a wrong type, or a value outside its range; the sentence names the field.
    """
    if not isinstance(values, dict):
        raise CheckpointError("config.no_object", where=where, advice=FRESH)
    values = _MIGRATIONS.get(cls, dict)(values)
    known = {f.name: f for f in dataclasses.fields(cls)}
    given = {}
    if cls is ModelConfig:
        known.pop("modalities")
        sections = {name: values.pop(name) for name in list(values) if name in MODALITY_CONFIGS}
        if sections:
            given["modalities"] = {
                name: from_dict(MODALITY_CONFIGS[name], section, _within(name, where))
                for name, section in sections.items()
            }
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError("config.unknown_setting", where=where, name=unknown[0])
    hints = typing.get_type_hints(cls)
    for name, value in values.items():
        # Sections of a training go unnamed: no two of them have a setting of the same name.
        place = where if hints[name] in SECTIONS.values() else _within(name, where)
        given[name] = _checked(known[name], hints[name], value, place)
    return cls(**given)


def sections(training: Mapping) -> dict:
    """A training's values from a file of any release, in today's sections."""
    values = migrate_training(training, {name: place for name, (place, _) in SETTINGS.items()})
    if isinstance(values.get("model"), dict):
        values["model"] = migrate_model(values["model"])
    return values


_MIGRATIONS = {ModelConfig: migrate_model, TrainingConfig: sections}


def _within(name: str, where: str | Message) -> Message:
    return Message("config.named", name=name, where=where)


def _checked(field_, hint, value, where):
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 16:
            raise CheckpointError("config.bad_list", where=where, advice=FRESH)
        return tuple(_scalar(field_, typing.get_args(hint)[0], item, where) for item in value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, dict) or not set(value) <= set(MODALITY_CONFIGS):
            raise CheckpointError("config.bad_mapping", where=where, advice=FRESH)
        return {name: _scalar(field_, float, item, _within(name, where)) for name, item in value.items()}
    return _scalar(field_, hint, value, where)


def _scalar(field_, kind, value, where):
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else float("inf")
    if type(value) is not kind:
        raise CheckpointError("config.bad_type", where=where, type=kind.__name__, advice=FRESH)
    low, high = field_.metadata.get(RANGE, (None, None))
    if low is not None and not low <= value <= high:
        raise CheckpointError("config.outside", where=where, value=value, low=low, high=high, advice=FRESH)
    choices = field_.metadata.get(CHOICES)
    if choices and value not in choices:
        raise CheckpointError("config.not_one_of", where=where, value=value, known=", ".join(choices))
    return value
