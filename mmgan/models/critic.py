"""What the critics of all modalities have in common: how a description of a row is scored, read and recognised.

A score is a linear look at the description plus its inner product with the caption (the projection discriminator of
Miyato and Koyama 2018), so a wrong caption costs one small matrix product and no second pass. Descriptions are also
projected beside the captions for a contrastive loss (XMC-GAN, Zhang et al. 2021), and the noise that a generated row
was made from is read back from them (InfoGAN, Chen et al. 2016).
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from ..config import EMBEDDING_DIM, ModalityConfig, ModelConfig
from .layers import linear, standard, unit

# Largest log-variance of a latent, either way. With 6, a critic that is sure and wrong pays e^6 times its error.
# Chosen after a training on shapes in which all losses jumped (see the shapes' model card).
LOG_VARIANCE = 2.0


class Critic(nn.Module):
    """The discriminator of one modality. A subclass makes its own layers first, then calls :meth:`add_heads`."""

    def add_heads(self, config: ModelConfig, section: ModalityConfig) -> None:
        """The layers that look at features [B, critic_features]."""
        width = config.critic_features
        self.real = linear(width, 1)
        self.caption = linear(EMBEDDING_DIM, width, bias=False)
        self.beside_caption = linear(width, width, bias=False)
        # Mean and log-variance of the shared latents, then of this modality's own.
        self.posterior = linear(width, 2 * (config.latent_shared + section.latent), gain=0.1)

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Rows [B, ...] -> [B, critic_features]."""

    def early(self, stages: int) -> list[nn.Module]:
        """The layers before the end of stage ``stages``, at most half of them: what any data have in common."""
        return []

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
