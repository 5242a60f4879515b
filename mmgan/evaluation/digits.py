"""The digits' evaluation: what the judges see and hear, and whether attributes in the prompt do what they say."""

from __future__ import annotations

import numpy as np
import torch
from tqdm import tqdm

from ..data.captions import attribute_prompts
from ..data.digit_attributes import measure_duration, measure_slant, measure_thickness
from ..data.digits import Digits
from .compare import Figures, distances, diversities, memorisation
from .judges import Judge, picture_input, sound_input
from .metrics import accuracy
from .samples import Generated, Items, bands, image_array, pixels, real_images, real_sounds, vocoded

IMAGE_JUDGE, AUDIO_JUDGE = "judge-digits-image", "judge-digits-audio"


def evaluate_digits(
    pipeline, generated: Generated, train: Digits, test: Digits, seed: int, progress: bool = True
) -> tuple[Figures, dict]:
    """Figures, and tables per phrasing and per digit, of samples of ``Digits.prompts()``."""
    eye, ear = Judge.from_pretrained(IMAGE_JUDGE), Judge.from_pretrained(AUDIO_JUDGE)
    audio = generated.audio
    real_pictures = real_images(test, range(test.num_images), generated.images.values)
    real_voices = real_sounds(test, range(test.num_sounds), audio)
    voices_back = vocoded(real_voices, audio, progress)

    def see(items: Items):
        return eye.judge(picture_input([array.transpose(1, 2, 0).squeeze() for array in items.values]))

    def hear(items: Items):
        return ear.judge(sound_input(items.values, audio))

    figures = Figures()
    seen, heard = see(generated.images)[0], hear(generated.sounds)[0]
    hits = _hits(seen, generated.images.concepts), _hits(heard, generated.sounds.concepts)
    real_seen, real_heard, real_heard_back = see(real_pictures)[0], hear(real_voices)[0], hear(voices_back)[0]
    real_hits = _hits(real_seen, real_pictures.concepts), _hits(real_heard, real_voices.concepts)
    figures.share("image_accuracy", hits[0].mean(), real_hits[0].mean(), "judge-digits-image; real: test split")
    through = accuracy(real_heard_back, voices_back.concepts)
    figures.share(
        "audio_accuracy", hits[1].mean(), real_hits[1].mean(),
        f"judge-digits-audio on waveforms; real sounds through the vocoder {through:.1%}",
    )  # fmt: skip
    rows = test.rows(np.random.default_rng(seed), 2_000)
    both = np.mean([real_hits[0][row.image] and real_hits[1][row.sound] for row in rows])
    figures.share(
        "both_correct", (hits[0] & hits[1]).mean(), both, "picture and sound of one sample; real: paired by digit"
    )
    agree = np.mean([a == b for a, b in zip(seen, heard, strict=True)])
    figures.share("image_and_audio_agree", agree, None, "the same digit is seen and heard, whatever was asked")
    before = accuracy(ear.predict(torch.from_numpy(generated.mels)), generated.sounds.concepts)
    figures.share("audio_accuracy_before_the_vocoder", before, None, "judge-digits-audio on the generator's log-mels")

    distances(
        figures, "image", generated.images, real_pictures, lambda i: see(i)[1], seed, "judge features, test split"
    )
    train_voices = real_sounds(train, range(train.num_sounds), audio)
    distances(
        figures, "audio", generated.sounds, train_voices, lambda i: hear(i)[1], seed, "judge features, train split"
    )
    diversities(
        figures, "image", generated.images, _first(real_pictures, 200),
        {"judge_features": lambda i: see(i)[1], "pixels": lambda i: pixels(i.values)},
    )  # fmt: skip
    diversities(
        figures, "audio", generated.sounds, train_voices,
        {"judge_features": lambda i: hear(i)[1], "log-mel": lambda i: bands(sound_input(i.values, audio))},
    )  # fmt: skip
    train_pictures = real_images(train, range(train.num_images), generated.images.values)
    memorisation(
        figures, "image", generated.images, train_pictures, _first(real_pictures, 200), lambda i: pixels(i.values, 16),
        "16x16 pixels",
    )  # fmt: skip
    memorisation(
        figures, "audio", generated.sounds, train_voices, voices_back,
        lambda i: bands(sound_input(i.values, audio), 32, 32), "32x32 log-mel, held-out sounds through the vocoder",
    )  # fmt: skip
    _attributes(figures, pipeline, eye, train, max(1, len(generated.prompts) // 100), seed, progress)
    return figures, _tables(generated, hits, real_pictures, real_voices, real_hits)


def _hits(labels: list[str], concepts: list[str]) -> np.ndarray:
    return np.array([a == b for a, b in zip(labels, concepts, strict=True)])


def _first(items: Items, per_concept: int) -> Items:
    """The first items of every concept."""
    concepts = np.asarray(items.concepts)
    return items.take(
        np.concatenate([np.flatnonzero(concepts == c)[:per_concept] for c in sorted(set(items.concepts))])
    )


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


def _tables(generated: Generated, hits, real_pictures: Items, real_voices: Items, real_hits) -> dict:
    texts = [prompt.text for prompt in generated.prompts]
    concepts = np.asarray(generated.images.concepts)
    # Prompts come phrasing by phrasing, ten digits each.
    order = {text: number // 10 for number, text in enumerate(dict.fromkeys(texts))}
    phrasing = np.array([order[text] for text in texts])
    examples = list(order)
    by_phrasing = [{"phrasing": examples[p * 10], **_row(hits, phrasing == p)} for p in sorted(set(phrasing.tolist()))]
    by_digit = []
    for digit in sorted(set(concepts.tolist())):
        real = [
            hit[np.asarray(items.concepts) == digit]
            for hit, items in zip(real_hits, (real_pictures, real_voices), strict=True)
        ]
        by_digit.append(
            {
                "digit": digit,
                **_row(hits, concepts == digit),
                "real_image": float(real[0].mean()),
                "real_audio": float(real[1].mean()),
            }
        )
    return {"accuracy_per_phrasing": by_phrasing, "accuracy_per_digit": by_digit}


def _row(hits, chosen: np.ndarray) -> dict[str, float]:
    image, sound = hits[0][chosen], hits[1][chosen]
    return {"image": float(image.mean()), "audio": float(sound.mean()), "both": float((image & sound).mean())}
