"""The terms that the two players' losses are made of. A new one is a class, and a line in ``TERMS``.

Every term is a mean over the slice's rows in which a row adds nothing to what it lacks, so that the slices of a batch
add up to the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from ..config import LossConfig
from ..models.image_features import ImageFeatures, apart
from ..models.modalities import MODALITIES
from .game import JOINT, Game, Scores, Slice
from .losses import contrastive, mean, slope_towards_one, squared_slope

GENERATOR, DISCRIMINATOR = "generator", "discriminator"

# Captions closer than NEAR must have styles STYLE_MARGIN apart, as a share of their size. Captions of shapes with the
# same words lie up to 0.055 apart, all others 0.08 or more. Styles that the shapes' model told apart lay 0.9 apart in
# the median, those that it mixed up 0.02.
NEAR, STYLE_MARGIN = 0.1, 1.0
# Weight of captions that are not near in matching means. Without them, the sounds' envelopes came out worse.
FAR_SHARE = 0.25


class Term(ABC):
    """One thing that one or both players minimise as ``value``.

    Attributes:
        name: in the metrics of a run.
        players: whose loss the term is part of.
    """

    name: str
    players: tuple[str, ...]

    @abstractmethod
    def weight(self, losses: LossConfig, progress: float) -> float:
        """Its weight when the share ``progress`` of the training is done; 0 leaves it out."""

    @abstractmethod
    def value(self, game: Game, at: Slice) -> Tensor:
        """The term of the slice's rows, a scalar."""


def fading(weight: float, share: float, progress: float) -> float:
    """``weight``, falling linearly to 0 within ``share`` of the training."""
    return weight * max(0.0, 1 - progress / share)


class AsReal(Term):
    """Generated rows are to be scored as real."""

    name, players = "generator", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return 1.0

    def value(self, game: Game, at: Slice) -> Tensor:
        values = {
            name: game.loss.generator(at.real.values[name].detach(), fake) for name, fake in at.fake.values.items()
        }
        return game.weighted(values, at.counts)


