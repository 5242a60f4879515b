"""Trains the vocoder on what data.py packed, for as long as it is left to run.

    python scripts/vocoder/train.py DATA OUT --critics 12000          # the same command goes on after a stop
    python scripts/vocoder/train.py DATA OUT --critics 12000 --finish 200000 210000   # the rate falls to 0 there

First distances alone (stage 1), from step ``--critics`` on with critics as well. What is drawn is a function of the
seed and the step, so that a resumed training goes on as if it had not been stopped. OUT/checkpoint is a vocoder folder
(the moving average) with all that resuming needs; OUT/log.txt and OUT/eval.jsonl tell how it went.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
import torchaudio
from critics import Critics, adversarial_loss, critic_loss, feature_loss
from data import KINDS, load
from distances import TRAINING, mel_distance, stft_distance
from torch import Tensor

from mmgan.audio.griffin_lim import vocode
from mmgan.audio.mel import log_mel, mel_to_magnitude
from mmgan.audio.waveform import fit_length
from mmgan.config import AudioConfig
from mmgan.models.checkpoint import optimizer_tensors, restore_optimizer
from mmgan.models.vocoder import Vocoder

BATCH, LENGTH = 16, 8_192  # clips of half a second
CRITIC_BATCH = 6  # of which the critics see so many: they cost more than all else
SHARES = {"digits": 2, "sounds": 2, "flite": 4, "espeak": 2, "people": 3, "tones": 3}  # of the clips drawn
RATE, CRITIC_STAGE_RATE, CRITIC_RATE = 1e-3, 3e-4, 3e-4
WARM_UP = 500  # steps
MEL_WEIGHT, FEATURE_WEIGHT, DISTANCE_WEIGHT = 20.0, 2.0, 3.0  # the last: of distances beside the critics
EMA = 0.999
HELD_OUT = 16  # clips of each kind that are measured while training


class Bank:
    """Clips of each kind, from which batches are drawn."""

    def __init__(self, path: Path, without: Collection[str] = ()):
        self.clips = load(path)
        shares = np.array([SHARES[kind] * (kind not in without) for kind in KINDS], float)
        self.shares = shares / shares.sum()
        # Longer clips are drawn more often, as if all of a kind were one recording.
        self.chances = {k: np.array([len(c) for c in v], float) / sum(map(len, v)) for k, v in self.clips.items()}

    def draw(self, seed: int, step: int) -> Tensor:
        """Float32 [BATCH, LENGTH], a function of seed and step."""
        rng = np.random.default_rng([seed, step])
        rows = []
        for kind in rng.choice(KINDS, BATCH, p=self.shares):
            clips = self.clips[kind]
            clip = clips[rng.choice(len(clips), p=self.chances[kind])]
            # Now and then from before the start, as generated clips begin with silence.
            start = int(rng.integers(-LENGTH // 8, max(1, len(clip) - LENGTH // 2)))
            clip = np.pad(clip[max(0, start) : start + LENGTH], (max(0, -start), 0)).astype(np.float32) / 32768
            gain = 10 ** (-rng.choice([0.0, 1.0]) * rng.uniform(0, 15) / 20)
            rows.append(fit_length(clip, LENGTH) * np.float32(gain))
        return torch.from_numpy(np.stack(rows))


class Training:
    """The vocoder, its average, the critics, and one step of all."""

    def __init__(self, bank: Bank, out: Path, arguments: argparse.Namespace):
        torch.manual_seed(arguments.seed)
        self.bank, self.out, self.arguments = bank, out, arguments
        self.vocoder, self.critics = Vocoder(), Critics()
        self.average = copy.deepcopy(self.vocoder)
        self.optimiser = torch.optim.AdamW(self.vocoder.parameters(), RATE, (0.8, 0.99), weight_decay=0.01)
        self.critic_optimiser = torch.optim.AdamW(self.critics.parameters(), CRITIC_RATE, (0.8, 0.99))
        self.audio = AudioConfig(num_samples=LENGTH)
        self.step, self.seconds = 0, 0.0
        if Vocoder.is_in(out / "checkpoint"):
            self._resume()

    def rate(self) -> float:
        """Share of the full rate: it rises at the start, and falls along a cosine where the end was asked for."""
        share = min(1.0, (self.step + 1) / WARM_UP)
        if self.arguments.finish:
            start, end = self.arguments.finish
            done = min(max(0.0, (self.step - start) / (end - start)), 1.0)
            share *= 0.5 + 0.5 * math.cos(math.pi * done)
        return share

    def train_step(self) -> dict[str, float]:
        real = self.bank.draw(self.arguments.seed, self.step)
        against = self.step >= self.arguments.critics
        share = self.rate()
        self.optimiser.param_groups[0]["lr"] = share * (CRITIC_STAGE_RATE if against else RATE)
        self.critic_optimiser.param_groups[0]["lr"] = share * CRITIC_RATE
        made = self.vocoder(log_mel(real, self.audio))
        values = {"stft": stft_distance(made, real, TRAINING).mean(), "mel": mel_distance(made, real).mean()}
        loss = values["stft"] + MEL_WEIGHT * values["mel"]
        if against:
            reals = self.critics(real[:CRITIC_BATCH])  # as they were before the critics' own step, for both losses
            values["critics"] = self._critics_step(reals, made[:CRITIC_BATCH].detach())
            self.critics.requires_grad_(False)
            fakes = self.critics(made[:CRITIC_BATCH])
            self.critics.requires_grad_(True)
            values |= {"adversarial": adversarial_loss(fakes), "features": feature_loss(reals, fakes)}
            loss = DISTANCE_WEIGHT * loss + values["adversarial"] + FEATURE_WEIGHT * values["features"]
        self.optimiser.zero_grad()
        loss.backward()
        values["gradient"] = torch.nn.utils.clip_grad_norm_(self.vocoder.parameters(), 10.0)
        if torch.isfinite(values["gradient"]):
            self.optimiser.step()
        self._follow()
        self.step += 1
        return {name: float(value.detach()) for name, value in values.items()}

    def _critics_step(self, reals: list, fake: Tensor) -> Tensor:
        loss = critic_loss(reals, self.critics(fake))
        self.critic_optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.critics.parameters(), 10.0)
        self.critic_optimiser.step()
        return loss

    @torch.no_grad()
    def _follow(self) -> None:
        share = 1 - min(EMA, (self.step + 1) / (self.step + 10))
        for mean, now in zip(self.average.parameters(), self.vocoder.parameters(), strict=True):
            mean.lerp_(now, share)

    def save(self) -> None:
        tensors = {
            "raw": self.vocoder.state_dict(),
            "optimiser": optimizer_tensors(self.optimiser, self.vocoder.named_parameters()),
            "critics": self.critics.state_dict(),
            "critic-optimiser": optimizer_tensors(self.critic_optimiser, self.critics.named_parameters()),
        }
        state = {"step": self.step, "seconds": self.seconds}
        self.average.info = {"steps": self.step}
        self.average.save_pretrained(self.out / "checkpoint", tensors=tensors, state=state)

    def _resume(self) -> None:
        tensors, state = Vocoder.load_training_state(self.out / "checkpoint")
        self.average.load_state_dict(Vocoder.from_pretrained(self.out / "checkpoint").state_dict())
        self.vocoder.load_state_dict(tensors["raw"])
        self.critics.load_state_dict(tensors["critics"])
        restore_optimizer(self.optimiser, self.vocoder.named_parameters(), tensors["optimiser"])
        restore_optimizer(self.critic_optimiser, self.critics.named_parameters(), tensors["critic-optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]


def held_out(path: Path, count: int = HELD_OUT) -> dict[str, Tensor]:
    """``count`` clips of each kind, float32 [count, n]: 1.024 s, of speech in sentences 2.048 s."""
    lengths = dict.fromkeys(KINDS, 16_384) | {"flite": 32_768, "espeak": 32_768}
    chosen = {}
    for kind, clips in load(path).items():
        order = np.random.default_rng(6).permutation(len(clips))[:count]
        chosen[kind] = torch.from_numpy(
            np.stack([fit_length(clips[i].astype(np.float32) / 32768, lengths[kind]) for i in order])
        )
    return chosen


def long_griffin_lim(mel: Tensor, config: AudioConfig) -> Tensor:
    """Torchaudio's Griffin-Lim with 200 iterations, from its random phases (seeded)."""
    torch.manual_seed(0)
    magnitude = mel_to_magnitude(torch.cat([mel, mel[..., -1:]], 2), config, rounds=8)
    window = torch.hann_window(config.window)
    return torchaudio.functional.griffinlim(
        magnitude * (window.sum() / 2), window, config.window, config.hop, config.window, 1.0, 200, 0.99,
        config.num_samples, True,
    ).clamp(-1, 1)  # fmt: skip


