"""A pipeline that answers prompts with given pictures and sounds."""

from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from mmgan.audio.mel import log_mel
from mmgan.config import ModelConfig


class Pretender:
    """``draw(prompt, count, rng)`` gives pictures uint8 [count, H, W] or [count, H, W, 3] and sounds [count, 16384]."""

    config = ModelConfig()

    def __init__(self, draw):
        self.draw = draw

    def __call__(self, prompts, num_samples, seed):
        rng = np.random.default_rng(seed)
        images, sounds = zip(*(self.draw(text, num_samples, rng) for text in prompts), strict=True)
        audio = np.concatenate(sounds).astype(np.float32)
        return SimpleNamespace(
            images=[Image.fromarray(i) for batch in images for i in batch],
            audio=audio,
            sampling_rate=16_000,
            mels=log_mel(torch.from_numpy(audio)).numpy(),
        )
