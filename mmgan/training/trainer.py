"""The training step, and nothing of the web, files or terminals.

Both networks step from the same point: the scores of one batch of real and generated rows give the generator's gradient
and then, from the same graph, the discriminators'. Everything random is a function of (seed, step) and drawn for the
whole batch, so a resumed training, an accumulated one, and one on several processes all compute the same step.
"""

from __future__ import annotations

import copy
import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from ..config import TrainingConfig
from ..data import Dataset
from ..data.loader import Batch, Loader
from ..errors import TrainingError
from ..familiarity import spread_captions
from ..models import Discriminators, Generator
from ..models.layers import unit
from ..text import TextEncoder
from .augment import Allowed, Plan, augment_image, augment_mel
from .losses import LOSSES, mean
from .objectives import Objectives

FEW_ITEMS = 5_000  # pictures or sounds; banks of fewer are augmented
SPREAD_ROWS = 64  # real rows from which the spread of the data is estimated
TWIN_ROWS = 256  # real rows from which it is estimated how far twins are apart
CAPTION_ROWS = 2_048  # from whose captions those are chosen that a model keeps
EMA_WARM_UP = 0.1  # the average forgets faster at first: its half-life is at most this share of the examples seen


@dataclass
class Draw:
    """The random numbers of one step, for the whole batch."""

    latents: Tensor  # [B, latent_dim]
    text_noise: Tensor  # [B, 384]
    between: Tensor  # [B] in 0..1, for the gradient penalty
    plan_real: Plan
    plan_fake: Plan
    noise: Tensor  # [B, latent_dim], of the latents that real rows are rebuilt from


