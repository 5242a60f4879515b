"""A dataset, an encoder and sizes small enough to train in a test; run as a script, it trains a run folder."""

from __future__ import annotations

import sys
import zlib

import numpy as np
import torch
from PIL import Image

from mmgan.config import AudioModelConfig, ImageModelConfig, ModelConfig, TrainingConfig, with_values
from mmgan.data import Dataset, Prompt, Row

MODEL = ModelConfig(
    {
        "image": ImageModelConfig(size=16, latent=4, widths=(8, 8)),
        "audio": AudioModelConfig(num_samples=4_096, latent=4, widths=(8, 8)),
    },
    latent_shared=4, style_dim=16, critic_features=16,
)  # fmt: skip


def config(**changes) -> TrainingConfig:
    model = changes.pop("model", MODEL)
    return with_values(TrainingConfig(model=model), {"batch_size": 16, "steps": 6, **changes})


class Blobs(Dataset):
    """Bright or dark squares with high or low tones; ``missing`` leaves out a side in every second row."""

    name = "blobs"
    image_channels = 1
    concepts = ("bright", "dark")
    num_images = num_sounds = 8

    def __init__(self, missing: str = ""):
        self.missing = missing

    def image(self, index):
        return Image.new("L", (16, 16), 230 - 20 * index if index < 4 else 10 * index)

    def sound(self, index):
        return 0.5 * np.sin(np.arange(4_096) * (0.1 if index < 4 else 0.4) + index).astype(np.float32)

    def image_concept(self, index):
        return self.concepts[index // 4]

    sound_concept = image_concept

    def rows(self, rng, count):
        rows, side = [], 0
        for k in range(count):
            side = side if k % 2 else rng.integers(2)
            i, j = rng.integers(4), rng.integers(4)
            rows.append(
                Row(
                    f"a {self.concepts[side]} square", f"a {self.concepts[1 - side]} square",
                    None if self.missing == "image" and k % 2 else int(4 * side + i),
                    None if self.missing == "audio" and k % 2 else int(4 * side + j), self.concepts[side],
                )
            )  # fmt: skip
        return rows

    def prompts(self):
        return [Prompt(f"a {concept} square", concept) for concept in self.concepts]


class Encoder:
    """Any text to a direction of its own."""

    def encode(self, prompts):
        rows = [torch.randn(384, generator=torch.Generator().manual_seed(zlib.crc32(p.encode()))) for p in prompts]
        return torch.nn.functional.normalize(torch.stack(rows), dim=1)


def main(out: str, steps: str, resume: str = "", checkpoint_seconds: str = "1e6") -> int:
    """Trains blobs through the real train(), with this encoder instead of the shipped one."""
    from mmgan.training import train as module

    torch.set_num_threads(1)
    module.load_dataset = lambda source, **_: Blobs()
    module.TextEncoder.from_pretrained = lambda *_: Encoder()
    settings = config(steps=int(steps), checkpoint_seconds=float(checkpoint_seconds), metric_steps=1)
    return module.train(settings, "blobs", out, resume=resume == "resume", device="cpu", progress=False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
