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
from .augment import Plan, augment_image, augment_mel
from .losses import LOSSES, contrastive, mean, slope_towards_one, squared_slope

FEW_ITEMS = 5_000  # pictures or sounds; banks of fewer are augmented
SPREAD_ROWS = 64  # real rows from which the spread of the data is estimated
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


@dataclass
class Scores:
    """What the discriminators say of B rows; the columns are image, audio, joint, image twins, audio twins."""

    image_features: Tensor  # [B, F]
    audio_features: Tensor  # [B, F]
    values: Tensor  # [B, 5]


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
        self.gamma = config.gamma or config.gamma_share * self._spread()
        self.step_count = 0
        self.augment_image = _augmentation(config.augment_image, dataset.num_images)
        self.augment_audio = _augmentation(config.augment_audio, dataset.num_sounds)
        self.progress = 0.0  # share of the training that is done, 0..1; sets the learning rate

    def _optimizer(self, module: torch.nn.Module) -> torch.optim.Optimizer:
        c = self.config
        if c.optimizer == "sgd":
            return torch.optim.SGD(module.parameters(), lr=c.learning_rate, momentum=c.beta1)
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[c.optimizer]
        return kind(
            module.parameters(), lr=c.learning_rate, betas=(c.beta1, c.beta2), weight_decay=c.weight_decay, fused=True
        )

    def _spread(self) -> float:
        """Mean squared distance between two real rows, pictures and log-mels together, from a few batches."""
        batches = [self.loader.batch(step) for step in range(SPREAD_ROWS // self.config.batch_size + 1)]
        spread = 0.0
        for name, has in (("image", "has_image"), ("mel", "has_audio")):
            rows = torch.cat([getattr(batch, name)[getattr(batch, has)] for batch in batches]).flatten(1)
            spread += 2 * rows.var(dim=0).sum().item() if len(rows) > 1 else 0.0
        return max(spread, 1.0)

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
        self._average_weights(len(batch))
        self._adapt_augmentation(totals, len(batch))
        return {**totals, "augment_audio": self.augment_audio, "augment_image": self.augment_image}

    # What one step computes ---------------------------------------------------------------------------------------

    def _gradients(self, batch: Batch, draw: Draw, embeddings: Tensor, wrong: Tensor, rows: slice) -> dict[str, Tensor]:
        """Adds the gradients of rows ``rows`` of the batch to both networks; returns the loss terms."""
        c, part = self.config, batch.slice(rows.start, rows.stop).to(self.device)
        real_plan = draw.plan_real.slice(rows.start, rows.stop, self.device)
        fake_plan = draw.plan_fake.slice(rows.start, rows.stop, self.device)
        caption, wrong_caption = embeddings[rows], wrong[rows]
        counts = self._counts(part)  # [B, 5]
        weights = torch.tensor([1.0, 1.0, c.joint_weight, c.twin_weight, c.twin_weight], device=self.device)
        latents = draw.latents[rows].to(self.device)
        penalised = self.penalty != "none" and self.step_count % c.penalty_interval == 0

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            fake_image, fake_mel = self.generator(caption, latents)
        fake_inputs = [
            augment_image(fake_image.float(), fake_plan, self.augment_image),
            augment_mel(fake_mel.float(), fake_plan, self.augment_audio),
        ]
        real_inputs = [
            augment_image(part.image, real_plan, self.augment_image).requires_grad_(penalised),
            augment_mel(part.mel, real_plan, self.augment_audio).requires_grad_(penalised),
        ]
        real = self._scores(real_inputs, caption)
        fake = self._scores(fake_inputs, caption)

        # The generator's wish: to be scored as real, and to be recognised by its caption.
        score = self._weighted(self.loss.generator(real.values.detach(), fake.values), counts, weights)
        match = self._contrast(fake, batch, embeddings, wrong_caption, rows, counts)
        recovered = self._recovered(fake, latents, counts)
        g_loss = score + self._recognition_weight() * match + c.latent_weight * recovered
        g_parameters = list(self.generator.parameters())
        gradients = torch.autograd.grad(g_loss / c.accumulate, g_parameters, retain_graph=True, allow_unused=True)
        for parameter, gradient in zip(g_parameters, gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient

        # The discriminators': real over generated, right over wrong caption, right over wrong partner.
        adversarial = self._weighted(self.loss.discriminator(real.values, fake.values), counts, weights)
        captioned = self._caption_scores(real, wrong_caption)
        mismatch = self._weighted(self.loss.discriminator(real.values[:, :3], captioned), counts, weights)
        partner = self._wrong_partner(real, part, caption, counts)
        recognise = self._contrast(real, batch, embeddings, wrong_caption, rows, counts)
        d_loss = (
            adversarial
            + c.wrong_caption_weight * mismatch
            + c.wrong_partner_weight * c.joint_weight * partner
            + c.contrastive_weight * recognise
            + c.latent_weight * recovered
        )
        terms = {
            "generator": score, "discriminator": adversarial, "wrong_caption": mismatch, "wrong_partner": partner,
            "contrastive": recognise, "generator_contrastive": match, "latents": recovered,
            "sign_image": mean(real.values[:, 0].sign(), counts[:, 0]),
            "sign_audio": mean(real.values[:, 1].sign(), counts[:, 1]),
        }  # fmt: skip
        if penalised:
            terms["penalty"] = penalty = self._penalty(
                real_inputs, fake_inputs, real, fake, caption, draw, rows, counts
            )
            d_loss = d_loss + c.penalty_interval * penalty
        (d_loss / c.accumulate).backward(inputs=list(self.discriminators.parameters()))
        return terms

    def _scores(self, inputs: list[Tensor], caption: Tensor) -> Scores:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            image, audio = self.discriminators.features(*inputs)
        image, audio = image.float(), audio.float()
        twins = self.discriminators.twin_scores(image, audio, caption)
        return Scores(image, audio, torch.cat([self._values(image, audio, caption), twins], dim=1))

    def _values(self, image: Tensor, audio: Tensor, caption: Tensor) -> Tensor:
        d = self.discriminators
        scores = [d.image.score(image, caption), d.audio.score(audio, caption), d.joint_score(image, audio, caption)]
        return torch.stack(scores, dim=1)

    def _caption_scores(self, scores: Scores, caption: Tensor) -> Tensor:
        """The same rows under another caption, [B, 3]."""
        return self._values(scores.image_features, scores.audio_features, caption)

    def _same_concept(self, part: Batch, distance: int) -> Tensor:
        """Whether row i and row i ^ distance share their concept, bool [B]."""
        same = [part.concepts[i] == part.concepts[i ^ distance] for i in range(len(part))]
        return torch.tensor(same, device=self.device)

    def _counts(self, part: Batch) -> Tensor:
        """1 where a row has what a critic looks at, else 0, [B, 5]."""
        image, audio, twins = part.has_image, part.has_audio, self._same_concept(part, 1)
        other = torch.arange(len(part), device=self.device) ^ 1
        counts = [image, audio, image & audio, twins & image & image[other], twins & audio & audio[other]]
        return torch.stack(counts, dim=1).float()

    @staticmethod
    def _weighted(values: Tensor, counts: Tensor, weights: Tensor) -> Tensor:
        """Values [B, K] summed over critics by weight, averaged over the rows that have what the critic looks at."""
        return sum(weights[k] * mean(values[:, k], counts[:, k]) for k in range(values.shape[1]))

    def _wrong_partner(self, real: Scores, part: Batch, caption: Tensor, counts: Tensor) -> Tensor:
        """Real pictures with the real sound of the row after the next, where the two rows' concepts differ."""
        other = torch.arange(len(part), device=self.device) ^ 2  # 2 3 0 1 6 7 4 5 ...
        differs = ~self._same_concept(part, 2)
        swapped = self.discriminators.joint_score(real.image_features, real.audio_features[other], caption)
        return mean(self.loss.discriminator(real.values[:, 2], swapped), counts[:, 2] * counts[other, 2] * differs)

    def _contrast(
        self, scores: Scores, batch: Batch, embeddings: Tensor, wrong_caption: Tensor, rows: slice, counts: Tensor
    ) -> Tensor:
        """Each row's features must pick its caption among other concepts' in the batch and its own wrong one."""
        index = torch.arange(rows.start, rows.stop, device=self.device)
        same = np.equal.outer(np.array(batch.concepts[rows], object), np.array(batch.concepts, object))
        excluded = torch.from_numpy(same.astype(bool)).to(self.device)
        excluded[torch.arange(len(index)), index] = False
        excluded = torch.cat([excluded, torch.zeros_like(excluded[:, :1])], dim=1)  # [B, N + 1]
        total = 0.0
        for k, (critic, features) in enumerate(
            [(self.discriminators.image, scores.image_features), (self.discriminators.audio, scores.audio_features)]
        ):
            similarity = critic.similarity(features, embeddings)  # [B, N]
            own_wrong = critic.row_similarity(features, wrong_caption)  # [B]
            similarity = torch.cat([similarity, own_wrong[:, None]], dim=1)
            total = total + mean(contrastive(similarity, index, excluded, self.config.temperature), counts[:, k])
        return total

    def _recovered(self, fake: Scores, latents: Tensor, counts: Tensor) -> Tensor:
        """Squared error of the latents [B, L] as the critics read them from the generated rows (InfoGAN, eq. 5)."""
        model = self.config.model
        shared, image, audio = latents.split([model.latent_shared, model.latent_image, model.latent_audio], dim=1)
        d = self.discriminators
        of_image = d.image.latents(fake.image_features) - torch.cat([shared, image], dim=1)
        of_audio = d.audio.latents(fake.audio_features) - torch.cat([shared, audio], dim=1)
        return (mean(of_image.square().mean(1), counts[:, 0]) + mean(of_audio.square().mean(1), counts[:, 1])) / 2

    def _penalty(
        self, real_inputs: list[Tensor], fake_inputs: list[Tensor], real: Scores, fake: Scores, caption: Tensor,
        draw: Draw, rows: slice, counts: Tensor,
    ) -> Tensor:  # fmt: skip
        c, ones = self.config, torch.ones(len(caption), device=self.device)
        if self.penalty == "gp":
            between = draw.between[rows].to(self.device)[:, None, None]
            mixed = [
                (between[..., None] if r.dim() == 4 else between) * r.detach()
                + (1 - (between[..., None] if r.dim() == 4 else between)) * f.detach()
                for r, f in zip(real_inputs, fake_inputs, strict=True)
            ]
            mixed = [m.requires_grad_() for m in mixed]
            score = (self._scores(mixed, caption).values * counts).sum(1)
            return c.gp_weight * mean(slope_towards_one(score, mixed), ones)
        value = mean(squared_slope((real.values * counts).sum(1), real_inputs), ones)
        if self.penalty == "r1r2":
            value = value + mean(squared_slope((fake.values * counts).sum(1), fake_inputs), ones)
        return self.gamma / 2 * value

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
        )

    def _set_rate(self) -> None:
        """Cosine from the learning rate to ``final_rate`` of it (Loshchilov and Hutter 2017)."""
        c = self.config
        share = c.final_rate + (1 - c.final_rate) * (1 + math.cos(math.pi * min(1.0, self.progress))) / 2
        for optimizer in (self.optimizer_g, self.optimizer_d):
            for group in optimizer.param_groups:
                group["lr"] = c.learning_rate * share

    def _recognition_weight(self) -> float:
        """The generator's contrastive weight, falling linearly to 0 within ``recognition_share`` of the training."""
        c = self.config
        return c.generator_contrastive_weight * max(0.0, 1 - self.progress / c.recognition_share)

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