class Trainer:
    """Trains a generator and its discriminators on a dataset.

    Args:
        config: every size, rate and weight.
        dataset: what to learn.
        text_encoder: captions -> embeddings.
        accelerator: processes, device and precision; by default this one process on ``device``.
    """

    def __init__(
        self,
        config: TrainingConfig,
        dataset: Dataset,
        text_encoder: TextEncoder,
        accelerator: Accelerator | None = None,
    ):
        if torch.get_default_dtype() != torch.float32:
            raise TrainingError("Training is in 32-bit floats; call torch.set_default_dtype(torch.float32) before it.")
        self.config, self.dataset, self.text_encoder = config, dataset, text_encoder
        self.accelerator = accelerator or Accelerator(cpu=not torch.cuda.is_available())
        self.device = self.accelerator.device
        self.bf16 = config.precision == "bf16" or (config.precision == "auto" and self.device.type == "cuda")
        parts = self.accelerator.num_processes * config.accumulate
        if config.batch_size % (4 * parts):
            # Rows are twins in twos and wrong partners in fours, so no slice may cut between them.
            raise TrainingError(
                f"A batch of {config.batch_size} cannot be cut into {parts} equal slices of whole fours; "
                f"choose a batch size that {4 * parts} divides."
            )
        model = config.model
        self.loader = Loader(
            dataset, model.image_size, model.image_channels, model.audio, config.batch_size, config.seed
        )
        torch.manual_seed(config.seed)
        layout = {"device": self.device, "memory_format": torch.channels_last}
        self.generator = Generator(model).to(**layout)
        self.discriminators = Discriminators(model).to(**layout)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.optimizer_g = self._optimizer(self.generator)
        self.optimizer_d = self._optimizer(self.discriminators)
        self.loss = LOSSES[config.loss]
        self.penalty = self.loss.penalty if config.penalty == "auto" else config.penalty
        spreads = self._spreads()
        self.gamma = config.gamma or config.gamma_share * max(sum(spreads), 1.0)
        present = dataset.num_images > 0, dataset.num_sounds > 0
        self.objectives = Objectives(
            config, self.loss, self.generator, self.discriminators, self.bf16, spreads, present
        )
        if config.twin_spread_weight:
            self.objectives.measure_twins(map(self.loader.batch, range(TWIN_ROWS // config.batch_size + 1)))
        self.step_count = self.examples_seen = 0
        self.augment_image = _augmentation(config.augment_image, dataset.num_images)
        self.augment_audio = _augmentation(config.augment_audio, dataset.num_sounds)
        self.allowed = Allowed()  # changes that leave the captions true
        self.info: dict = {}  # what else the model's config should say of it
        self.progress = 0.0  # share of the training that is done, 0..1; sets the learning rate

    def _optimizer(self, module: torch.nn.Module) -> torch.optim.Optimizer:
        c = self.config
        if c.optimizer == "sgd":
            return torch.optim.SGD(module.parameters(), lr=c.learning_rate, momentum=c.beta1)
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[c.optimizer]
        return kind(
            module.parameters(), lr=c.learning_rate, betas=(c.beta1, c.beta2), weight_decay=c.weight_decay, fused=True
        )

    def _spreads(self) -> tuple[float, float]:
        """Mean squared distance between two real pictures, and between two real log-mels, from a few batches."""
        batches = [self.loader.batch(step) for step in range(SPREAD_ROWS // self.config.batch_size + 1)]
        spreads = []
        for name, has in (("image", "has_image"), ("mel", "has_audio")):
            rows = torch.cat([getattr(batch, name)[getattr(batch, has)] for batch in batches]).flatten(1)
            spreads.append(max(0.5, 2 * rows.var(dim=0).sum().item() if len(rows) > 1 else 0.0))
        return spreads[0], spreads[1]

    def step(self) -> dict[str, float]:
        """One update of both networks; returns its losses, averaged over the batch.

        Raises:
            TrainingError: a loss is not a number. The networks are then as they were before the step.
        """
        batch, draw = self.loader.batch(self.step_count), self._draw()
        self._set_rate()
        self.optimizer_g.zero_grad(set_to_none=True)
        self.optimizer_d.zero_grad(set_to_none=True)
        embeddings = self.text_encoder.encode(batch.texts).to(self.device)
        wrong = self.text_encoder.encode(batch.wrong_texts).to(self.device)
        noise = self.config.text_noise * draw.text_noise.to(self.device) / math.sqrt(embeddings.shape[1])
        embeddings, wrong = unit(embeddings + noise), unit(wrong + noise)

        parts = self.accelerator.num_processes * self.config.accumulate
        size = len(batch) // parts
        first = self.accelerator.process_index * self.config.accumulate
        totals: dict[str, Tensor] = {}
        for part in range(first, first + self.config.accumulate):
            rows = slice(part * size, (part + 1) * size)
            for name, value in self._gradients(batch, draw, embeddings, wrong, rows).items():
                totals[name] = totals.get(name, 0.0) + value.detach() / self.config.accumulate
        self._average_over_processes(totals)
        if not all(math.isfinite(value) for value in totals.values()):
            raise TrainingError(
                f"A loss became infinite or not a number at step {self.step_count}; the last good checkpoint is kept: "
                "resume with a lower learning rate or a larger gamma."
            )
        if self.config.max_gradient:
            for module in (self.generator, self.discriminators):
                torch.nn.utils.clip_grad_norm_(module.parameters(), self.config.max_gradient)
        self.optimizer_g.step()
        self.optimizer_d.step()
        self.step_count += 1
        self.examples_seen += len(batch)
        self._average_weights(len(batch))
        self._adapt_augmentation(totals, len(batch))
        return {**totals, "augment_audio": self.augment_audio, "augment_image": self.augment_image}

    # What one step computes ---------------------------------------------------------------------------------------

    def _gradients(self, batch: Batch, draw: Draw, embeddings: Tensor, wrong: Tensor, rows: slice) -> dict[str, Tensor]:
        """Adds the gradients of rows ``rows`` of the batch to both networks; returns the loss terms."""
        c, terms_of, part = self.config, self.objectives, batch.slice(rows.start, rows.stop).to(self.device)
        caption, wrong_caption = embeddings[rows], wrong[rows]
        counts = terms_of.counts(part)  # [B, 5]
        latents, noise, between = (x[rows].to(self.device) for x in (draw.latents, draw.noise, draw.between))
        penalised = self.penalty != "none" and self.step_count % c.penalty_interval == 0

        generated = terms_of.generate(caption, latents)
        fake_inputs = self._augmented(generated, draw.plan_fake, rows)
        real_inputs = [
            x.requires_grad_(penalised) for x in self._augmented((part.image, part.mel), draw.plan_real, rows)
        ]
        real, fake = terms_of.scores(real_inputs, caption), terms_of.scores(fake_inputs, caption)

        # The generator's wish: to be scored as real, to be recognised by its caption, to stay in range, to rebuild.
        score = terms_of.weighted(self.loss.generator(real.values.detach(), fake.values), counts)
        match = terms_of.contrast(fake, batch, embeddings, wrong_caption, rows, counts)
        unread = terms_of.unread(fake, latents, counts)
        reconstruction = margin = distance = twins = torch.zeros((), device=self.device)
        if rebuilding := self._fading(c.reconstruction_weight, c.reconstruction_share):
            reconstruction = terms_of.reconstruction(part, real, caption, noise, counts)
        if c.caption_margin_weight:
            margin = terms_of.caption_margin(caption, wrong_caption, latents, counts)
        if c.caption_mean_weight:
            distance = terms_of.caption_mean(generated, part, caption, wrong_caption, counts)
        if c.twin_spread_weight:
            twins = terms_of.twin_spread(generated, counts)
        common = c.latent_weight * unread + rebuilding * reconstruction  # both networks wish for these
        g_loss = (
            score
            + self._fading(c.generator_contrastive_weight, c.recognition_share) * match
            + c.range_weight * terms_of.excess(*generated, counts)
            + c.caption_margin_weight * margin
            + c.caption_mean_weight * distance
            + c.twin_spread_weight * twins
            + common
        )
        g_parameters = list(self.generator.parameters())
        gradients = torch.autograd.grad(g_loss / c.accumulate, g_parameters, retain_graph=True, allow_unused=True)
        for parameter, gradient in zip(g_parameters, gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient

        # The discriminators': real over generated, right over wrong caption, right over wrong partner.
        adversarial = terms_of.weighted(self.loss.discriminator(real.values, fake.values), counts)
        mismatch = terms_of.wrong_caption(real, wrong_caption, counts)
        partner = terms_of.wrong_partner(real, part, caption, counts)
        recognise = terms_of.contrast(real, batch, embeddings, wrong_caption, rows, counts)
        d_loss = (
            adversarial
            + c.wrong_caption_weight * mismatch
            + c.wrong_partner_weight * c.joint_weight * partner
            + c.contrastive_weight * recognise
            + common
        )
        # A relativistic critic knows no zero: what it says of a real row counts beside the generated one only.
        sure = (real.values - (fake.values if c.loss == "relativistic" else 0.0)).sign()
        terms = {
            "generator": score, "discriminator": adversarial, "wrong_caption": mismatch, "wrong_partner": partner,
            "contrastive": recognise, "generator_contrastive": match, "latents": unread,
            "reconstruction": reconstruction, "caption_margin": margin, "caption_mean": distance,
            "twin_spread": twins,
            "sign_image": mean(sure[:, 0], counts[:, 0]),
            "sign_audio": mean(sure[:, 1], counts[:, 1]),
        }  # fmt: skip
        if penalised:
            slope = terms_of.penalty(self.penalty, real_inputs, fake_inputs, real, fake, caption, between, counts)
            terms["penalty"] = penalty = self._penalty_weight() * slope
            d_loss = d_loss + c.penalty_interval * penalty
        learning = [parameter for parameter in self.discriminators.parameters() if parameter.requires_grad]  # FreezeD
        (d_loss / c.accumulate).backward(inputs=learning)
        return terms

    def _augmented(self, inputs: tuple[Tensor, Tensor], plan: Plan, rows: slice) -> list[Tensor]:
        plan = plan.slice(rows.start, rows.stop, self.device)
        return [
            augment_image(inputs[0], plan, self.augment_image, self.allowed),
            augment_mel(inputs[1], plan, self.augment_audio, self.allowed),
        ]

    # Around the step ----------------------------------------------------------------------------------------------

    def _draw(self) -> Draw:
        c = self.config
        generator = torch.Generator().manual_seed(c.seed * 1_000_003 + self.step_count)
        n = c.batch_size
        return Draw(
            torch.randn(n, c.model.latent_dim, generator=generator),
            torch.randn(n, c.model.embedding_dim, generator=generator),
            torch.rand(n, generator=generator),
            Plan.draw(n, generator),
            Plan.draw(n, generator),
            torch.randn(n, c.model.latent_dim, generator=generator),
        )

    def _set_rate(self) -> None:
        """Cosine from the learning rate to ``final_rate`` of it (Loshchilov and Hutter 2017)."""
        c = self.config
        share = c.final_rate + (1 - c.final_rate) * (1 + math.cos(math.pi * min(1.0, self.progress))) / 2
        for optimizer in (self.optimizer_g, self.optimizer_d):
            for group in optimizer.param_groups:
                group["lr"] = c.learning_rate * share

    def _fading(self, weight: float, share: float) -> float:
        """``weight``, falling linearly to 0 within ``share`` of the training."""
        return weight * max(0.0, 1 - self.progress / share)

    def _penalty_weight(self) -> float:
        """Of R1 and R2: falls to ``gamma_final`` of itself, by equal factors, until half of the training is done.

        Smooth critics guide a generator that is far off; sharp ones see what is left (R3GAN, Huang et al. 2024).
        """
        if self.penalty == "gp":
            return self.config.gp_weight
        return self.gamma * self.config.gamma_final ** min(1.0, 2 * self.progress)

    def _average_over_processes(self, totals: dict[str, Tensor]) -> None:
        """Gradients and loss terms become their mean over the processes, in one message each; totals become floats."""
        names = list(totals)
        values = torch.stack([totals[name].float() for name in names])
        if self.accelerator.num_processes > 1:
            values = self.accelerator.reduce(values, "mean")
            for module in (self.generator, self.discriminators):
                gradients = [p.grad for p in module.parameters() if p.grad is not None]
                flat = self.accelerator.reduce(torch.cat([g.flatten() for g in gradients]), "mean")
                for gradient, piece in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                    gradient.copy_(piece.view_as(gradient))
        totals.update(zip(names, values.tolist(), strict=True))

    @torch.no_grad()
    def _average_weights(self, examples: int) -> None:
        """The exponential moving average of the generator's weights that samples come from (Karras et al. 2018)."""
        half_life = min(self.config.ema_images, EMA_WARM_UP * self.step_count * examples)
        keep = 0.5 ** (examples / max(half_life, 1e-8))
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.generator.parameters()), 1 - keep)

    def _adapt_augmentation(self, terms: dict[str, float], examples: int) -> None:
        """Adaptive augmentation (Karras et al. 2020, ADA): more while the discriminator is too sure of real rows."""
        c = self.config
        if not c.augment_target:
            return
        rate = examples / 50_000  # from 0 to 1 within so many examples
        self.augment_image = _nudge(self.augment_image, terms["sign_image"], c.augment_target, rate)
        self.augment_audio = _nudge(self.augment_audio, terms["sign_audio"], c.augment_target, rate)

    @functools.cached_property
    def captions(self) -> list[str]:
        """A few hundred of the dataset's captions that stand for all: what the model keeps of what it has seen."""
        rows = self.dataset.rows(np.random.default_rng(0), CAPTION_ROWS)
        return spread_captions([row.text for row in rows], self.text_encoder)

    @torch.inference_mode()
    def sample(self, prompts: list[str], latents: Tensor, ema: bool = True) -> tuple[Tensor, Tensor]:
        """Prompts [n] and latents [n, latent_dim] -> image [n, C, S, S] and log-mel [n, bands, T], on the CPU."""
        generator = self.ema if ema else self.generator
        embeddings = self.text_encoder.encode(prompts).to(self.device)
        image, mel = generator(embeddings, latents.to(self.device))
        return image.float().cpu(), mel.float().cpu()


def _augmentation(p: float, items: int) -> float:
    """The probability asked for, or one that suits a bank of so many items."""
    return p if p >= 0 else 0.5 if items < FEW_ITEMS else 0.0


def _nudge(p: float, sign: float, target: float, rate: float) -> float:
    return float(np.clip(p + math.copysign(rate, sign - target), 0.0, 0.85))
