"""Training against a textbook DCGAN, side by side."""

from __future__ import annotations

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts.finetuning.dcgan import DCGAN

from .measure import Part, Timing, interleave
from .subjects import Setup, fill, parameters


def training(setup: Setup) -> Part:
    """Pairs per second of the tiny preset against one DCGAN (pictures) and two (pictures and mels).

    A block is as many steps as lie between two penalties, so that every block has the same work.
    """
    trainer = setup.trainer("tiny")
    model, block, rounds = trainer.config.model, trainer.config.losses.penalty_interval, setup.count(8, 1)
    steps = block * (rounds + 2)  # a block to warm up, another to count operations
    start = time.process_time()
    fill(trainer, steps)
    first_use_ms = 1e3 * (time.process_time() - start) / (steps * setup.batch)

    batch = trainer.loader.batch(0)
    pictures, mels = batch.rows["image"], batch.rows["audio"].unsqueeze(1)
    dcgan = DCGAN(model.image.size, model.image.channels)
    of_pictures, of_mels = DCGAN(model.image.size, model.image.channels), DCGAN(model.audio.bands, 1)
    subjects = {
        "mmgan tiny, pictures and sounds": trainer.step,
        "DCGAN, pictures only": lambda: dcgan.step(pictures),
        "two DCGANs, pictures and mels": lambda: (of_pictures.step(pictures), of_mels.step(mels)),
    }
    sizes = {
        "mmgan tiny, pictures and sounds": (
            parameters(trainer.generator), parameters(trainer.discriminators)
        ),
        "DCGAN, pictures only": (parameters(dcgan.generator), parameters(dcgan.discriminator)),
        "two DCGANs, pictures and mels": (
            parameters(of_pictures.generator, of_mels.generator),
            parameters(of_pictures.discriminator, of_mels.discriminator),
        ),
    }  # fmt: skip
    operations = {name: _operations(step, block) / setup.batch for name, step in subjects.items()}
    timings = interleave({name: _repeat(step, block) for name, step in subjects.items()}, rounds)

    pairs = block * setup.batch
    found = {
        name: {
            "pairs_per_s": pairs / timing.median, "cpu_ms_per_pair": 1e3 * timing.cpu_median / pairs,
            "generator_parameters": sizes[name][0], "discriminator_parameters": sizes[name][1],
            "multiply_accumulates_per_pair": operations[name],
        }
        for name, timing in timings.items()
    }  # fmt: skip
    ours, *others = timings
    ratios = {
        other: {"wall": _ratio(timings[other], timings[ours]), "cpu": _cpu_ratio(timings[other], timings[ours])}
        for other in others
    }
    rows = [
        [name, f["pairs_per_s"], f["cpu_ms_per_pair"], f["generator_parameters"] / 1e6,
         f["discriminator_parameters"] / 1e6, f["multiply_accumulates_per_pair"] / 1e6]
        for name, f in found.items()
    ]  # fmt: skip
    notes = [
        f"mmgan trains {ratio['wall']:.2f} times the pairs per second of {other} ({ratio['cpu']:.2f} by CPU time)."
        for other, ratio in ratios.items()
    ]
    notes += [
        "A DCGAN takes no caption, pairs nothing, has no penalty, average or augmentation; mmgan's step has them all.",
        f"First use of a caption, picture and sound, not in the figures: {first_use_ms:.1f} ms of CPU time a pair.",
    ]
    values = {"batch": setup.batch, "subjects": found, "mmgan_over": ratios, "first_use_cpu_ms_per_pair": first_use_ms}
    columns = ["", "pairs/s", "CPU ms/pair", "G params M", "D params M", "MMAC/pair"]
    title = f"3. Training at {model.image.size} px, batches of {setup.batch}, steps of both networks"
    return Part(title, columns, rows, values, notes)


def _repeat(step, times: int):
    def run() -> None:
        for _ in range(times):
            step()

    return run


def _operations(step, steps: int) -> float:
    """Multiply-accumulates of one step: convolutions and matrix products, forwards and backwards."""
    with FlopCounterMode(display=False) as counter:
        _repeat(step, steps)()
    return counter.get_total_flops() / 2 / steps


def _ratio(other: Timing, ours: Timing) -> float:
    """Median over the rounds of the other's time over ours in the same round: above 1, mmgan is faster."""
    return float(torch.tensor([o / m for o, m in zip(other.wall, ours.wall, strict=True)]).median())


def _cpu_ratio(other: Timing, ours: Timing) -> float:
    return float(torch.tensor([o / m for o, m in zip(other.cpu, ours.cpu, strict=True)]).median())
