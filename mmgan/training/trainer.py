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

from ..config import EMBEDDING_DIM, TrainingConfig
from ..data import Dataset
from ..data.loader import Batch, Loader
from ..errors import TrainingError
from ..models import Discriminators, Generator
from ..models.layers import unit
from ..models.modalities import MODALITIES
from ..models.modalities.augment import Allowed, Plan
from ..text.encoder import TextEncoder
from ..text.familiarity import spread_captions
from .game import MATCHED, Game, Slice
from .losses import LOSSES, mean
from .terms import DISCRIMINATOR, GENERATOR, TERMS, penalty

FEW_ITEMS = 5_000  # with fewer items of a modality, it is augmented
SPREAD_ROWS = 64  # real rows from which the spread of the data is estimated
TWIN_ROWS = 256  # real rows from which the distance of twins is estimated
CAPTION_ROWS = 2_048  # rows among whose captions a model's are chosen
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
    draws: Tensor | None  # [B, match_draws, latent_dim], where samples are matched with real rows


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
            raise TrainingError("training.float32")
        self.config, self.dataset, self.text_encoder = config, dataset, text_encoder
        self.accelerator = accelerator or Accelerator(cpu=not torch.cuda.is_available())
        self.device = self.accelerator.device
        how, losses, seed = config.optimization, config.losses, config.schedule.seed
        bf16 = how.precision == "bf16" or (how.precision == "auto" and self.device.type == "cuda")
        parts = self.accelerator.num_processes * how.accumulate
        if how.batch_size % (4 * parts):
            # Rows are twins in twos and wrong partners in fours, so no slice may cut between them.
            raise TrainingError("runs.bad_slices", size=how.batch_size, slices=parts, divisor=4 * parts)
        self.loader = Loader(dataset, config.model, how.batch_size, seed)
        torch.manual_seed(seed)
        layout = {"device": self.device, "memory_format": torch.channels_last}
        self.generator = Generator(config.model).to(**layout)
        self.discriminators = Discriminators(config.model).to(**layout)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.optimizer_g = self._optimizer(self.generator)
        self.optimizer_d = self._optimizer(self.discriminators)
        self.loss = LOSSES[losses.loss]
        self.penalty = self.loss.penalty if losses.penalty == "auto" else losses.penalty
        spreads = self._spreads()
        self.gamma = losses.gamma or losses.gamma_share * max(sum(spreads.values()), 1.0)
        counts = {name: MODALITIES[name].count(dataset) for name in config.model.modalities}
        present = [name for name, count in counts.items() if count]
        self.game = Game(config, self.loss, self.generator, self.discriminators, bf16, spreads, present)
        if losses.match_weight:
            self.game.measure_matches([self.loader.batch(step) for step in range(MATCHED // how.batch_size + 1)])
        if losses.twin_spread_weight:
            self.game.measure_twins(map(self.loader.batch, range(TWIN_ROWS // how.batch_size + 1)))
        self.step_count = self.examples_seen = 0
        asked = config.augmentation.probability
        self.augment = {name: _augmentation(asked.get(name, -1.0), count) for name, count in counts.items()}
        self.allowed = Allowed()  # augmentations that leave captions true
        self.info: dict = {}  # what else the model's config.json should hold
        self.progress = 0.0  # share of the training that is done, 0..1; sets the learning rate

    def _optimizer(self, module: torch.nn.Module) -> torch.optim.Optimizer:
        c = self.config.optimization
        if c.optimizer == "sgd":
            return torch.optim.SGD(module.parameters(), lr=c.learning_rate, momentum=c.beta1)
        return torch.optim.Adam(module.parameters(), lr=c.learning_rate, betas=(c.beta1, c.beta2), fused=True)

    def _spreads(self) -> dict[str, float]:
        """By modality, the mean squared distance between two real rows, from a few batches."""
        batches = [self.loader.batch(step) for step in range(SPREAD_ROWS // self.loader.batch_size + 1)]
        spreads = {}
        for name in self.config.model.modalities:
            rows = torch.cat([batch.rows[name][batch.has[name]] for batch in batches]).flatten(1)
            spreads[name] = max(0.5, 2 * rows.var(dim=0).sum().item() if len(rows) > 1 else 0.0)
        return spreads

    def step(self) -> dict[str, float]:
        """One update of both networks; returns its losses, averaged over the batch.

        Raises:
            TrainingError: a loss is not a number. The networks are then as they were before the step.
        """
        c, batch, draw = self.config, self.loader.batch(self.step_count), self._draw()
        self._set_rate()
        self.optimizer_g.zero_grad(set_to_none=True)
        self.optimizer_d.zero_grad(set_to_none=True)
        captions, wrong = self._embedded(batch, draw.text_noise)

        accumulate = c.optimization.accumulate
        size = len(batch) // (self.accelerator.num_processes * accumulate)
        first = self.accelerator.process_index * accumulate
        totals: dict[str, Tensor] = {}
        for part in range(first, first + accumulate):
            at = self._slice(batch, draw, captions, wrong, slice(part * size, (part + 1) * size))
            for name, value in self._gradients(at).items():
                totals[name] = totals.get(name, 0.0) + value.detach() / accumulate
        means = self._average_over_processes(totals)
        if not all(math.isfinite(value) for value in means.values()):
            raise TrainingError("training.diverged", step=self.step_count)
        if c.optimization.max_gradient:
            for module in (self.generator, self.discriminators):
                torch.nn.utils.clip_grad_norm_(module.parameters(), c.optimization.max_gradient)
        self.optimizer_g.step()
        self.optimizer_d.step()
        self.step_count += 1
        self.examples_seen += len(batch)
        self._average_weights(len(batch))
        self._adapt_augmentation(means, len(batch))
        return means | {f"augment_{name}": p for name, p in self.augment.items()}

    # What one step computes ---------------------------------------------------------------------------------------

    def _embedded(self, batch: Batch, text_noise: Tensor) -> tuple[Tensor, Tensor]:
        """Captions and wrong captions [N, 384], a little off, so that unseen phrasings fall between seen ones."""
        noise = self.config.augmentation.text_noise * text_noise.to(self.device) / math.sqrt(EMBEDDING_DIM)
        texts = batch.texts, batch.wrong_texts
        right, wrong = (unit(self.text_encoder.encode(some).to(self.device) + noise) for some in texts)
        return right, wrong

    def _slice(self, batch: Batch, draw: Draw, captions: Tensor, wrong: Tensor, rows: slice) -> Slice:
        """Rows ``rows`` of the batch, what is generated for them, and what the critics say of both."""
        game, part = self.game, batch.slice(rows.start, rows.stop).to(self.device)
        latents, noise, between = (x[rows].to(self.device) for x in (draw.latents, draw.noise, draw.between))
        at = Slice(
            batch, part, rows, captions, captions[rows], wrong[rows], latents, noise, between, game.counts(part),
            self.progress, None if draw.draws is None else draw.draws[rows].to(self.device),
        )  # fmt: skip
        at.generated = game.generate(at.caption, latents)
        at.fake_inputs = self._augmented(at.generated, draw.plan_fake, rows)
        at.real_inputs = self._augmented({name: part.rows[name] for name in game.present}, draw.plan_real, rows)
        for x in at.real_inputs.values():
            x.requires_grad_(self._penalised())
        at.real, at.fake = game.scores(at.real_inputs, at.caption), game.scores(at.fake_inputs, at.caption)
        return at

    def _gradients(self, at: Slice) -> dict[str, Tensor]:
        """Adds the gradients of the slice's rows to both networks; returns the loss terms."""
        c, found = self.config, {}
        losses = dict.fromkeys((GENERATOR, DISCRIMINATOR), torch.zeros((), device=self.device))
        for term in TERMS:
            if weight := term.weight(c.losses, at.progress):
                found[term.name] = term.value(self.game, at)
                for player in term.players:
                    losses[player] = losses[player] + weight * found[term.name]
            else:
                found[term.name] = torch.zeros((), device=self.device)
        if self._penalised():
            found["penalty"] = self._penalty_weight() * penalty(self.penalty, self.game, at)
            losses[DISCRIMINATOR] = losses[DISCRIMINATOR] + c.losses.penalty_interval * found["penalty"]

        # The generator's gradient first: the discriminators' comes from the same graph and then frees it.
        share, parameters = c.optimization.accumulate, list(self.generator.parameters())
        gradients = torch.autograd.grad(losses[GENERATOR] / share, parameters, retain_graph=True, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        learning = [parameter for parameter in self.discriminators.parameters() if parameter.requires_grad]  # FreezeD
        (losses[DISCRIMINATOR] / share).backward(inputs=learning)
        return found | self._signs(at)

    def _signs(self, at: Slice) -> dict[str, Tensor]:
        """By modality, how sure the critic is of real rows, -1..1 (Karras et al. 2020, eq. 1)."""
        signs = {f"sign_{name}": at.caption.new_zeros(()) for name in self.config.model.modalities}
        for name in self.game.present:
            # A relativistic critic has no zero: its score of a real row means something only beside a generated one.
            zero = at.fake.values[name] if self.config.losses.loss == "relativistic" else 0.0
            signs[f"sign_{name}"] = mean((at.real.values[name] - zero).sign(), at.counts[name])
        return signs

    def _augmented(self, rows: dict[str, Tensor], plan: Plan, part: slice) -> dict[str, Tensor]:
        plan = plan.slice(part.start, part.stop, self.device)
        return {name: MODALITIES[name].augment(x, plan, self.augment[name], self.allowed) for name, x in rows.items()}

    # Around the step ----------------------------------------------------------------------------------------------

    def _draw(self) -> Draw:
        c, n = self.config, self.config.optimization.batch_size
        generator = torch.Generator().manual_seed(c.schedule.seed * 1_000_003 + self.step_count)
        return Draw(
            torch.randn(n, c.model.latent_dim, generator=generator),
            torch.randn(n, EMBEDDING_DIM, generator=generator),
            torch.rand(n, generator=generator),
            Plan.draw(n, generator),
            Plan.draw(n, generator),
            torch.randn(n, c.model.latent_dim, generator=generator),
            torch.randn(n, c.losses.match_draws, c.model.latent_dim, generator=generator)
            if c.losses.match_weight
            else None,
        )

    def _set_rate(self) -> None:
        """Cosine from the learning rate to ``final_rate`` of it (Loshchilov and Hutter 2017)."""
        c = self.config.optimization
        share = c.final_rate + (1 - c.final_rate) * (1 + math.cos(math.pi * min(1.0, self.progress))) / 2
        for optimizer in (self.optimizer_g, self.optimizer_d):
            for group in optimizer.param_groups:
                group["lr"] = c.learning_rate * share

    def _penalised(self) -> bool:
        """Whether this step has a penalty: every so many, as much heavier (lazy regularisation, Karras et al. 2020)."""
        return self.penalty != "none" and self.step_count % self.config.losses.penalty_interval == 0

    def _penalty_weight(self) -> float:
        """Of R1 and R2: falls to ``gamma_final`` of itself, by equal factors, until half of the training is done.

        Smooth critics guide a generator that is far off; sharp ones see what is left (R3GAN, Huang et al. 2024).
        """
        losses = self.config.losses
        if self.penalty == "gp":
            return losses.gp_weight
        return self.gamma * losses.gamma_final ** min(1.0, 2 * self.progress)

    def _average_over_processes(self, totals: dict[str, Tensor]) -> dict[str, float]:
        """Averages gradients over the processes, and returns the means of the loss terms; one message for each."""
        names = list(totals)
        values = torch.stack([totals[name].float() for name in names])
        if self.accelerator.num_processes > 1:
            values = self.accelerator.reduce(values, "mean")
            for module in (self.generator, self.discriminators):
                gradients = [p.grad for p in module.parameters() if p.grad is not None]
                flat = self.accelerator.reduce(torch.cat([g.flatten() for g in gradients]), "mean")
                for gradient, piece in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                    gradient.copy_(piece.view_as(gradient))
        return dict(zip(names, values.tolist(), strict=True))

    @torch.no_grad()
    def _average_weights(self, examples: int) -> None:
        """The exponential moving average of the generator's weights that samples come from (Karras et al. 2018)."""
        half_life = min(self.config.optimization.ema_images, EMA_WARM_UP * self.step_count * examples)
        keep = 0.5 ** (examples / max(half_life, 1e-8))
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.generator.parameters()), 1 - keep)

    def _adapt_augmentation(self, terms: dict[str, float], examples: int) -> None:
        """Adaptive augmentation (Karras et al. 2020, ADA): more while the discriminator is too sure of real rows."""
        target = self.config.augmentation.augment_target
        if target:
            rate = examples / 50_000  # from 0 to 1 within so many examples
            self.augment = {name: _nudge(p, terms[f"sign_{name}"], target, rate) for name, p in self.augment.items()}

    @functools.cached_property
    def captions(self) -> list[str]:
        """A few hundred captions that represent the dataset's, for the model to keep."""
        rows = self.dataset.rows(np.random.default_rng(0), CAPTION_ROWS)
        return spread_captions([row.text for row in rows], self.text_encoder)

    @torch.inference_mode()
    def sample(self, prompts: list[str], latents: Tensor, ema: bool = True) -> dict[str, Tensor]:
        """Prompts [n] and latents [n, latent_dim] -> rows by modality, on the CPU."""
        generator = self.ema if ema else self.generator
        embeddings = self.text_encoder.encode(prompts).to(self.device)
        return {name: rows.float().cpu() for name, rows in generator(embeddings, latents.to(self.device)).items()}


def _augmentation(p: float, items: int) -> float:
    """The probability asked for, or one that suits a bank of so many items."""
    return p if p >= 0 else 0.5 if items < FEW_ITEMS else 0.0


def _nudge(p: float, sign: float, target: float, rate: float) -> float:
    return float(np.clip(p + math.copysign(rate, sign - target), 0.0, 0.85))
