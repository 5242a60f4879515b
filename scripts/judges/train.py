"""Trains the digits' judges on the train split, tests them on the test split, and writes pretrained/judge-digits-*.

    python scripts/judges/train.py [--only image|audio] [--out pretrained]

About eight minutes on one CPU core; the same seed gives the same judges on the same machine.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from mmgan.audio.griffin_lim import griffin_lim
from mmgan.audio.waveform import fit_length
from mmgan.config import AudioConfig
from mmgan.data import load_dataset
from mmgan.evaluation.judges import Judge, JudgeConfig, picture_input, sound_input
from mmgan.system.resources import PRETRAINED

BATCH, RATE, DECAY = 128, 3e-3, 5e-4
EPOCHS = {"image": 5, "audio": 50}


def banks(split: str, modality: str) -> tuple[Tensor, Tensor]:
    """Judge inputs of one split and their labels [N]; sounds [N, 2, 64, 64] hold the clip and its vocoded copy."""
    data, config = load_dataset("digits", split), AudioConfig()
    if modality == "image":
        count, concept = data.num_images, data.image_concept
        inputs = picture_input([data.image(i) for i in tqdm(range(count), f"{split} pictures", leave=False)])
    else:
        count, concept = data.num_sounds, data.sound_concept
        mels = sound_input(np.stack([fit_length(data.sound(i), config.num_samples) for i in range(count)]))
        vocoded = [
            griffin_lim(part) for part in tqdm(mels.split(50), f"{split} sounds through Griffin-Lim", leave=False)
        ]
        inputs = torch.stack([mels, sound_input(torch.cat(vocoded).numpy())], 1)
    return inputs, torch.tensor([int(concept(i)) for i in range(count)])


def augment_pictures(x: Tensor, rng: torch.Generator) -> Tensor:
    """Rotation to 12 degrees, scale 0.85..1.15, shear to 0.15 and shifts to 2.5 pixels, on [N, 1, 32, 32]."""
    u = torch.rand(5, len(x), generator=rng) * 2 - 1
    angle, scale = u[0] * math.radians(12), 1 + 0.15 * u[1]
    row = torch.stack([scale * angle.cos(), scale * (u[2] * 0.15 - angle.sin()), u[3] * 2.5 / 16], 1)
    col = torch.stack([scale * angle.sin(), scale * angle.cos(), u[4] * 2.5 / 16], 1)
    grid = F.affine_grid(torch.stack([row, col], 1), list(x.shape), align_corners=False)
    return F.grid_sample(x + 1, grid, align_corners=False) - 1  # outside the picture is background, -1


def augment_sounds(x: Tensor, rng: torch.Generator) -> Tensor:
    """Stretch, time shift, pitch, gain, noise and masks on log-mels [N, 64, 64]; -1 is silence, 0.05 is 2 dB."""
    count, bands, frames = x.shape
    u = torch.rand(6, count, 1, generator=rng) * 2 - 1
    time = torch.linspace(-1, 1, frames)[None]
    time = (time + 1) * (1 + 0.15 * u[0]) - 1 - u[1].clamp(-0.3, 1) * 0.4  # stretched from the start, then moved later
    band = torch.linspace(-1, 1, bands)[None] + 0.06 * u[2]  # two bands up or down
    grid = torch.stack([time[:, None, :].expand(-1, bands, -1), band[:, :, None].expand(-1, -1, frames)], -1)
    x = F.grid_sample((x + 1)[:, None], grid, align_corners=True)[:, 0] - 1
    x = x + 0.15 * u[3][..., None]  # gain to 6 dB
    noise = -1.3 + 0.6 * torch.rand(count, 1, 1, generator=rng) + 0.1 * torch.randn(x.shape, generator=rng)
    x = torch.logaddexp(x * 9.2, noise * 9.2) / 9.2  # powers add: 1 unit is 40 dB, 9.2 nepers of power
    for axis, reach in ((1, 10), (2, 12)):  # SpecAugment (Park et al. 2019)
        start = torch.randint(0, 64, (count, 1), generator=rng)
        width = torch.randint(0, reach, (count, 1), generator=rng)
        index = torch.arange(64)[None]
        mask = (index >= start) & (index < start + width)
        x = torch.where(mask[:, :, None] if axis == 1 else mask[:, None, :], -1.0, x)
    return x.clamp(-1, 1.2)


def accuracy(judge: Judge, inputs: Tensor, labels: Tensor) -> float:
    wanted = [judge.config.labels[i] for i in labels.tolist()]
    return float(np.mean([a == b for a, b in zip(judge.predict(inputs), wanted, strict=True)]))


def train(modality: str, seed: int, epochs: int) -> tuple[Judge, dict[str, float]]:
    """One judge, and its accuracies on the test split."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    inputs, labels = banks("train", modality)
    judge = Judge(JudgeConfig(modality=modality, size=inputs.shape[-1])).to(memory_format=torch.channels_last)
    steps = epochs * (len(inputs) // BATCH)
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    with tqdm(total=steps, desc=f"{modality} judge") as bar:
        for _ in range(epochs):
            for chosen in torch.randperm(len(inputs), generator=rng).split(BATCH)[: len(inputs) // BATCH]:
                x = inputs[chosen]
                if modality == "audio":  # one clip in two has been through the vocoder
                    x = x[torch.arange(len(x)), torch.randint(0, 2, (len(x),), generator=rng)]
                x = augment_pictures(x, rng) if modality == "image" else augment_sounds(x, rng)
                loss = F.cross_entropy(judge(x), labels[chosen], label_smoothing=0.05)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
                bar.update()
    judge.eval()
    inputs, labels = banks("test", modality)
    if modality == "image":
        return judge, {"test pictures": accuracy(judge, inputs, labels)}
    return judge, {
        "test sounds": accuracy(judge, inputs[:, 0], labels),
        "test sounds through Griffin-Lim": accuracy(judge, inputs[:, 1], labels),
    }


CARD = """---
license: mit
---
# judge-digits-{modality}

A small classifier that measures {what}. It judges what mmgan generates and never trains a generator.

| on the test split | accuracy |
| --- | --- |
{rows}

Input: {given}. {parameters:,} parameters, half precision.
Trained on the train split only, with augmentation, by `python scripts/judges/train.py --only {modality}`,
which wrote this table.
Data: {data}.
"""
WORDS = {
    "image": {
        "what": "which digit a picture shows",
        "given": "float [N, 1, 32, 32] in -1..1, light ink on dark",
        "data": "MNIST (LeCun and Cortes, CC BY-SA 3.0)",
    },
    "audio": {
        "what": "which digit a voice says",
        "given": "log-mel [N, 64, 64] of `mmgan.audio.mel.log_mel`",
        "data": "Free Spoken Digit Dataset (Jackson and contributors, CC BY-SA 4.0)",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("image", "audio"))
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="instead of the default, for a quick look")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for modality in [arguments.only] if arguments.only else ["audio", "image"]:
        judge, scores = train(modality, arguments.seed, arguments.epochs or EPOCHS[modality])
        folder = arguments.out / f"judge-digits-{modality}"
        judge.save_pretrained(folder, half=True)
        rows = "\n".join(f"| {name} | {value:.2%} |" for name, value in scores.items())
        parameters = sum(p.numel() for p in judge.parameters())
        card = CARD.format(modality=modality, rows=rows, parameters=parameters, **WORDS[modality])
        (folder / "README.md").write_text(card, encoding="utf-8")
        print(f"{folder}: " + ", ".join(f"{value:.2%} on {name}" for name, value in scores.items()))


if __name__ == "__main__":
    main()
