"""Judged accuracy of the shipped models with our text encoder and with its teacher, on phrasings never trained on.

    python scripts/text_encoder/compare.py --teacher sentence-transformers/all-MiniLM-L6-v2 [--student FOLDER]

Prints a table (Markdown): for each kind of phrasing the share of samples whose picture, sound, and both, show what was
asked. Both encoders get the same prompts and the same latents. The teacher reads no Chinese, so Chinese prompts stand
beside what they mean in English, read by the teacher, whose phrasing is no training caption either.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from mmgan import Pipeline
from mmgan.data.digits import captions
from mmgan.data.digits.evaluation import AUDIO_JUDGE, IMAGE_JUDGE
from mmgan.data.shapes import captions as phrasings
from mmgan.data.shapes import dataset as shapes
from mmgan.data.shapes.measure import measure_images, measure_sounds
from mmgan.errors import MmganError
from mmgan.evaluation.judges import Judge, picture_input, sound_input
from mmgan.evaluation.samples import image_array
from mmgan.system.resources import PRETRAINED
from mmgan.text.encoder import TextEncoder
from scripts.text_encoder.dataset_captions import digits_captions, shapes_captions

MISSPELT = ("zeroe", "onne", "tow", "thre", "fuor", "fivve", "sixx", "seben", "eigth", "nien")
DIGITS = {
    "English": (
        "could you write me a {d}", "i need to see {w}, handwritten", "my favourite number is {w}",
        "a {d} from a notebook",
        "the teacher wrote {w} on the board", "what is {w} called?", "pencil drawing of {d}", "tell me how {w} sounds",
    ),
    "misspelt": ("{t}", "the nummber {t}", "could you write me a {t}", "a handwriten {t}", "plaese draw {t}"),
    "Chinese": (
        ("请教我写{c}", "teach me to write {w}"), ("老师在黑板上写了{c}", "the teacher wrote {w} on the board"),
        ("数字{c}怎么念", "how is the number {w} pronounced?"), ("我最喜欢的数字是{c}", "my favourite number is {w}"),
        ("一个漂亮的{c}", "a beautiful {w}"), ("麻烦你帮我写个{c}看看", "could you help me and write a {w}?"),
    ),
}  # fmt: skip
SHAPES = {
    "English": (
        "could you paint me a {size} {colour} {shape} on {background}?",
        "i need one {size} {shape}, make it {colour}, on {background}",
        "a {colour} {shape} of {size} size over {background}",
        "{background} paper with a {size} {colour} {shape} on it",
    ),
    "misspelt": (
        "a {size} {colour} {shape} on {background} backgrund",
        "draww a {size} {colour} {shape} on {background}",
    ),
    "Chinese": (
        ("请给我看{background}背景上的{size}{colour}{shape}",
         "please show me a {size} {colour} {shape} on {background}"),
        ("我要一个{size}的{colour}{shape}，要{background}背景",
         "I want one {size} {colour} {shape}, with a {background} background"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A prompt as each encoder reads it, and what it asks for."""

    student: str
    teacher: str
    concept: str


def digit_prompts() -> dict[str, list[Asked]]:
    """Kind of phrasing -> prompts for each of the ten digits."""
    found: dict[str, list[Asked]] = {}
    for kind, templates in DIGITS.items():
        for template in templates:
            one, two = template if isinstance(template, tuple) else (template, template)
            for digit in range(10):
                words = {"d": digit, "w": captions.WORDS[digit], "c": captions.CHINESE[digit], "t": MISSPELT[digit]}
                found.setdefault(kind, []).append(Asked(one.format(**words), two.format(**words), str(digit)))
    return found


def shape_prompts(count: int, seed: int = 0) -> dict[str, list[Asked]]:
    """Kind of phrasing -> ``count`` prompts for combinations that training shows."""
    rng, found = np.random.default_rng(seed), {}
    combinations = shapes.seen_combinations()
    for kind, templates in SHAPES.items():
        for number in range(count):
            template = templates[number % len(templates)]
            one, two = template if isinstance(template, tuple) else (template, template)
            combination = combinations[rng.integers(len(combinations))]
            english = combination._asdict()
            chinese = {name: phrasings.CHINESE_WORDS[name][value][0] for name, value in english.items()}
            student = one.format(**(chinese if kind == "Chinese" else english))
            found.setdefault(kind, []).append(Asked(student, two.format(**english), str(combination)))
    return found


