"""How a model is trained: optimisation, losses, augmentation and schedule, and where each setting stands."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field

from .model import MODALITY_CONFIGS, ModelConfig
from .ranges import RANGE, choice, number

LOSS_NAMES = ("minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic")


@dataclass(frozen=True)
class OptimizationConfig:
    """How both networks step. Rates are for small batches; the models' cards say what was tried."""

    optimizer: str = choice("adam", "sgd", "adam")
    learning_rate: float = number(7e-4, 0.0, 1.0)  # both networks
    beta1: float = number(0.0, 0.0, 0.999)  # Adam's memory of gradients; adversarial gradients change direction
    beta2: float = number(0.99, 0.0, 0.9999)
    final_rate: float = number(0.1, 0.0, 1.0)  # the learning rate falls along a cosine to this share of it at the end
    batch_size: int = number(16, 2, 4_096)  # rows a step, over all processes
    accumulate: int = number(1, 1, 256)  # slices a step is cut into, to save memory
    max_gradient: float = number(0.0, 0.0, 1e6)  # > 0: clip gradients to this norm
    ema_images: float = number(10_000.0, 0.0, 1e7)  # the average's half-life, in examples
    precision: str = choice("auto", "auto", "fp32", "bf16")  # auto: bf16 on CUDA, fp32 elsewhere


@dataclass(frozen=True)
class LossConfig:
    """The adversarial loss, its penalty, and the weight of every other term (:mod:`mmgan.training.terms`)."""

    loss: str = choice("relativistic", *LOSS_NAMES)
    penalty: str = choice("auto", "auto", "none", "r1", "r1r2", "gp")  # auto: what the loss's paper uses
    gamma: float = number(0.0, 0.0, 1_000.0)  # weight of R1 and R2; 0: gamma_share of the data's spread
    # Mean squared distance between real rows times this. A weight good for digits let the critics run away on RGB
    # shapes, whose rows lie ten times as far apart.
    gamma_share: float = number(0.002, 0.0, 1.0)
    gamma_final: float = number(0.1, 0.001, 1.0)  # gamma falls to this share of it until half of the training is done
    gp_weight: float = number(10.0, 0.0, 1_000.0)  # weight of the Wasserstein penalty
    penalty_interval: int = number(4, 1, 64)  # penalties every so many steps, as much heavier (lazy regularisation)
    joint_weight: float = number(1.0, 0.0, 10.0)  # of the joint critic
    twin_weight: float = number(1.0, 0.0, 10.0)  # of the critics that judge two samples of a concept at once
    wrong_caption_weight: float = number(0.5, 0.0, 10.0)  # real rows under a wrong caption (matching-aware negatives)
    wrong_partner_weight: float = number(0.5, 0.0, 10.0)  # real pictures with real sounds of another concept
    contrastive_weight: float = number(1.0, 0.0, 10.0)  # critic features beside captions
    generator_contrastive_weight: float = number(0.5, 0.0, 10.0)  # the same for the generator, which it steers
    recognition_share: float = number(0.3, 0.01, 1e6)  # falls to 0 at this share: kept on, samples look alike
    temperature: float = number(0.1, 0.01, 1.0)  # of the contrastive loss
    range_weight: float = number(10.0, 0.0, 1_000.0)  # on generated values beyond -1..1, which no picture can show
    # For training on a model that confuses captions of the same words ("blue on yellow", "yellow on blue"): the first
    # keeps their styles apart (30 is enough), the second draws the means of samples to those of real rows (80).
    caption_margin_weight: float = number(0.0, 0.0, 1_000.0)
    caption_mean_weight: float = number(0.0, 0.0, 1_000.0)
    twin_spread_weight: float = number(0.0, 0.0, 1_000.0)  # lets samples of a caption differ as real rows do
    latent_weight: float = number(0.3, 0.0, 10.0)  # the critics must read the noise back, or it goes unused
    # The critics read latents from real rows, and the generator rebuilds the rows from them (VAE/GAN): pixels teach
    # colours, places and pitches sooner than scores do. It falls to 0 at this share, because it blurs.
    reconstruction_weight: float = number(10.0, 0.0, 1_000.0)
    reconstruction_share: float = number(0.2, 0.01, 1e6)
    divergence_weight: float = number(0.01, 0.0, 10.0)  # in it, the latents' divergence from the prior
    # Of several samples of a caption, the one most like its picture is drawn to it (implicit maximum likelihood): a few
    # dozen photographs teach a generator sooner so than critics can, which have to learn to see from them.
    match_weight: float = number(0.0, 0.0, 1_000.0)
    match_draws: int = number(8, 1, 64)
    match_share: float = number(1.0, 0.01, 1e6)  # of the training, at which its weight has fallen to 0


@dataclass(frozen=True)
class AugmentationConfig:
    """How real and generated rows, and captions, are changed before critics see them."""

    # By modality, the probability of each augmentation at the start. -1 or left out: 0.5 where the data have under
    # 5,000 items, else 0. With plenty of data it only hurts: shifted bands and gains kept the shapes' tones from
    # finding their pitch and loudness.
    probability: Mapping[str, float] = field(default_factory=dict, metadata={RANGE: (-1.0, 1.0)})
    augment_target: float = number(0.0, 0.0, 1.0)  # > 0: adapt them so that mean sign(D(real)) stays at this (ADA)
    text_noise: float = number(0.1, 0.0, 1.0)  # added to embeddings, so that unseen phrasings fall between seen ones


@dataclass(frozen=True)
class ScheduleConfig:
    """How long a training takes, and what it writes when."""

    steps: int = number(20_000, 1, 100_000_000)
    minutes: float = number(0.0, 0.0, 1e6)  # > 0: train for so long, whatever the steps
    checkpoint_seconds: float = number(60.0, 0.0, 1e6)
    sample_seconds: float = number(60.0, 0.0, 1e6)
    metric_steps: int = number(10, 1, 10_000)
    seed: int = number(0, 0, 2**32 - 1)


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
    f"augment_{modality}": (f"augmentation.probability.{modality}", number(-1.0, -1.0, 1.0))
    for modality in MODALITY_CONFIGS
}
PARTS = {"model", "probability", *SECTIONS, *MODALITY_CONFIGS}
NAMES = {place: name for name, (place, _) in SETTINGS.items()}
