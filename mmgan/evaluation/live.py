"""Accuracy while a training runs: what its samples show and say, cheap enough for every few seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from ..errors import CheckpointError
from .judges import Judge, tensor_input

MAX_MEASURED = 64  # samples of shapes that are turned into sound and measured: about 30 ms each on one core

LiveJudge = Callable[[Tensor, Tensor, Sequence[str]], dict[str, float]]


def live_judge(dataset_name: str) -> LiveJudge | None:
    """A function (images [B, C, H, W] in -1..1, log-mels [B, bands, T], concepts) -> accuracies; None without a judge.

    It returns ``image_accuracy``, ``audio_accuracy`` and ``both``, shares of the samples that show, say, or do both as
    asked. Digits are judged on the log-mels themselves, without the vocoder, which takes most of the time; shapes are
    measured exactly, on at most 64 samples.
    """
    if dataset_name == "digits":
        from .digits import AUDIO_JUDGE, IMAGE_JUDGE

        try:
            eye, ear = Judge.from_pretrained(IMAGE_JUDGE), Judge.from_pretrained(AUDIO_JUDGE)
        except CheckpointError:
            return None

        def judge(images: Tensor, mels: Tensor, concepts: Sequence[str]) -> dict[str, float]:
            eye.to(images.device), ear.to(mels.device)
            return _shares(eye.predict(tensor_input(images)), ear.predict(mels.float()), concepts)

        return judge
    if dataset_name == "shapes":
        from .shapes import hear, see

        def measure(images: Tensor, mels: Tensor, concepts: Sequence[str]) -> dict[str, float]:
            images, mels, concepts = images[:MAX_MEASURED], mels[:MAX_MEASURED], concepts[:MAX_MEASURED]
            return _shares(see(images), hear(mels), concepts)

        return measure
    return None


def _shares(seen: Sequence[str], heard: Sequence[str], concepts: Sequence[str]) -> dict[str, float]:
    image = np.array([a == b for a, b in zip(seen, concepts, strict=True)])
    audio = np.array([a == b for a, b in zip(heard, concepts, strict=True)])
    return {
        "image_accuracy": float(image.mean()),
        "audio_accuracy": float(audio.mean()),
        "both": float((image & audio).mean()),
    }
