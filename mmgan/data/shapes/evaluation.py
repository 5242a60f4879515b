"""The shapes' evaluation: exact coherence with the prompt, on seen combinations and on held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ...audio.griffin_lim import vocode
from ...evaluation.compare import Figures
from ...evaluation.judges import LiveJudge, shares
from ...evaluation.plain import compare_images, compare_sounds
from ...evaluation.samples import Generated, Items, real_images, real_sounds, vocoded
from .dataset import Combination, Shapes, held_out_combinations
from .measure import Reading, coherence, confusions, measure_images, measure_sounds, read

REAL_ITEMS = 528  # of each split, measured to show what the rule itself scores: every held-out combination 12 times
COMPARED = 2_000  # real items of the train split for distances and diversity
MAX_MEASURED = 64  # samples that a live judge turns into sound and measures: about 30 ms each on one core


def evaluate(
    pipeline, generated: Generated, train: Shapes, held_out: Callable[[], Shapes], seed: int, progress: bool = True
) -> tuple[Figures, dict]:
    """Figures, and a table per attribute, of samples of ``Shapes.prompts()``, seen and held-out combinations apart.

    See :class:`mmgan.data.registry.DatasetPackage`.
    """
    audio, drawn, figures = generated.audio, generated.images.values, Figures()
    unseen = {str(combination) for combination in held_out_combinations()}
    is_held_out = np.array([concept in unseen for concept in generated.images.concepts])
    rates, real, readings = {}, {}, []
    for name, chosen, dataset in (("seen", ~is_held_out, train), ("held_out", is_held_out, held_out())):
        if not chosen.any():
            continue
        places = np.flatnonzero(chosen)
        of_these = _read(generated.images.take(places), generated.sounds.take(places))
        rates[name], readings = coherence(of_these), readings + of_these
        indices = range(min(REAL_ITEMS, dataset.num_images))
        images, sounds = real_images(dataset, indices, drawn), real_sounds(dataset, indices, audio)
        real[name] = coherence(_read(images, vocoded(sounds, audio, progress)))
        for part, words in (
            ("image", "the picture shows all four attributes"),
            ("sound", "the sound has all four, by the rule"),
            ("both", "coherence: picture and sound have all four"),
            ("agree", "picture and sound say the same, asked for or not"),
        ):
            note = f"{words}; {len(places)} samples; real: the rule's own, sounds through the vocoder"
            figures.share(f"{part}_{name}", rates[name][part], real[name][part], note)
    attributes = Combination._fields
    table = [
        {"attribute": f"{part} {attribute}"}
        | {name: rates[name][f"{part} {attribute}"] for name in rates}
        | {f"real_{name}": real[name][f"{part} {attribute}"] for name in rates}
        for part in ("image", "sound")
        for attribute in attributes
    ]
    seen = Generated(
        generated.images.take(np.flatnonzero(~is_held_out)), generated.sounds.take(np.flatnonzero(~is_held_out)),
        generated.mels[~is_held_out], [p for p, h in zip(generated.prompts, is_held_out, strict=True) if not h], audio,
    )  # fmt: skip
    if len(seen.prompts):
        indices = range(min(COMPARED, train.num_images))
        compare_images(figures, seen, real_images(train, indices, drawn), seed)
        compare_sounds(figures, seen, real_sounds(train, indices, audio), seed)
    tables = {"right_per_attribute": table} if rates else {}
    if mistakes := confusions(readings):
        tables["commonest_mistakes"] = [{"asked": name, "of_those_asked": share} for name, share in mistakes]
    return figures, tables


def _read(images: Items, sounds: Items) -> list[Reading]:
    return read(_last(images.values), sounds.values, images.concepts)


def _last(images: np.ndarray) -> np.ndarray:
    """uint8 [N, 1 or 3, S, S] -> [N, S, S, 3]."""
    return np.array(np.broadcast_to(images, (len(images), 3, *images.shape[2:])).transpose(0, 2, 3, 1), order="C")


def live_judge() -> LiveJudge:
    """Measures at most 64 samples exactly."""

    def measure(images: Tensor, mels: Tensor, concepts: Sequence[str]) -> dict[str, float]:
        images, mels, concepts = images[:MAX_MEASURED], mels[:MAX_MEASURED], concepts[:MAX_MEASURED]
        return shares(see(images), hear(mels), concepts)

    return measure


def see(images: Tensor) -> list[str]:
    """Pictures float [N, 3, S, S] in -1..1 -> the concept that each shows, "" where an attribute is unclear."""
    pixels = ((images.float() + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    return [_concept(found) for found in measure_images(_last(pixels))]


def hear(mels: Tensor) -> list[str]:
    """Log-mels [N, bands, T] -> the concept that each sounds like through the vocoder, "" where unclear."""
    with torch.no_grad():
        return [_concept(found) for found in measure_sounds(vocode(mels.float()).cpu().numpy())]


def _concept(found: dict[str, str | None]) -> str:
    clear = {name: value for name, value in found.items() if value is not None}
    return str(Combination(**clear)) if len(clear) == len(found) else ""