def judge_digits(out, concepts: Sequence[str]) -> np.ndarray:
    """bool [N, 2]: whether picture and sound are of the digit."""
    eye, ear = Judge.from_pretrained(IMAGE_JUDGE), Judge.from_pretrained(AUDIO_JUDGE)
    seen = eye.predict(picture_input([image_array(image).mean(0).round().astype(np.uint8) for image in out.images]))
    heard = ear.predict(sound_input(np.asarray(out.audio)))
    return np.array([[a == c, b == c] for a, b, c in zip(seen, heard, concepts, strict=True)])


def judge_shapes(out, concepts: Sequence[str]) -> np.ndarray:
    """bool [N, 2]: whether picture and sound have all four attributes."""
    seen, heard = measure_images(np.stack([np.asarray(image) for image in out.images])), measure_sounds(out.audio)
    wanted = [shapes.parse_concept(concept)._asdict() for concept in concepts]
    return np.array([[a == w, b == w] for a, b, w in zip(seen, heard, wanted, strict=True)])


def never_trained_on(prompts: dict[str, list[Asked]], known: list[tuple[str, str | None]]) -> None:
    """Raises SystemExit where a prompt is a training caption."""
    trained = {_plain(text) for text, _ in known}
    for asked in itertools.chain(*prompts.values()):
        for text in (asked.student, asked.teacher):
            if _plain(text) in trained:
                raise SystemExit(f"{text!r} is a training caption; take another phrasing.")


def never_asked_so() -> None:
    """Raises SystemExit where a way to ask for a shape is one that training captions are put together from."""
    trained = {_plain(phrasing.text) for phrasing in (*phrasings.ASKED, *phrasings.ASKED_CHINESE)}
    for template in itertools.chain(*SHAPES.values()):
        for text in [template] if isinstance(template, str) else template:
            if _plain(text) in trained:
                raise SystemExit(f"{text!r} is a way in which training captions ask; take another.")


def _plain(text: str) -> str:
    return text.casefold().strip(" .?!。？！")


def compare(model: str, prompts: dict[str, list[Asked]], judge, encoders: dict[str, TextEncoder], samples: int):
    """Rows (kind, encoder, picture, sound, both), shares of samples."""
    for kind, asked in prompts.items():
        for name, encoder in encoders.items():
            pipe = Pipeline.from_pretrained(model, text_encoder=encoder)
            texts = [getattr(one, name) for one in asked]
            out = pipe(texts, num_samples=samples, seed=0)
            hits = judge(out, [one.concept for one in asked for _ in range(samples)])
            yield kind, name, *hits.mean(0), hits.all(1).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", required=True, metavar="FOLDER|ID")
    parser.add_argument("--student", default=str(PRETRAINED / "text-encoder"), metavar="FOLDER")
    parser.add_argument("--samples", type=int, default=10, help="of each prompt (default 10)")
    parser.add_argument("--prompts", type=int, default=80, help="of each kind, of shapes (default 80)")
    options = parser.parse_args()
    encoders = {
        "student": TextEncoder.from_pretrained(options.student),
        "teacher": TextEncoder.from_pretrained(options.teacher),
    }
    never_asked_so()
    print("| model | phrasings | encoder | picture | sound | both | samples |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for model, prompts, judge, known in (
        ("digits", digit_prompts(), judge_digits, digits_captions()),
        ("shapes", shape_prompts(options.prompts), judge_shapes, shapes_captions()),
    ):
        never_trained_on(prompts, known)
        for kind, name, *shares in tqdm(compare(model, prompts, judge, encoders, options.samples), leave=False):
            count = len(prompts[kind]) * options.samples
            print(f"| {model} | {kind} | {name} | {' | '.join(f'{share:.1%}' for share in shares)} | {count} |")


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    try:
        main()
    except MmganError as error:
        raise SystemExit(f"Error: {error}") from None
