"""prompt embedding + noise -> w of each modality -> its rows.

::

    embedding [B,384] --+--> mapping --> w of image [B,W] --> synthesis --> image [B,C,S,S]
    latents   [B,L]   --+   (memory) \\-> w of audio [B,W] --> synthesis --> log-mel [B,bands,T]
       = shared | image | audio       ... and so on for any modality of the config
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from ..config import EMBEDDING_DIM, ModelConfig
from .layers import MLP, activate, linear, standard
from .memory import Memory
from .modalities import MODALITIES


class Mapping(nn.Module):
    """Embedding and noise -> the style of each modality, [B, style_dim] by name."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.sizes, self.names = config.latent_sizes, tuple(config.modalities)
        style = config.style_dim
        self.text = MLP(EMBEDDING_DIM, style, style)
        self.memory = Memory(config.memory) if config.memory.things else None
        if self.memory is not None:
            self.recall = linear(style + config.memory.heads * config.memory.code, style)
        # Noise comes in as wide as the text: as a few numbers beside many it was ignored, so samples looked alike.
        for name, section in config.modalities.items():
            self.add_module(f"{name}_noise", linear(config.latent_shared + section.latent, style))
        for name in self.names:
            self.add_module(name, MLP(2 * style, style, style))

    def forward(self, embedding: Tensor, latents: Tensor, hidden: Tensor | None = None) -> dict[str, Tensor]:
        """``hidden`` [B, things]: see :meth:`Memory.scores`."""
        text = activate(self.text(standard(embedding)))  # [B, style_dim]
        if self.memory is not None:
            text = activate(self.recall(torch.cat([text, self.memory(embedding, hidden)], dim=1)))
        shared, *own = latents.split(self.sizes, dim=1)
        styles = {}
        for name, latent in zip(self.names, own, strict=True):
            noise = activate(getattr(self, f"{name}_noise")(torch.cat([shared, latent], dim=1)))  # [B, style_dim]
            styles[name] = activate(getattr(self, name)(torch.cat([text, noise], dim=1)))
        return styles


class Generator(nn.Module):
    """Embedding [B, 384] and latents [B, latent_dim] -> rows by modality: image [B, C, S, S] about -1..1, and so on."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.mapping = Mapping(config)
        for name, section in config.modalities.items():
            self.add_module(name, MODALITIES[name].synthesis(config, section))

    def forward(self, embedding: Tensor, latents: Tensor, wanted: Collection[str] | None = None) -> dict[str, Tensor]:
        """Makes only ``wanted`` modalities; None: all."""
        styles = self.mapping(embedding, latents)
        return {name: getattr(self, name)(w) for name, w in styles.items() if wanted is None or name in wanted}
