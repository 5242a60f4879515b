"""A discriminator for each modality, the joint critic that judges the pair, and twin critics that judge variety.

Each discriminator describes what it sees in ``critic_features`` numbers. A score is a linear look at that description
plus its inner product with the caption (the projection discriminator of Miyato and Koyama 2018), so a wrong caption
costs one small matrix product and no second pass. The joint critic reads both descriptions and the caption.
Descriptions are also projected beside the captions for a contrastive loss (XMC-GAN, Zhang et al. 2021), and the noise
that a generated row was made from is read back from them (InfoGAN, Chen et al. 2016).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ModelConfig
from .layers import MLP, CriticStage, activate, base_size, conv, linear, standard, unit

# Largest log-variance of a latent, either way. With 6, a critic that is sure and wrong pays e^6 times its error.
# Chosen after a training of shapes in which this loss and all others jumped; the shapes' card tells.
LOG_VARIANCE = 2.0


class Critic(nn.Module):
    """One modality: map [B, channels, height, width] -> features [B, critic_features]."""

    def __init__(
        self, config: ModelConfig, widths: tuple[int, ...], patch: int, channels: int, height: int, width: int,
        latent: int,
    ):  # fmt: skip
        super().__init__()
        self.patch = patch
        base = base_size(height, width, patch, len(widths))
        widths = widths[::-1]  # largest map first
        outputs = (*widths[1:], widths[-1])
        self.stem = conv(channels * patch**2, widths[0])
        self.stages = nn.ModuleList(
            CriticStage(a, b, config.convolutions, downsample=index < len(widths) - 1)
            for index, (a, b) in enumerate(zip(widths, outputs, strict=True))
        )
        self.describe = linear(widths[-1] * base[0] * base[1], config.critic_features)
        self.real = linear(config.critic_features, 1)
        self.caption = linear(config.embedding_dim, config.critic_features, bias=False)
        self.beside_caption = linear(config.critic_features, config.critic_features, bias=False)
        # Mean and log-variance of the shared latents, then of this modality's own.
        self.posterior = linear(config.critic_features, 2 * (config.latent_shared + latent), gain=0.1)

    def features(self, x: Tensor) -> Tensor:
        """[B, channels, height, width] -> [B, critic_features]."""
        x = F.pixel_unshuffle(x, self.patch).contiguous(memory_format=torch.channels_last)
        x = activate(self.stem(x))
        for stage in self.stages:
            x = stage(x)
        return activate(self.describe(x.flatten(1)))

    def score(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Features [B, F] and the caption's embedding [B, 384] -> realness [B]."""
        match = (self.caption(standard(embedding)) * features).sum(1) / math.sqrt(features.shape[1])
        return self.real(features).squeeze(1) + match

    def latents(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, F] -> mean and log-variance [B, shared + own] of the latents that would make such a row."""
        mean, log_variance = self.posterior(features).chunk(2, dim=1)
        return mean, LOG_VARIANCE * torch.tanh(log_variance / LOG_VARIANCE)

    def similarity(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Features [B, F] against captions [N, 384] -> cosines [B, N]."""
        return unit(self.beside_caption(features)) @ unit(self.caption(standard(embedding))).T

    def row_similarity(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Features [B, F] against each row's own caption [B, 384] -> cosines [B]."""
        return (unit(self.beside_caption(features)) * unit(self.caption(standard(embedding)))).sum(1)


class Discriminators(nn.Module):
    """The picture's and the sound's discriminator, the joint critic and the twin critics, for one optimiser."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        audio = config.audio
        self.image = Critic(
            config,
            config.image_widths,
            config.image_patch,
            config.image_channels,
            config.image_size,
            config.image_size,
            config.latent_image,
        )
        self.audio = Critic(
            config, config.audio_widths, config.audio_patch, 1, audio.bands, audio.frames, config.latent_audio
        )
        self.joint = MLP(3 * config.critic_features, config.critic_features, 1)
        self.image_twins = MLP(3 * config.critic_features, config.critic_features, 1)
        self.audio_twins = MLP(3 * config.critic_features, config.critic_features, 1)
        self.joint_caption = linear(config.embedding_dim, config.critic_features, bias=False)

    def features(
        self, image: Tensor, mel: Tensor, with_image: bool = True, with_audio: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Image [B, C, S, S] and log-mel [B, bands, T] -> descriptions of both, each [B, F]; 0 of what is left out."""
        nothing = image.new_zeros(len(image), self.config.critic_features)
        return (
            self.image.features(image) if with_image else nothing,
            self.audio.features(mel.unsqueeze(1)) if with_audio else nothing,
        )

    def joint_score(self, image_features: Tensor, audio_features: Tensor, embedding: Tensor) -> Tensor:
        """Do this picture, this sound and this caption belong together, and are they real? -> [B]."""
        caption = self.joint_caption(standard(embedding))
        return self.joint(torch.cat([image_features, audio_features, caption], dim=1)).squeeze(1)

    def twin_scores(self, image_features: Tensor, audio_features: Tensor, embedding: Tensor) -> Tensor:
        """Are rows 0 and 1, 2 and 3, ... two real pictures, two real sounds? -> [B, 2], the same for both twins.

        Two samples of one concept judged together (PacGAN, Lin et al. 2018): a generator that always makes its best
        seven is found out at once, while a critic that sees one at a time does not mind.
        """
        other = torch.arange(len(embedding), device=embedding.device) ^ 1
        caption = self.joint_caption(standard(embedding))
        caption = (caption + caption[other]) / math.sqrt(2)
        scores = []
        for critic, features in ((self.image_twins, image_features), (self.audio_twins, audio_features)):
            twin = features[other]
            seen = torch.cat([(features + twin) / math.sqrt(2), (features - twin).abs(), caption], dim=1)
            scores.append(critic(seen).squeeze(1))
        return torch.stack(scores, dim=1)