class RealOverFake(Term):
    """Real rows are to be scored over generated ones."""

    name, players = "discriminator", (DISCRIMINATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return 1.0

    def value(self, game: Game, at: Slice) -> Tensor:
        values = {name: game.loss.discriminator(real, at.fake.values[name]) for name, real in at.real.values.items()}
        return game.weighted(values, at.counts)


class WrongCaption(Term):
    """Real rows are to score higher than the same rows under another caption (matching-aware; Reed et al. 2016)."""

    name, players = "wrong_caption", (DISCRIMINATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.wrong_caption_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        wrong = game.values(at.real.features, at.wrong_caption)
        values = {name: game.loss.discriminator(at.real.values[name], value) for name, value in wrong.items()}
        return game.weighted(values, at.counts)


class WrongPartner(Term):
    """Real rows are to belong together more than with the others of the row after the next, of another concept."""

    name, players = "wrong_partner", (DISCRIMINATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.wrong_partner_weight * losses.joint_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        if JOINT not in at.real.values:
            return at.caption.new_zeros(())
        other = torch.arange(len(at.part), device=game.device) ^ 2  # 2 3 0 1 6 7 4 5 ...
        differs = ~game.same_concept(at.part, 2)
        first, *rest = at.real.features.items()  # the picture stays, the sound is another's
        features = dict([first]) | {name: described[other] for name, described in rest}
        swapped = game.discriminators.joint_score(features, at.caption)
        counts = at.counts[JOINT]
        return mean(game.loss.discriminator(at.real.values[JOINT], swapped), counts * counts[other] * differs)


class Recognition(Term):
    """A row's features must pick its caption among other concepts' in the batch and its own wrong one."""

    def scores(self, at: Slice) -> Scores:
        raise NotImplementedError

    def value(self, game: Game, at: Slice) -> Tensor:
        index = torch.arange(at.rows.start, at.rows.stop, device=game.device)
        concepts = np.array(at.batch.concepts, object)
        excluded = torch.from_numpy(np.equal.outer(concepts[at.rows], concepts).astype(bool)).to(game.device)
        excluded[torch.arange(len(index)), index] = False
        excluded = torch.cat([excluded, torch.zeros_like(excluded[:, :1])], dim=1)  # [B, N + 1]
        total = at.caption.new_zeros(())
        for name, critic in game.critics.items():
            features = self.scores(at).features[name]
            similarity = critic.similarity(features, at.captions)  # [B, N]
            own_wrong = critic.row_similarity(features, at.wrong_caption)  # [B]
            similarity = torch.cat([similarity, own_wrong[:, None]], dim=1)
            picked = contrastive(similarity, index, excluded, game.weights.temperature)
            total = total + mean(picked, at.counts[name])
        return total


class RealRecognition(Recognition):
    name, players = "contrastive", (DISCRIMINATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.contrastive_weight

    def scores(self, at: Slice) -> Scores:
        return at.real


class FakeRecognition(Recognition):
    name, players = "generator_contrastive", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return fading(losses.generator_contrastive_weight, losses.recognition_share, progress)

    def scores(self, at: Slice) -> Scores:
        return at.fake


class Unread(Term):
    """-log q(latents | generated row), the mean over latents and modalities (InfoGAN, Chen et al. 2016)."""

    name, players = "latents", (GENERATOR, DISCRIMINATOR)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.latent_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        shared, own = split(game, at.latents)
        total = at.caption.new_zeros(())
        for name, critic in game.critics.items():
            middle, log_variance = critic.latents(at.fake.features[name])
            error = (middle - torch.cat([shared, own[name]], dim=1)).square() * (-log_variance).exp() + log_variance
            total = total + mean(error.mean(1), at.counts[name]) / 4
        return total


class Reconstruction(Term):
    """A conditional VAE's loss, with the critics as its encoder and the generator as its decoder.

    Errors in pixels say in a few hundred steps what scores take thousands for (Larsen et al. 2016). Every second row is
    enough.
    """

    name, players = "reconstruction", (GENERATOR, DISCRIMINATOR)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return fading(losses.reconstruction_weight, losses.reconstruction_share, progress)

    def value(self, game: Game, at: Slice) -> Tensor:
        some = torch.arange(len(at.part), device=game.device)
        some = some[(some % 4 == 0) | (some % 4 == 3)]  # one of each pair of twins, whichever slice they are in
        middle, log_variance = (x[some] for x in self.posterior(game, at.real, at.counts))
        made = game.generate(at.caption[some], middle + (log_variance / 2).exp() * at.noise[some])
        divergence = (middle.square() + log_variance.exp() - log_variance - 1).sum(1) / 2  # from the prior, in nats
        total = game.weights.divergence_weight * divergence.mean()
        for name, rows in made.items():
            error = (rows - at.part.rows[name][some]).square().flatten(1).sum(1)
            total = total + mean(error, at.counts[name][some]) / game.spreads[name]
        return total

    def posterior(self, game: Game, real: Scores, counts: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Mean and log-variance [B, L] of the latents of real rows, the prior's where a modality is missing.

        What the modalities say of the shared latents multiplies with the prior (Wu and Goodman 2018).
        """
        model = game.config.model
        shared, like = model.latent_shared, next(iter(real.features.values()))
        weighted, precisions = like.new_zeros(len(like), shared), like.new_ones(len(like), shared)
        zeros = {name: like.new_zeros(len(like), section.latent) for name, section in model.modalities.items()}
        means, log_variances = dict(zeros), dict(zeros)
        for name, critic in game.critics.items():
            there = counts[name][:, None]
            middle, log_variance = critic.latents(real.features[name])
            precision = there * (-log_variance[:, :shared]).exp()
            weighted, precisions = weighted + precision * middle[:, :shared], precisions + precision
            means[name], log_variances[name] = there * middle[:, shared:], there * log_variance[:, shared:]
        return (
            torch.cat([weighted / precisions, *means.values()], dim=1),
            torch.cat([-precisions.log(), *log_variances.values()], dim=1),
        )


class Match(Term):
    """How far each picture is from the most similar of several samples of its caption (IMLE, Li and Malik 2018).

    Every file draws some sample to itself, so none is forgotten, and what critics know of photographs does not matter.
    Samples that are as near as copies draw nothing and are not drawn (RS-IMLE, Vashist et al. 2024): others are, until
    the prior makes things between the files as well. Pictures are compared through frozen eyes.
    """

    name, players = "match", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return fading(losses.match_weight, losses.match_share, progress)

    def value(self, game: Game, at: Slice) -> Tensor:
        some = torch.arange(len(at.part), device=game.device)
        some = some[(some % 8 == 0) | (some % 8 == 7)]  # a quarter: making the draws is what costs
        total = at.caption.new_zeros(())
        for name in game.present:
            eyes = MODALITIES[name].eyes(game.device)
            if eyes is None or at.draws is None:
                continue
            rows, counts = at.part.rows[name][some], at.counts[name][some]
            with torch.no_grad():
                real = eyes.directions(rows)
                latents = self.nearest(game, name, at.caption[some], at.draws[some], eyes, real)
            made = game.generate(at.caption[some], latents, [name])[name]
            seen = apart(eyes.directions(made), real)
            pixels = (made - rows).square().flatten(1).sum(1) / game.spreads[name]
            total = total + mean(seen + pixels, counts)
        return total

    def nearest(
        self, game: Game, name: str, caption: Tensor, draws: Tensor, eyes: ImageFeatures, real: list[Tensor]
    ) -> Tensor:
        """Of each row's draws [n, draws, L], the latents [n, L] whose sample is most like it without being a copy."""
        distances = []
        for latents in draws.unbind(1):
            made = game.generate(caption, latents, [name])[name]
            distances.append(apart(eyes.directions(made), real))
        found = torch.stack(distances, dim=1)  # [n, draws]
        free = found.masked_fill(found < game.match_radius[name], float("inf"))
        return draws[torch.arange(len(draws), device=draws.device), free.argmin(dim=1)]


class Range(Term):
    """How far generated values lie beyond -1 and 1, which can neither be shown nor played; 0 within.

    The output is linear, and the wish to be recognised drives it beyond: redder than red.
    """

    name, players = "range", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.range_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        total = at.caption.new_zeros(())
        for name, made in at.generated.items():
            beyond = (made.abs() - 1).clamp(min=0).square().flatten(1).sum(1)
            total = total + mean(beyond, at.counts[name]) / game.spreads[name]
        return total


class CaptionMargin(Term):
    """How much of ``STYLE_MARGIN`` is missing between the styles of captions and wrong captions that are near.

    Sentences of the same words lie close together: "blue on yellow", "yellow on blue". A mapping that takes them for
    one is trapped, since what the critics ask of the one undoes what they ask of the other. Like mode seeking (Mao et
    al. 2019), but for captions; pairs farther apart than ``NEAR`` are not affected.
    """

    name, players = "caption_margin", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.caption_margin_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        mapping, near = game.generator.mapping, nearness(at.caption, at.wrong_caption)
        right, wrong = mapping(at.caption, at.latents), mapping(at.wrong_caption, at.latents)
        total = at.caption.new_zeros(())
        for name in game.present:
            size = right[name].detach().square().mean(1)
            distance = ((right[name] - wrong[name]).square().mean(1) / size + 1e-8).sqrt()
            total = total + mean(near * (1 - distance / STYLE_MARGIN).clamp(min=0), at.counts[name])
        return total


class CaptionMean(Term):
    """How far the mean of what is generated for a caption lies from the mean of its real rows, squared; no bias.

    The unit is the mean squared distance between two real rows. Twins are two draws each, so (g1 - r1) (g2 - r2) has
    that distance as its expectation: moment matching with a linear kernel (Li et al. 2015), which unlike an error in
    pixels does not make samples alike. It leads straight from a yellow star on blue to a blue one on yellow,
    where scores, flat around everything that looks real, lead nowhere. Captions that lie near to their wrong ones count
    most, the others ``FAR_SHARE``.
    """

    name, players = "caption_mean", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.caption_mean_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        near = nearness(at.caption, at.wrong_caption).clamp(min=FAR_SHARE)
        other = torch.arange(len(at.part), device=game.device) ^ 1
        total = at.caption.new_zeros(())
        for name, made in at.generated.items():
            difference = (made - at.part.rows[name]).flatten(1)
            product = near * (difference * difference[other]).sum(1)
            total = total + mean(product, at.counts[f"{name}_twins"]) / game.spreads[name]
        return total


class TwinSpread(Term):
    """How much nearer to each other generated twins are than real ones, as a share; 0 where they are as far apart.

    Mode seeking (Mao et al. 2019) up to a distance (Yang et al. 2019), here the one of the data. A base whose captions
    say all that there is to a sound has no use for noise, and a few minutes of critics do not teach it one.
    """

    name, players = "twin_spread", (GENERATOR,)

    def weight(self, losses: LossConfig, progress: float) -> float:
        return losses.twin_spread_weight

    def value(self, game: Game, at: Slice) -> Tensor:
        total = at.caption.new_zeros(())  # where no caption has two files
        for name, rows in at.generated.items():
            if game.twin_spreads[name]:
                near = (1 - game.apart(name, rows) / game.twin_spreads[name]).clamp(min=0)
                total = total + mean(near, at.counts[f"{name}_twins"])
        return total


TERMS: tuple[Term, ...] = (
    AsReal(), RealOverFake(), WrongCaption(), WrongPartner(), RealRecognition(), FakeRecognition(), Unread(),
    Reconstruction(), Match(), Range(), CaptionMargin(), CaptionMean(), TwinSpread(),
)  # fmt: skip


def penalty(kind: str, game: Game, at: Slice) -> Tensor:
    """What keeps the critics smooth, unweighted: "r1", "r1r2", or "gp" at points ``between`` real and generated."""
    ones = torch.ones(len(at.caption), device=game.device)
    if kind == "gp":
        mixed = {
            name: torch.lerp(
                real.detach(), at.fake_inputs[name].detach(), 1 - at.between.view(-1, *[1] * (real.dim() - 1))
            ).requires_grad_()
            for name, real in at.real_inputs.items()
        }
        score = game.scores(mixed, at.caption).total(at.counts)
        return mean(slope_towards_one(score, list(mixed.values())), ones)
    value = mean(squared_slope(at.real.total(at.counts), list(at.real_inputs.values())), ones)
    if kind == "r1r2":
        value = value + mean(squared_slope(at.fake.total(at.counts), list(at.fake_inputs.values())), ones)
    return value / 2


def nearness(caption: Tensor, wrong_caption: Tensor) -> Tensor:
    """Embeddings [B, 384] -> [B], from 1 for the same one to 0 for those that are ``NEAR`` or farther apart."""
    return (1 - (caption - wrong_caption).norm(dim=1) / NEAR).clamp(min=0)


def split(game: Game, latents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Latents [B, L] -> those that all modalities share, and each one's own by name."""
    shared, *own = latents.split(game.config.model.latent_sizes, dim=1)
    return shared, dict(zip(game.config.model.modalities, own, strict=True))
