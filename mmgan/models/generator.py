"""prompt embedding + noise -> w -> picture and log-mel.

::

    embedding [B,384] --+--> mapping --> w_image [B,W] --> Synthesis --> image [B,C,S,S]
    latents   [B,L]   --+            \\-> w_audio [B,W] --> Synthesis --> log-mel [B,bands,T]
       = shared | image | audio
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ModelConfig
from .layers import MLP, SynthesisStage, activate, base_size, conv, linear, standard


class Synthesis(nn.Module):
    """w [B, style_dim] -> map [B, channels, height, width], linear at the end: tanh saturated without normalisation."""

    def __init__(
        self, config: ModelConfig, widths: tuple[int, ...], patch: int, channels: int, height: int, width: int
    ):
        super().__init__()
        self.base = base_size(height, width, patch, len(widths))
        self.patch = patch
        self.start = linear(config.style_dim, widths[0] * self.base[0] * self.base[1])
        inputs = (widths[0], *widths[:-1])
        self.stages = nn.ModuleList(
            SynthesisStage(a, b, config.style_dim, config.convolutions, upsample=index > 0)
            for index, (a, b) in enumerate(zip(inputs, widths, strict=True))
        )
        self.out = conv(widths[-1], channels * patch**2, gain=0.5)
        # The pixels of a patch start equal (Aitken et al. 2017), or a chequerboard has to be unlearned.
        with torch.no_grad():
            self.out.weight.copy_(self.out.weight[:: patch**2].repeat_interleave(patch**2, dim=0))

    def forward(self, w: Tensor) -> Tensor:
        x = activate(self.start(w)).unflatten(1, (-1, *self.base))  # [B, widths[0], h, w]
        x = x.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            x = stage(x, w)  # [B, widths[i], h * 2^i, w * 2^i]
        return F.pixel_shuffle(self.out(x), self.patch)  # [B, channels, height, width]


class Mapping(nn.Module):
    """Embedding and noise -> the styles of both modalities, each [B, style_dim]."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.parts = (config.latent_shared, config.latent_image, config.latent_audio)
        self.text = MLP(config.embedding_dim, config.style_dim, config.style_dim)
        # Noise comes in as wide as the text: as a few numbers beside many it was ignored, and samples looked alike.
        self.image_noise = linear(config.latent_shared + config.latent_image, config.style_dim)
        self.audio_noise = linear(config.latent_shared + config.latent_audio, config.style_dim)
        self.image = MLP(2 * config.style_dim, config.style_dim, config.style_dim)
        self.audio = MLP(2 * config.style_dim, config.style_dim, config.style_dim)

    def forward(self, embedding: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        text = activate(self.text(standard(embedding)))  # [B, style_dim]
        shared, image, audio = latents.split(self.parts, dim=1)
        image = activate(self.image_noise(torch.cat([shared, image], dim=1)))  # [B, style_dim]
        audio = activate(self.audio_noise(torch.cat([shared, audio], dim=1)))  # [B, style_dim]
        return (
            activate(self.image(torch.cat([text, image], dim=1))),
            activate(self.audio(torch.cat([text, audio], dim=1))),
        )


class Generator(nn.Module):
    """Embedding [B, 384] and latents [B, latent_dim] -> image [B, C, S, S] about -1..1 and log-mel [B, bands, T]."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        audio = config.audio
        self.mapping = Mapping(config)
        self.image = Synthesis(
            config, config.image_widths, config.image_patch, config.image_channels, config.image_size, config.image_size
        )
        self.audio = Synthesis(config, config.audio_widths, config.audio_patch, 1, audio.bands, audio.frames)

    def forward(
        self, embedding: Tensor, latents: Tensor, with_image: bool = True, with_audio: bool = True
    ) -> tuple[Tensor, Tensor]:
        """What is not wanted is not made: it is 0 throughout."""
        c, audio, count = self.config, self.config.audio, len(latents)
        w_image, w_audio = self.mapping(embedding, latents)
        if with_image:
            image = self.image(w_image)
        else:
            image = w_image.new_zeros(count, c.image_channels, c.image_size, c.image_size)
        mel = self.audio(w_audio).squeeze(1) if with_audio else w_audio.new_zeros(count, audio.bands, audio.frames)
        return image, mel