def measure(clips: dict[str, Tensor], sound) -> dict[str, dict[str, float]]:
    """``sound(mel, config)`` -> the distances of each kind."""
    figures = {}
    with torch.no_grad():
        for kind, real in clips.items():
            config = AudioConfig(num_samples=real.shape[1])
            made = sound(log_mel(real, config), config)
            figures[kind] = {
                "stft": round(float(stft_distance(made, real).mean()), 4),
                "mel": round(float(mel_distance(made, real).mean()), 4),
            }
    return figures


def yardsticks(clips: dict[str, Tensor], out: Path) -> dict:
    """What Griffin-Lim reaches on the same clips; computed once and kept."""
    path = out / "griffin-lim.json"
    if not path.exists():
        figures = {"shipped": measure(clips, vocode), "200 iterations": measure(clips, long_griffin_lim)}
        path.write_text(json.dumps(figures, indent=2) + "\n")
    return json.loads(path.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--stage", type=int, choices=(1, 2), default=2, help="1: never with critics")
    parser.add_argument("--critics", type=int, default=12_000, help="the step from which critics take part")
    parser.add_argument(
        "--finish", type=int, nargs=2, metavar=("FROM", "TO"), help="steps between which the rate falls"
    )
    parser.add_argument("--without", nargs="*", default=[], choices=KINDS, help="kinds that training does not hear")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of this call")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-seconds", type=float, default=180)
    parser.add_argument("--measure-seconds", type=float, default=600)
    arguments = parser.parse_args()
    if arguments.stage == 1:
        arguments.critics = 2**62
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    clips = held_out(arguments.data / "test.npz")
    beside = yardsticks(clips, arguments.out)
    bank = Bank(arguments.data / "train.npz", arguments.without)
    training = Training(bank, arguments.out, arguments)
    began = saved = last = time.monotonic()
    measured = -math.inf
    with open(arguments.out / "log.txt", "a", buffering=1) as log, open(arguments.out / "eval.jsonl", "a", 1) as evals:
        sums: dict[str, float] = {}
        count = 0
        while True:
            now = time.monotonic()
            training.seconds, last = training.seconds + now - last, now
            ends = now - began > 60 * arguments.minutes or (
                arguments.finish is not None and training.step >= arguments.finish[1]
            )
            if ends or now - saved > arguments.save_seconds:
                training.save()
                saved = now
            if ends or now - measured > arguments.measure_seconds:
                figures = measure(clips, lambda mel, _: training.average.vocode(mel))
                row = {"step": training.step, "hours": round(training.seconds / 3600, 3), "vocoder": figures}
                evals.write(json.dumps(row | {"griffin_lim": beside}) + "\n")
                measured = now
            if ends:
                return
            for name, value in training.train_step().items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
            if count == 100:
                means = " ".join(f"{name} {value / count:.4f}" for name, value in sums.items())
                log.write(f"step {training.step} hours {training.seconds / 3600:.3f} {means}\n")
                sums, count = {}, 0


if __name__ == "__main__":
    main()
