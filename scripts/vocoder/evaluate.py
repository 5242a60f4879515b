"""Measures a vocoder beside Griffin-Lim on what data.py held out, on the digits model's mels, and in speed.

    python scripts/vocoder/evaluate.py VOCODER DATA [--clips 40] [--json FILE]

Prints Markdown. PESQ (ITU-T P.862.2, wide band) of the spoken kinds needs ``pip install pesq``, which mmgan itself does
not; it is left out where absent. Distances are in windows that training did not use (distances.EVALUATION).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from data import KINDS
from distances import mel_distance, stft_distance
from torch import Tensor
from train import held_out, long_griffin_lim

from mmgan import Pipeline
from mmgan.audio.griffin_lim import griffin_lim, vocode
from mmgan.audio.mel import log_mel
from mmgan.audio.waveform import fit_length
from mmgan.config import AudioConfig
from mmgan.data import load_dataset
from mmgan.evaluation.judges import Judge, sound_input
from mmgan.evaluation.samples import generate
from mmgan.models.vocoder import Vocoder

try:
    from pesq import NoUtterancesError, pesq
except ImportError:
    pesq = None

SPOKEN = ("digits", "flite", "espeak", "people")
Sound = Callable[[Tensor, AudioConfig], Tensor]  # log-mel [B, bands, T] -> waveform [B, n]


def ways(vocoder) -> dict[str, Sound]:
    """Everything that makes sound of a mel."""
    return {
        "vocoder": lambda mel, config: vocoder.vocode(mel),
        "Griffin-Lim as shipped": vocode,
        "Griffin-Lim, 32": lambda mel, config: griffin_lim(mel, config, 32),
        "Griffin-Lim, 200": long_griffin_lim,
    }


def opinion(made: Tensor, real: Tensor) -> float | None:
    """Mean PESQ of the clips in which it finds speech; None without the package."""
    if pesq is None:
        return None
    scores = []
    for a, b in zip(made.numpy(), real.numpy(), strict=True):
        try:
            scores.append(pesq(16_000, b, a, "wb"))
        except NoUtterancesError:  # too short or too quiet
            continue
    return round(float(np.mean(scores)), 3) if scores else None


def by_kind(sounds: dict[str, Sound], clips: dict[str, Tensor]) -> dict:
    """kind -> way -> distances and PESQ."""
    figures: dict = {}
    for kind, real in clips.items():
        config = AudioConfig(num_samples=real.shape[1])
        mel = log_mel(real, config)
        for name, sound in sounds.items():
            made = torch.cat([sound(part, config) for part in mel.split(8)])
            figures.setdefault(kind, {})[name] = {
                "stft": round(float(stft_distance(made, real).mean()), 4),
                "mel": round(float(mel_distance(made, real).mean()) * 40, 3),  # decibels
                "pesq": opinion(made, real) if kind in SPOKEN else None,
            }
    return figures


def digits_heard(sounds: dict[str, Sound], per_prompt: int) -> dict:
    """Shares of digits that the judge hears: held-out recordings, and what the digits model makes of its prompts."""
    judge, config = Judge.from_pretrained("judge-digits-audio"), AudioConfig()
    data = load_dataset("digits", "test")
    real = torch.from_numpy(np.stack([fit_length(data.sound(i), config.num_samples) for i in range(data.num_sounds)]))
    concepts = [data.sound_concept(i) for i in range(data.num_sounds)]
    made = generate(Pipeline.from_pretrained("digits", device="cpu"), data.prompts(), per_prompt, 0, progress=False)
    banks = {"held-out recordings": (log_mel(real), concepts)}
    banks["the digits model's"] = torch.from_numpy(made.mels), made.sounds.concepts
    figures: dict = {}
    for title, (mels, wanted) in banks.items():
        for name, sound in sounds.items():
            waves = torch.cat([sound(part, config) for part in mels.split(25)])
            heard = judge.predict(sound_input(waves.numpy()))
            figures.setdefault(title, {})[name] = {
                "heard": round(float(np.mean([a == b for a, b in zip(heard, wanted, strict=True)])), 4),
                "mel": round(float((log_mel(waves) - mels.clamp(min=-1)).abs().mean()) * 40, 3),
                "count": len(wanted),
            }
    return figures


def speed(sounds: dict[str, Sound], seconds: float, trials: int = 60) -> dict[str, float]:
    """Times real time on one thread: the median of calls of one clip, the ways taking turns."""
    config = AudioConfig(num_samples=round(seconds * 62.5) * 256)
    mel = log_mel(0.1 * torch.randn(1, config.num_samples, generator=torch.Generator().manual_seed(0)), config)
    taken: dict[str, list[float]] = {name: [] for name in sounds}
    for trial in range(trials + 5):
        for name, sound in sounds.items():
            start = time.perf_counter()
            sound(mel, config)
            if trial >= 5:
                taken[name].append(time.perf_counter() - start)
    return {name: round(config.num_samples / 16_000 / float(np.median(times))) for name, times in taken.items()}


def table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join("" if cell is None else str(cell) for cell in line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocoder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=40, help="of each kind")
    parser.add_argument("--per-prompt", type=int, default=6, help="samples of each of the digits model's prompts")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", module="pesq")
    torch.set_num_threads(1)
    vocoder = Vocoder.from_pretrained(arguments.vocoder)
    sounds = ways(vocoder)
    quick = {name: sounds[name] for name in list(sounds)[:3]}
    report = {
        "kinds": by_kind(sounds, held_out(arguments.data / "test.npz", arguments.clips)),
        "digits": digits_heard(quick, arguments.per_prompt),
        "speed": {str(seconds): speed(quick, seconds) for seconds in (1.024, 4.096)},
        "parameters": sum(p.numel() for p in vocoder.parameters()),
    }
    rows = [
        [kind, name, each["stft"], each["mel"], each["pesq"]]
        for kind in KINDS
        for name, each in report["kinds"][kind].items()
    ]
    print(table(["kind", "sound by", "multi-resolution STFT", "log-mel, dB", "PESQ"], rows), end="\n\n")
    rows = [
        [f"{title} ({each['count']})", name, f"{each['heard']:.1%}", each["mel"]]
        for title, ways_ in report["digits"].items()
        for name, each in ways_.items()
    ]
    print(table(["digits", "sound by", "heard by the judge", "log-mel, dB"], rows), end="\n\n")
    print(table(["clip", *quick], [[f"{s} s", *(f"{x}x" for x in v.values())] for s, v in report["speed"].items()]))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
