"""Trains the tiny digits model anew under one changed setting at a time, and prints what each change did.

The tables of "what was tried" in the models' cards come from here: ``python scripts/finetuning/try_settings.py --steps
600``. Takes about 3 minutes a row on one core at 600 steps; name rows to run only those.
"""

from __future__ import annotations

import argparse
import time

import torch

from mmgan.config import PRESETS, TrainingConfig, from_dict, to_dict
from mmgan.data import load_dataset
from mmgan.data.digits.evaluation import AUDIO_JUDGE, IMAGE_JUDGE
from mmgan.evaluation.judges import Judge, tensor_input
from mmgan.evaluation.metrics import accuracy, diversity
from mmgan.runs.checks import with_settings
from mmgan.text.encoder import TextEncoder
from mmgan.training.trainer import Trainer

ROWS = {
    "as shipped": [],
    "no twin critics": ["twin_weight=0"],
    "no contrastive wish to the generator": ["generator_contrastive_weight=0"],
    "no contrastive loss at all": ["generator_contrastive_weight=0", "contrastive_weight=0"],
    "no joint critic": ["joint_weight=0"],
    "noise not read back": ["latent_weight=0"],
    "real rows not rebuilt": ["reconstruction_weight=0"],
    "values beyond -1..1 free": ["range_weight=0"],
    "gamma that does not fall": ["gamma_final=1"],
    "gamma 0.3": ["gamma=0.3"],
    "gamma 10": ["gamma=10"],
    "learning rate 2e-3": ["learning_rate=0.002"],
    "batches of 32": ["batch_size=32"],
    "penalties at every step": ["penalty_interval=1"],
    "pictures in patches of 2": ["model.image.patch=2", "model.image.widths=[128,96,64]"],
    "sounds in patches of 4": ["model.audio.patch=4", "model.audio.widths=[128,96,64]"],
    "hinge loss with R1": ["loss=hinge"],
    "non-saturating loss with R1": ["loss=non-saturating"],
}
SAMPLES = 500


def measure(trainer: Trainer, judges: list[Judge]) -> list[float]:
    """Accuracy of pictures and of sounds (on the log-mels), then the diversity of both as shares of real rows'."""
    dataset, size = trainer.dataset, trainer.config.model.latent_dim
    prompts = dataset.prompts()
    prompts = [prompts[i % len(prompts)] for i in range(SAMPLES)]
    concepts = [prompt.concept for prompt in prompts]
    latents = torch.randn(SAMPLES, size, generator=torch.Generator().manual_seed(0))
    made = trainer.sample([prompt.text for prompt in prompts], latents)
    real = [trainer.loader.batch(10**6 + i) for i in range(SAMPLES // trainer.loader.batch_size + 1)]
    real_concepts = [concept for batch in real for concept in batch.concepts]
    shown = [judges[0].predict(tensor_input(made["image"])), judges[1].predict(made["audio"])]
    varied = [
        diversity(rows.flatten(1), concepts)
        / diversity(torch.cat([batch.rows[name] for batch in real]).flatten(1), real_concepts)
        for name, rows in made.items()
    ]
    return [accuracy(labels, concepts) for labels in shown] + varied


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to run (default: all)")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dataset, encoder = load_dataset("digits"), TextEncoder.from_pretrained()
    judges = [Judge.from_pretrained(IMAGE_JUDGE), Judge.from_pretrained(AUDIO_JUDGE)]
    print("| setting | examples | CPU s | pictures right | sounds right | picture diversity | sound diversity |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.rows or ROWS:
        if name not in ROWS:
            parser.error(f"there is no row {name!r}; the rows are: {', '.join(ROWS)}")
        values = {"model": to_dict(PRESETS["tiny"]), "steps": options.steps, "seed": options.seed}
        config = from_dict(TrainingConfig, with_settings(values, ROWS[name]), "the row")
        trainer = Trainer(config, dataset, encoder)
        start = time.process_time()
        for step in range(options.steps):
            trainer.progress = step / options.steps
            trainer.step()
        seconds = time.process_time() - start
        figures = " | ".join(f"{value:.0%}" for value in measure(trainer, judges))
        print(
            f"| {name} | {options.steps * config.optimization.batch_size:,} | {seconds:.0f} | {figures} |", flush=True
        )


if __name__ == "__main__":
    main()
