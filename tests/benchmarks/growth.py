"""How cost grows with the batch and with the resolution."""

from __future__ import annotations

import torch

from mmgan.audio.griffin_lim import vocode

from .measure import Part, interleave
from .subjects import Setup, fill, parameters

SAMPLING_BATCHES = (1, 2, 4, 8, 16, 32, 64)
TRAINING_BATCHES = (8, 16, 32, 64)
PRESET_BATCH = 8


def sampling_growth(setup: Setup) -> Part:
    """Milliseconds per sample: the pipeline's call, and what its networks would take as one batch."""
    pipeline, batches = setup.pipeline, SAMPLING_BATCHES if not setup.quick else (1, 4)
    rows, values = [], {}
    for size in batches:
        embeddings = pipeline.embed(["a handwritten seven"]).repeat(size, 1)
        latents = pipeline.latents(size)
        with torch.inference_mode():
            mels = pipeline.generator(embeddings, latents)["audio"].float()
        timings = interleave(
            {
                "pipeline": lambda n=size: pipeline("a handwritten seven", num_samples=n),
                "generator": lambda e=embeddings, z=latents: _forward(pipeline.generator, e, z),
                "vocoder": lambda m=mels: _vocode(m, pipeline.config.audio),
            },
            setup.count(8, 1),
        )
        for timing in timings.values():
            timing.returned.clear()
        values[str(size)] = {f"{name}_ms_per_sample": 1e3 * t.median / size for name, t in timings.items()} | {
            f"{name}_cpu_ms_per_sample": 1e3 * t.cpu_median / size for name, t in timings.items()
        }
        rows.append([str(size), *values[str(size)].values()])
    columns = ["samples", "pipeline", "generator", "vocoder", "CPU: pipeline", "generator", "vocoder"]
    notes = ["The pipeline runs row by row on the CPU; generator and vocoder here are one batch of that many rows."]
    return Part("4a. Sampling: ms per sample over the number of samples", columns, rows, values, notes)


@torch.inference_mode()
def _forward(generator, embeddings, latents):
    return generator(embeddings, latents)


@torch.no_grad()
def _vocode(mels, audio):
    return vocode(mels.clone(), audio)  # clone: out of inference mode, as in the pipeline


def training_growth(setup: Setup) -> Part:
    """Milliseconds per pair of the tiny preset over the batch; a round is the steps from one penalty to the next."""
    rows, values = [], {}
    trainers = {
        size: setup.trainer("tiny", batch_size=size) for size in (TRAINING_BATCHES if not setup.quick else (8, 16))
    }
    rounds, block = setup.count(4, 1), next(iter(trainers.values())).config.losses.penalty_interval
    for trainer in trainers.values():
        fill(trainer, (rounds + 1) * block)
    timings = interleave({str(size): _block(trainer, block) for size, trainer in trainers.items()}, rounds)
    for size, timing in timings.items():
        pairs = block * int(size)
        values[size] = {
            "ms_per_pair": 1e3 * timing.median / pairs, "pairs_per_s": pairs / timing.median,
            "cpu_ms_per_pair": 1e3 * timing.cpu_median / pairs,
        }  # fmt: skip
        rows.append([size, *values[size].values()])
    columns = ["batch", "ms/pair", "pairs/s", "CPU ms/pair"]
    return Part("4b. Training the tiny preset: cost per pair over the batch", columns, rows, values)


def preset_growth(setup: Setup) -> Part:
    """One sample, and one pair of training, in each preset."""
    presets = {name: model for name, model in setup.presets.items() if not (setup.quick and name == "large")}
    rows, values = [], {}
    for name, model in presets.items():
        pipeline, trainer = setup.untrained_pipeline(name), setup.trainer(name, batch_size=PRESET_BATCH)
        pipeline.embed(["a handwritten seven"])
        rounds, block = setup.count(2, 1), trainer.config.losses.penalty_interval
        fill(trainer, rounds * block + 1)
        trainer.step()  # warms up; the block's penalised step is then its last
        sampling = interleave({"sample": lambda p=pipeline: p("a handwritten seven")}, setup.count(10, 1))["sample"]
        sampling.returned.clear()
        training = interleave({"pair": _block(trainer, block)}, rounds, warm_up=0)["pair"]
        pairs = block * PRESET_BATCH
        values[name] = {
            "image_size": model.image.size,
            "generator_parameters": parameters(trainer.generator),
            "discriminator_parameters": parameters(trainer.discriminators),
            "sample_ms": 1e3 * sampling.median, "sample_cpu_ms": 1e3 * sampling.cpu_median,
            "training_ms_per_pair": 1e3 * training.median / pairs,
            "training_cpu_ms_per_pair": 1e3 * training.cpu_median / pairs,
        }  # fmt: skip
        size, g, d, *times = values[name].values()
        rows.append([name, f"{size} px", g / 1e6, d / 1e6, *times])
    columns = ["preset", "", "G params M", "D params M", "sample ms", "CPU ms", "pair ms", "CPU ms"]
    notes = [
        f"A sample is prompt (remembered) to picture and sound; a pair is one of a training batch of {PRESET_BATCH}."
    ]
    return Part("4c. Presets: one sample, and one pair of training", columns, rows, values, notes)


def _block(trainer, steps: int):
    def run() -> None:
        for _ in range(steps):
            trainer.step()

    return run
