"""The digits' evaluation: what the judges see and hear, and whether attributes in the prompt do what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ...config import AudioConfig
from ...errors import CheckpointError
from ...evaluation.compare import Figures, distances, diversity, memorisation
from ...evaluation.judges import Judge, LiveJudge, picture_input, shares, sound_input, tensor_input
from ...evaluation.metrics import accuracy
from ...evaluation.samples import Generated, Items, bands, image_array, pixels, real_images, real_sounds, vocoded
from .attributes import measure_duration, measure_slant, measure_thickness
from .captions import attribute_prompts
from .dataset import Digits

IMAGE_JUDGE, AUDIO_JUDGE = "judge-digits-image", "judge-digits-audio"
PER_DIGIT = 200  # real pictures of a digit that stand beside the generated ones
REAL_PAIRS = 2_000


def evaluate(
    pipeline, generated: Generated, train: Digits, held_out: Callable[[], Digits], seed: int, progress: bool = True
) -> tuple[Figures, dict]:
    """Figures, and tables per phrasing and per digit, of samples of ``Digits.prompts()``.

    See :class:`mmgan.data.registry.DatasetPackage`.

    Raises:
        CheckpointError: a judge is absent or damaged.
    """
    test = held_out()
    eye, ear = Judge.from_pretrained(IMAGE_JUDGE), Judge.from_pretrained(AUDIO_JUDGE)
    audio, drawn = generated.audio, generated.images.values
    pictures, real_pictures = _see(eye, generated.images), _see(eye, real_images(test, range(test.num_images), drawn))
    real_sounds_test = real_sounds(test, range(test.num_sounds), audio)
    voices, real_voices = _hear(ear, generated.sounds, audio), _hear(ear, real_sounds_test, audio)
    voices_back = _hear(ear, vocoded(real_sounds_test, audio, progress), audio)
    train_voices = _hear(ear, real_sounds(train, range(train.num_sounds), audio), audio)
    figures = Figures()

    figures.share("image_accuracy", pictures.hits.mean(), real_pictures.hits.mean(), f"{IMAGE_JUDGE}; real: test split")
    figures.share(
        "audio_accuracy", voices.hits.mean(), real_voices.hits.mean(),
        f"{AUDIO_JUDGE} on waveforms; real sounds through the vocoder {voices_back.hits.mean():.1%}",
    )  # fmt: skip
    rows = test.rows(np.random.default_rng(seed), REAL_PAIRS)
    both = float(np.mean([real_pictures.hits[row.image] and real_voices.hits[row.sound] for row in rows]))
    figures.share("both_correct", (pictures.hits & voices.hits).mean(), both, "of one sample; real: paired by digit")
    agree = float(np.mean([a == b for a, b in zip(pictures.labels, voices.labels, strict=True)]))
    figures.share("image_and_audio_agree", agree, None, "the same digit is seen and heard, whatever was asked")
    before = accuracy(ear.predict(torch.from_numpy(generated.mels)), generated.sounds.concepts)
    figures.share("audio_accuracy_before_the_vocoder", before, None, f"{AUDIO_JUDGE} on the generator's log-mels")

    # From the test split where it is large enough. 300 sounds are too few, so those are from the train split.
    distances(figures, "image", pictures.features, real_pictures.features, seed, "judge features, real: test split")
    distances(figures, "audio", voices.features, train_voices.features, seed, "judge features, real: train split")

    some = _first(real_pictures.features.concepts, PER_DIGIT)
    flat = [
        Items(pixels(items.values).numpy(), items.concepts)
        for items in (generated.images, real_pictures.items.take(some))
    ]
    diversity(figures, "image", "judge_features", pictures.features, real_pictures.features.take(some))
    diversity(figures, "image", "pixels", *flat)
    diversity(figures, "audio", "judge_features", voices.features, train_voices.features)
    diversity(figures, "audio", "log-mel", voices.flat(), train_voices.flat())

    train_pictures = real_images(train, range(train.num_images), drawn)
    small, small_train, small_test = (
        Items(pixels(items.values, 16).numpy(), items.concepts)
        for items in (generated.images, train_pictures, real_pictures.items.take(some))
    )
    memorisation(figures, "image", small, small_train, small_test, "16x16 pixels")
    groups = (voices.flat(32), train_voices.flat(32), voices_back.flat(32))
    memorisation(figures, "audio", *groups, "32x32 log-mel, held-out sounds through the vocoder")
    _attributes(figures, pipeline, eye, train, max(1, len(generated.prompts) // 100), seed, progress)
    return figures, _tables(generated, pictures, voices, real_pictures, real_voices)


def live_judge() -> LiveJudge | None:
    """Judges the log-mels themselves, without the vocoder, which takes most of the time; None without the judges."""
    try:
        eye, ear = Judge.from_pretrained(IMAGE_JUDGE), Judge.from_pretrained(AUDIO_JUDGE)
    except CheckpointError:
        return None

    def judge(images: Tensor, mels: Tensor, concepts: Sequence[str]) -> dict[str, float]:
        eye.to(images.device), ear.to(mels.device)
        return shares(eye.predict(tensor_input(images)), ear.predict(mels.float()), concepts)

    return judge


@dataclass
class _Judged:
    """Items, what a judge makes of them, and the inputs it saw (log-mels, for sounds)."""

    items: Items
    inputs: Tensor
    labels: list[str]
    features: Items
    hits: np.ndarray  # bool [N], the label is the concept

    def flat(self, side: int | None = None) -> Items:
        """The log-mels as rows, averaged down to ``side`` bands and frames."""
        return Items(bands(self.inputs, side, side).numpy(), self.items.concepts)


def _judged(judge: Judge, items: Items, inputs: Tensor) -> _Judged:
    labels, features = judge.judge(inputs)
    hits = np.array([a == b for a, b in zip(labels, items.concepts, strict=True)])
    return _Judged(items, inputs, labels, Items(features.numpy(), items.concepts), hits)


def _see(eye: Judge, items: Items) -> _Judged:
    return _judged(eye, items, tensor_input(torch.from_numpy(items.values).float() / 127.5 - 1))


def _hear(ear: Judge, items: Items, audio: AudioConfig) -> _Judged:
    return _judged(ear, items, sound_input(items.values, audio))


def _first(concepts: list[str], count: int) -> np.ndarray:
    """Indices of the first ``count`` items of every concept."""
    array = np.asarray(concepts)
    return np.concatenate([np.flatnonzero(array == concept)[:count] for concept in sorted(set(concepts))])


def _attributes(figures, pipeline, eye: Judge, train: Digits, count: int, seed: int, progress: bool) -> None:
    """Both prompts of a pair with the same latents: how often the attribute moves the way the words say."""
    moved: dict[str, list[np.ndarray]] = {}
    shown = []
    for number, (attribute, less, more) in enumerate(tqdm(attribute_prompts(), "attributes", disable=not progress)):
        values = []
        for prompt in (less, more):
            out = pipeline([prompt], num_samples=count, seed=seed + 1_000_000 + number)
            images = np.stack([image_array(image).mean(0).round().astype(np.uint8) for image in out.images])
            values.append(_measure(attribute, images, np.asarray(out.audio), int(out.sampling_rate)))
            shown += [a == str(number % 10) for a in eye.predict(picture_input(list(images)))]
        moved.setdefault(attribute, []).append(values[1] - values[0])
    words = {"thickness": "thin, thick", "slant": "leaning left, right", "duration": "spoken quickly, slowly"}
    for attribute, parts in moved.items():
        change = np.concatenate(parts)
        figures.share(
            f"{attribute}_moves_the_right_way", float((change > 0).mean()), 1.0,
            f"{words[attribute]}: {len(change)} pairs with the same latents; mean change {change.mean():+.3g}, "
            f"between real ones {_real_change(train, attribute):+.3g}; real: by definition",
        )  # fmt: skip
    figures.share(
        "image_accuracy_with_attributes", float(np.mean(shown)), None, f"{len(shown)} pictures of those pairs"
    )


def _measure(attribute: str, images: np.ndarray, waveforms: np.ndarray, rate: int) -> np.ndarray:
    if attribute == "duration":
        return measure_duration(waveforms, rate)
    return {"thickness": measure_thickness, "slant": measure_slant}[attribute](images)


def _real_change(train: Digits, attribute: str) -> float:
    """Mean difference between real items that have the two words, averaged over digits."""
    values, names, labels, (less, more) = {
        "thickness": (train.thickness, train.stroke_names, train.labels, ("thin", "thick")),
        "slant": (train.slant, train.lean_names, train.labels, ("left", "right")),
        "duration": (train.duration, train.speed_names, train.sound_labels, ("fast", "slow")),
    }[attribute]
    parts = [
        values[(names == more) & (labels == d)].mean() - values[(names == less) & (labels == d)].mean()
        for d in range(10)
    ]
    return float(np.mean(parts))


def _tables(generated: Generated, pictures, voices, real_pictures, real_voices) -> dict[str, list[dict]]:
    texts, concepts = [p.text for p in generated.prompts], np.asarray(generated.images.concepts)
    order = {text: number // 10 for number, text in enumerate(dict.fromkeys(texts))}  # ten digits of each phrasing
    phrasing, examples = np.array([order[text] for text in texts]), list(order)[::10]
    by_phrasing = [
        {"phrasing": example, **_row(pictures, voices, phrasing == number)} for number, example in enumerate(examples)
    ]
    by_digit = []
    for digit in sorted(set(concepts.tolist())):
        real = [judged.hits[np.asarray(judged.items.concepts) == digit] for judged in (real_pictures, real_voices)]
        row = _row(pictures, voices, concepts == digit)
        by_digit.append(
            {"digit": digit, **row, "real_image": float(real[0].mean()), "real_audio": float(real[1].mean())}
        )
    return {"accuracy_per_phrasing": by_phrasing, "accuracy_per_digit": by_digit}


def _row(pictures: _Judged, voices: _Judged, chosen: np.ndarray) -> dict[str, float]:
    image, sound = pictures.hits[chosen], voices.hits[chosen]
    return {"image": float(image.mean()), "audio": float(sound.mean()), "both": float((image & sound).mean())}
