"""The terms that the two networks' losses are made of: what the critics say of a batch, and what is asked of them.

Every term is a mean over the batch's rows in which a row without a picture or a sound adds nothing to what it lacks, so
that the slices of a batch add up to the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import TrainingConfig
from ..data.loader import Batch
from ..models import Critic, Discriminators, Generator
from .losses import Loss, contrastive, mean, slope_towards_one, squared_slope

# Captions nearer to each other than NEAR shall have styles that are STYLE_MARGIN apart, as a share of their size. Those
# of shapes with the same words lie up to 0.055 apart, all others from 0.08 on; styles that the shapes' model told apart
# lay at 0.9 in the middle, those it mixed up at 0.02.
NEAR, STYLE_MARGIN = 0.1, 1.0
# Of captions that are not near, in the matching of means. Without them, the sounds' envelopes came out worse.
FAR_SHARE = 0.25
SAME = 0.01  # of twins that are nearer than this, both are one file
POOLED = 8  # side of the small averages by which twins differ: what noise could differ in is not among them


@dataclass
class Scores:
    """What the discriminators say of B rows; the columns are image, audio, joint, image twins, audio twins."""

    image_features: Tensor  # [B, F]
    audio_features: Tensor  # [B, F]
    values: Tensor  # [B, 5]


def nearness(caption: Tensor, wrong_caption: Tensor) -> Tensor:
    """Embeddings [B, 384] -> [B], from 1 for the same one to 0 for those that are ``NEAR`` or farther apart."""
    return (1 - (caption - wrong_caption).norm(dim=1) / NEAR).clamp(min=0)


def apart(rows: Tensor) -> Tensor:
    """How far each image [B, C, S, S] or log-mel [B, bands, T] is from its twin, [B], by small averages of both."""
    maps = rows if rows.dim() == 4 else rows.unsqueeze(1)
    small = F.adaptive_avg_pool2d(maps, POOLED).flatten(1)
    return ((small - small[torch.arange(len(rows), device=rows.device) ^ 1]).square().mean(1) + 1e-8).sqrt()


class Objectives:
    """Terms of both losses, each a scalar tensor.

    Args:
        spreads: mean squared distance between two real pictures and between two real log-mels, the unit of errors.
        present: whether the data have pictures, and sounds, at all. What they lack is neither made nor looked at, which
            nearly halves a step and changes nothing, since nothing that is missing counts.
    """

    def __init__(
        self, config: TrainingConfig, loss: Loss, generator: Generator, discriminators: Discriminators, bf16: bool,
        spreads: tuple[float, float], present: tuple[bool, bool] = (True, True),
    ):  # fmt: skip
        self.present = present
        self.twin_spreads = [0.0, 0.0]  # of images and log-mels, see measure_twins
        self.config, self.loss, self.bf16, self.spreads = config, loss, bf16, spreads
        self.generator, self.discriminators = generator, discriminators
        self.device = next(discriminators.parameters()).device
        c = config
        self.weights = torch.tensor([1.0, 1.0, c.joint_weight, c.twin_weight, c.twin_weight], device=self.device)

    def generate(self, caption: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Captions [B, 384] and latents [B, L] -> images [B, C, S, S] and log-mels [B, bands, T] in full precision."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            image, mel = self.generator(caption, latents, *self.present)
        return image.float(), mel.float()

    def scores(self, inputs: list[Tensor], caption: Tensor) -> Scores:
        """Images [B, C, S, S] and log-mels [B, bands, T] under captions [B, 384] -> what the critics say."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            image, audio = self.discriminators.features(*inputs, *self.present)
        image, audio = image.float(), audio.float()
        twins = self.discriminators.twin_scores(image, audio, caption)
        return Scores(image, audio, torch.cat([self._values(image, audio, caption), twins], dim=1))

    def _values(self, image: Tensor, audio: Tensor, caption: Tensor) -> Tensor:
        d = self.discriminators
        scores = [d.image.score(image, caption), d.audio.score(audio, caption), d.joint_score(image, audio, caption)]
        return torch.stack(scores, dim=1)

    def _sides(self, scores: Scores) -> Iterator[tuple[int, Critic, Tensor]]:
        """Column, critic and features [B, F] of the modalities that the data have."""
        if self.present[0]:
            yield 0, self.discriminators.image, scores.image_features
        if self.present[1]:
            yield 1, self.discriminators.audio, scores.audio_features

    def _same_concept(self, part: Batch, distance: int) -> Tensor:
        """Whether row i and row i ^ distance share their concept, bool [B]."""
        same = [part.concepts[i] == part.concepts[i ^ distance] for i in range(len(part))]
        return torch.tensor(same, device=self.device)

    def counts(self, part: Batch) -> Tensor:
        """1 where a row has what a critic looks at, else 0, [B, 5]."""
        image, audio, twins = part.has_image, part.has_audio, self._same_concept(part, 1)
        other = torch.arange(len(part), device=self.device) ^ 1
        counts = [image, audio, image & audio, twins & image & image[other], twins & audio & audio[other]]
        return torch.stack(counts, dim=1).float()

    def weighted(self, values: Tensor, counts: Tensor) -> Tensor:
        """Values [B, K] summed over critics by weight, averaged over the rows that have what the critic looks at."""
        return sum(self.weights[k] * mean(values[:, k], counts[:, k]) for k in range(values.shape[1]))

    def wrong_caption(self, real: Scores, caption: Tensor, counts: Tensor) -> Tensor:
        """Real rows should score higher than the same rows under another caption [B, 384]."""
        captioned = self._values(real.image_features, real.audio_features, caption)
        return self.weighted(self.loss.discriminator(real.values[:, :3], captioned), counts)

    def wrong_partner(self, real: Scores, part: Batch, caption: Tensor, counts: Tensor) -> Tensor:
        """Real pictures with the real sound of the row after the next, where the two rows' concepts differ."""
        other = torch.arange(len(part), device=self.device) ^ 2  # 2 3 0 1 6 7 4 5 ...
        differs = ~self._same_concept(part, 2)
        swapped = self.discriminators.joint_score(real.image_features, real.audio_features[other], caption)
        return mean(self.loss.discriminator(real.values[:, 2], swapped), counts[:, 2] * counts[other, 2] * differs)

    def contrast(
        self, scores: Scores, batch: Batch, embeddings: Tensor, wrong_caption: Tensor, rows: slice, counts: Tensor
    ) -> Tensor:
        """Each row's features must pick its caption among other concepts' in the batch and its own wrong one."""
        index = torch.arange(rows.start, rows.stop, device=self.device)
        same = np.equal.outer(np.array(batch.concepts[rows], object), np.array(batch.concepts, object))
        excluded = torch.from_numpy(same.astype(bool)).to(self.device)
        excluded[torch.arange(len(index)), index] = False
        excluded = torch.cat([excluded, torch.zeros_like(excluded[:, :1])], dim=1)  # [B, N + 1]
        total = 0.0
        for k, critic, features in self._sides(scores):
            similarity = critic.similarity(features, embeddings)  # [B, N]
            own_wrong = critic.row_similarity(features, wrong_caption)  # [B]
            similarity = torch.cat([similarity, own_wrong[:, None]], dim=1)
            total = total + mean(contrastive(similarity, index, excluded, self.config.temperature), counts[:, k])
        return total

    def unread(self, fake: Scores, latents: Tensor, counts: Tensor) -> Tensor:
        """-log q(latents | generated row), the mean over latents [B, L] and modalities (InfoGAN, Chen et al. 2016)."""
        model = self.config.model
        shared, *own = latents.split([model.latent_shared, model.latent_image, model.latent_audio], dim=1)
        total = 0.0
        for k, critic, features in self._sides(fake):
            middle, log_variance = critic.latents(features)
            error = (middle - torch.cat([shared, own[k]], dim=1)).square() * (-log_variance).exp() + log_variance
            total = total + mean(error.mean(1), counts[:, k]) / 4
        return total

    def _posterior(self, real: Scores, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance [B, L] of the latents of real rows, the prior's where a modality is missing.

        What picture and sound say of the shared latents multiplies with the prior (Wu and Goodman 2018).
        """
        model = self.config.model
        shared = model.latent_shared
        weighted, precisions = 0.0, 1.0
        own = [(counts.new_zeros(len(counts), n),) * 2 for n in (model.latent_image, model.latent_audio)]
        for k, critic, features in self._sides(real):
            there = counts[:, k : k + 1]
            middle, log_variance = critic.latents(features)
            precision = there * (-log_variance[:, :shared]).exp()
            weighted, precisions = weighted + precision * middle[:, :shared], precisions + precision
            own[k] = there * middle[:, shared:], there * log_variance[:, shared:]
        return (
            torch.cat([weighted / precisions, own[0][0], own[1][0]], dim=1),
            torch.cat([-precisions.log(), own[0][1], own[1][1]], dim=1),
        )

    def reconstruction(self, part: Batch, real: Scores, caption: Tensor, noise: Tensor, counts: Tensor) -> Tensor:
        """A conditional VAE's loss, with the critics as its encoder and the generator as its decoder.

        Errors in pixels say in a few hundred steps what scores take thousands for (Larsen et al. 2016). Every second
        row is enough.

        Args:
            noise: [B, L], standard normal.
        """
        some = torch.arange(len(part), device=self.device)
        some = some[(some % 4 == 0) | (some % 4 == 3)]  # one of each pair of twins, whichever slice they are in
        middle, log_variance = (x[some] for x in self._posterior(real, counts))
        image, mel = self.generate(caption[some], middle + (log_variance / 2).exp() * noise[some])
        divergence = (middle.square() + log_variance.exp() - log_variance - 1).sum(1) / 2  # from the prior, in nats
        total = self.config.divergence_weight * divergence.mean()
        for k, (made, wanted) in enumerate(((image, part.image), (mel, part.mel))):
            error = (made - wanted[some]).square().flatten(1).sum(1)
            total = total + mean(error, counts[some, k]) / self.spreads[k]
        return total

    def caption_margin(self, caption: Tensor, wrong_caption: Tensor, latents: Tensor, counts: Tensor) -> Tensor:
        """How much of ``STYLE_MARGIN`` is missing between the styles of captions and wrong captions that are near.

        Captions are embeddings [B, 384]; both get the latents [B, L]; ``counts`` [B, 5] says what each row has.

        Sentences of the same words lie close together: "blue on yellow", "yellow on blue". A mapping that takes them
        for one is in a trap, since what the critics ask of the one undoes what they ask of the other. Like mode seeking
        (Mao et al. 2019), for captions; pairs that are farther apart than ``NEAR`` feel nothing of it.
        """
        mapping = self.generator.mapping
        near = nearness(caption, wrong_caption)
        both = zip(mapping(caption, latents), mapping(wrong_caption, latents), strict=True)
        total = 0.0
        for k, (right, wrong) in enumerate(both):
            if self.present[k]:
                size = right.detach().square().mean(1)
                distance = ((right - wrong).square().mean(1) / size + 1e-8).sqrt()
                total = total + mean(near * (1 - distance / STYLE_MARGIN).clamp(min=0), counts[:, k])
        return total

    def caption_mean(
        self, generated: tuple[Tensor, Tensor], part: Batch, caption: Tensor, wrong_caption: Tensor, counts: Tensor
    ) -> Tensor:
        """How far the mean of what is generated for a caption lies from the mean of its real rows, squared; no bias.

        ``generated`` are images [B, C, S, S] and log-mels [B, bands, T], beside the real rows of ``part``; captions are
        embeddings [B, 384], ``counts`` is [B, 5]. The unit is the mean squared distance between two real rows.

        Twins are two draws each, so (g1 - r1) (g2 - r2) has that distance as its expectation: moment matching with a
        linear kernel (Li et al. 2015), which unlike an error in pixels does not wish samples to be alike. It leads
        straight from a yellow star on blue to a blue one on yellow, where scores, flat around everything that looks
        real, lead nowhere. Captions that lie near to their wrong ones count most, the others ``FAR_SHARE``.
        """
        near = nearness(caption, wrong_caption).clamp(min=FAR_SHARE)
        other = torch.arange(len(counts), device=self.device) ^ 1
        total = 0.0
        for k, (made, real) in enumerate(zip(generated, (part.image, part.mel), strict=True)):
            difference = (made - real).flatten(1)
            product = near * (difference * difference[other]).sum(1)
            total = total + mean(product, counts[:, 3 + k]) / self.spreads[k]
        return total

    def measure_twins(self, batches: Iterable[Batch]) -> None:
        """How far real twins are apart, for :meth:`twin_spread`: the root mean square, 0 where there are none."""
        squares = [[], []]
        for batch in batches:
            part = batch.to(self.device)
            there = self.counts(part)[:, 3:].bool()
            for k, rows in enumerate((part.image, part.mel)):
                squares[k].append(apart(rows)[there[:, k]].square())
        found = (torch.cat(some) for some in squares)
        found = (some[some > SAME**2] for some in found)  # a file that is its own twin says nothing
        self.twin_spreads = [float(some.mean()) ** 0.5 if len(some) else 0.0 for some in found]

    def twin_spread(self, generated: tuple[Tensor, Tensor], counts: Tensor) -> Tensor:
        """How much nearer to each other generated twins are than real ones, as a share; 0 where they are as far apart.

        ``generated`` are images [B, C, S, S] and log-mels [B, bands, T], ``counts`` is [B, 5]. Mode seeking (Mao et al.
        2019) up to a distance (Yang et al. 2019), here the one of the data. A base whose captions say all that there is
        to a sound has no use for noise, and a few minutes of critics do not teach it one.
        """
        total = counts.new_zeros(())  # where no caption has two files
        for k, rows in enumerate(generated):
            if self.twin_spreads[k]:
                near = (1 - apart(rows) / self.twin_spreads[k]).clamp(min=0)
                total = total + mean(near, counts[:, 3 + k])
        return total

    def excess(self, image: Tensor, mel: Tensor, counts: Tensor) -> Tensor:
        """How far generated values lie beyond -1 and 1, which can neither be shown nor played; 0 within.

        The output is linear, and the wish to be recognised drives it beyond: redder than red.
        """
        total = 0.0
        for k, made in enumerate((image, mel)):
            beyond = (made.abs() - 1).clamp(min=0).square().flatten(1).sum(1)
            total = total + mean(beyond, counts[:, k]) / self.spreads[k]
        return total

    def penalty(
        self, kind: str, real_inputs: list[Tensor], fake_inputs: list[Tensor], real: Scores, fake: Scores,
        caption: Tensor, between: Tensor, counts: Tensor,
    ) -> Tensor:  # fmt: skip
        """What keeps the critics smooth, unweighted: "r1", "r1r2", or "gp" at points ``between`` [B] in 0..1."""
        ones = torch.ones(len(caption), device=self.device)
        here = [k for k in range(2) if self.present[k]]
        if kind == "gp":
            mixed = [
                torch.lerp(r.detach(), f.detach(), 1 - between.view(-1, *[1] * (r.dim() - 1))).requires_grad_()
                for r, f in zip(real_inputs, fake_inputs, strict=True)
            ]
            score = (self.scores(mixed, caption).values * counts).sum(1)
            return mean(slope_towards_one(score, [mixed[k] for k in here]), ones)
        value = mean(squared_slope((real.values * counts).sum(1), [real_inputs[k] for k in here]), ones)
        if kind == "r1r2":
            value = value + mean(squared_slope((fake.values * counts).sum(1), [fake_inputs[k] for k in here]), ones)
        return value / 2
