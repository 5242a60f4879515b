"""Trains a textbook DCGAN (dcgan.py) on a folder of pictures, to compare fine-tuning with.

    python scripts/finetuning/textbook_dcgan.py FOLDER OUT.safetensors --minutes 8

Batches are of 16, not the paper's 128, for a few dozen pictures.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mmgan.config import ModelConfig, with_values
from mmgan.data.folder.dataset import Folder
from mmgan.data.loader import Loader
from scripts.finetuning.dcgan import DCGAN, noise

BATCH = 16


def train(pictures: Tensor, minutes: float, cpu_seconds: float = 0.0, seed: int = 0) -> tuple[nn.Sequential, int]:
    """Trains on pictures [N, C, S, S] until the time is over; returns the generator and its steps.

    Args:
        cpu_seconds: > 0: until this process has used so many, instead of minutes.
    """
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    dcgan = DCGAN(pictures.shape[-1], pictures.shape[1])
    start, step = time.monotonic(), 0
    while (time.process_time() < cpu_seconds) if cpu_seconds else (time.monotonic() - start < 60 * minutes):
        dcgan.step(pictures[torch.randint(len(pictures), (BATCH,), generator=rng)], rng)
        step += 1
    return dcgan.generator.eval(), step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, help="a safetensors file of samples [N, 3, 32, 32]")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--cpu-seconds", type=float, default=0.0)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = Folder(options.folder, "all")
    pictures = Loader(data, with_values(ModelConfig(), {"image.size": options.size, "image.channels": 3})).rows(
        "image", range(data.num_images)
    )
    g, steps = train(pictures, options.minutes, options.cpu_seconds, options.seed)
    with torch.no_grad():
        samples = g(noise(options.samples, torch.Generator().manual_seed(1)))
    save_file({"samples": samples.contiguous(), "steps": torch.tensor([steps])}, options.out)


if __name__ == "__main__":
    main()
