"""Stand-ins that need no trained model: drawn pictures and tones behind the pipeline's interface."""

import zlib
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from mmgan.audio.mel import log_mel
from mmgan.config import ModelConfig, with_values
from mmgan.sampling.arguments import MAX_SAMPLES, MAX_SEED, checked_integer, checked_truncation
from mmgan.sampling.pipeline import sample_seeds
from mmgan.text.encoder import check_prompt

RATE = 16_000


class _Encoder:
    """What word_importance asks of a text encoder."""

    def __init__(self, embed):
        self.embed_once = embed


class FakePipeline:
    """The real one's interface over rings and tones: both follow the embedding and their own parts of the latents."""

    examples = ("a handwritten seven", "a thin three leaning left", "a thick zero", "the digit four", "数字五")

    def __init__(self, name="digits"):
        self.name = name
        self.config = with_values(ModelConfig(), {"latent_shared": 2, "image.latent": 2, "audio.latent": 2})
        self.calls = []
        self.text_encoder = _Encoder(self.embed)

    def familiarity(self, prompts):
        return [SimpleNamespace(caption="a thick zero", known="unicorn" not in prompts)]

    def warm_up(self):
        self("a")

    def embed(self, prompts):
        rows = [torch.randn(384, generator=torch.Generator().manual_seed(zlib.crc32(p.encode()))) for p in prompts]
        return torch.nn.functional.normalize(torch.stack(rows), dim=1)

    def latents(self, num_samples, seed=0):
        rows = [np.random.default_rng(s).normal(size=6) for s in sample_seeds(seed, num_samples)]
        return torch.tensor(np.stack(rows)).float()

    def __call__(self, prompt=None, num_samples=1, seed=0, truncation=1.0, embeddings=None, latents=None):
        self.calls.append((prompt, num_samples, seed, truncation))
        checked_integer("The number of samples", num_samples, 1, MAX_SAMPLES)
        checked_integer("The seed", seed, 0, MAX_SEED)
        checked_truncation(truncation)
        if embeddings is None:
            prompts = [check_prompt(p) for p in ([prompt] if isinstance(prompt, str) else prompt)]
            embeddings = self.embed(prompts).repeat_interleave(num_samples, 0)
            latents = self.latents(num_samples, seed).repeat(len(prompts), 1) * truncation
        means = embeddings[:, :3] * 10 + latents[:, :1]  # [n, 3]
        images, audio = [], []
        y, x = np.mgrid[:28, :28]
        time = np.arange(16_384) / RATE
        for mean, own in zip(means.tolist(), latents.tolist(), strict=True):
            across, down = 14 + 4 * np.tanh(mean[0] + own[2]), 14 + 4 * np.tanh(mean[1] + own[3])
            ring = np.abs(np.hypot(y - down, x - across) - 6.5 - 2 * np.tanh(mean[2]))
            images.append(Image.fromarray((255 * np.clip(2.5 - ring, 0, 1)).astype(np.uint8)))
            pitch = 500 + 150 * np.tanh(mean[2] + own[4]) + 150 * np.tanh(own[5])
            tone = np.sin(2 * np.pi * pitch * time * (1 + 0.3 * time)) * np.exp(-3 * time)
            audio.append((0.5 * tone).astype(np.float32))
        waveform = np.stack(audio)
        return SimpleNamespace(
            images=images, audio=waveform, sampling_rate=RATE, mels=log_mel(torch.from_numpy(waveform)).numpy(),
            seeds=sample_seeds(seed, num_samples),
            milliseconds={"text": 2.0, "generator": 4.0, "vocoder": 6.0}, device="cpu", notice=None,
        )  # fmt: skip
