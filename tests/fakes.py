"""Stand-ins that need no trained model: drawn pictures and tones behind the pipeline's interface."""

from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from mmgan.audio import log_mel
from mmgan.errors import PromptError
from mmgan.text import check_prompt

RATE = 16_000


class FakePipeline:
    """The real one's interface over rings and tones, both decided by prompt, seed and place."""

    examples = ("a handwritten seven", "a thin three leaning left", "a thick zero", "the digit four")

    def __init__(self, name="digits"):
        self.name = name
        self.calls = []

    def warm_up(self):
        self("a")

    def __call__(self, prompt, num_samples=1, seed=0, truncation=1.0):
        prompts = [check_prompt(p) for p in ([prompt] if isinstance(prompt, str) else prompt)]
        if not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise PromptError("The seed should be a whole number from 0 to 4,294,967,295.")
        self.calls.append((prompts, num_samples, seed, truncation))
        rng = np.random.default_rng([seed, *(sum(map(ord, p)) for p in prompts)])
        images, audio = [], []
        for _ in range(len(prompts) * num_samples):
            y, x = np.mgrid[:28, :28]
            centre, radius = rng.uniform(9, 19, 2), rng.uniform(4, 9)
            ring = np.abs(np.hypot(y - centre[0], x - centre[1]) - radius)
            images.append(Image.fromarray((255 * np.clip(2.5 - ring, 0, 1)).astype(np.uint8)))
            time = np.arange(16_384) / RATE
            tone = np.sin(2 * np.pi * rng.uniform(150, 900) * time * (1 + 0.3 * time)) * np.exp(-3 * time)
            audio.append((0.5 * tone).astype(np.float32))
        waveform = np.stack(audio)
        return SimpleNamespace(
            images=images, audio=waveform, sampling_rate=RATE, mels=log_mel(torch.from_numpy(waveform)).numpy(),
            prompts=[p for p in prompts for _ in range(num_samples)],
            seeds=[*range(seed, seed + num_samples)] * len(prompts),
            milliseconds={"text": 2.0, "generator": 4.0, "vocoder": 6.0}, device="cpu", notice=None,
        )  # fmt: skip
