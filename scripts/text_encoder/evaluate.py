"""Measures a text encoder against its teacher, on what it was not trained on, and prints a table (Markdown).

    python scripts/text_encoder/evaluate.py --teacher sentence-transformers/all-MiniLM-L6-v2 [--student FOLDER]

Held out by concept are the emoji concepts whose split is "val"; the contrast set below is kept out of training whole.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from mmgan.data.digits import captions
from mmgan.system.resources import PRETRAINED
from mmgan.text.encoder import TextEncoder
from scripts.text_encoder import text_corpus
from scripts.text_encoder.student import pool
from scripts.text_encoder.text_corpus import DIGITS, a, plural

# All but the star are held out.
THINGS = ("star", "lion", "rose", "door", "coin", "harp", "school", "compass", "magnet", "telescope")
CONTRASTS = (  # anchor, and two that differ from it in one word; {x} thing, {xs} its plural, {a} with its article
    ("a red {x}", "a blue {x}", "two {xs}"), ("a red {x}", "a red {x} on blue", "no red {x}"),
    ("a small {x}", "a tiny {x}", "a huge {x}"), ("a big {x}", "a large {x}", "a small {x}"),
    ("two {xs}", "three {xs}", "no {xs}"), ("two {xs}", "two red {xs}", "{a}"), ("one {x}", "{a}", "five {xs}"),
    ("{a}", "no {x}", "a green {x}"), ("{a}", "a big {x}", "without {a}"), ("not {a}", "no {x}", "{a}"),
    ("a yellow {x}", "a golden {x}", "a black {x}"), ("a black {x}", "a dark {x}", "a white {x}"),
    ("a large red {x}", "a large blue {x}", "a small red {x}"), ("three green {xs}", "three {xs}", "two green {xs}"),
    ("a blue {x}", "a {x} that is blue", "a {x} that is not blue"),
    ("many {xs}", "several {xs}", "one {x}"), ("a pink {x}", "a red {x}", "a green {x}"),
    ("four {xs}", "five {xs}", "one {x}"),
    ("a picture with {a}", "a picture without {a}", "a picture with a red {x}"),
    ("there is no {x}", "no {x}", "there is {a}"),
    ("a white {x} on black", "a black {x} on white", "a white {x}"),
    ("a tiny blue {x}", "a small blue {x}", "a huge blue {x}"),
)  # fmt: skip
# What the Chinese names of the held-out concepts say, word by word. The teacher reads these, to tell how near one comes
# to the English names with a perfect knowledge of Chinese: a name is not always its translation.
MEANINGS = {
    "派": "pie", "马黛茶": "mate tea", "人鱼": "merfolk", "红桃": "hearts (cards)", "妖怪": "demon",
    "西兰花": "broccoli", "球门": "goal", "指南针": "compass", "OK": "OK", "想一想": "think about it",
    "蟑螂": "cockroach", "理发": "haircut", "手电筒": "flashlight", "18禁": "18 and over only", "流口水": "drooling",
    "小精灵": "little elf", "热茶": "hot tea", "受伤": "injured", "航班降落": "flight landing", "竖琴": "harp",
    "赏月": "admiring the moon", "带头饰的女人": "woman with a headdress", "望远镜": "telescope", "孔雀": "peacock",
    "稻子": "rice plant", "已静音的扬声器": "muted loudspeaker", "药草": "medicinal herb", "硬币": "coin",
    "曲棍球": "hockey", "英式橄榄球": "rugby", "心跳": "heartbeat", "眼镜": "eyeglasses",
    "单眼吐舌": "one eye, tongue out", "怒火中烧": "burning with anger", "害怕": "afraid",
    "无人荒岛": "uninhabited desert island", "伪装的脸": "disguised face", "滑雪": "skiing", "铲": "shovel",
    "玫瑰": "rose", "挂钩": "hook", "门": "door", "灰心": "discouraged", "导盲犬": "guide dog",
    "微微不满": "slightly dissatisfied", "学校": "school", "拇指向上": "thumbs up", "咬住嘴唇": "biting the lip",
    "磁铁": "magnet", "迎面驶来的出租车": "oncoming taxi", "张开双手": "open hands", "DVD": "DVD",
    "粉红色的心": "pink heart", "单亲一孩家庭": "single-parent family with one child",
    "朝右的拳头": "fist facing right", "十二点半": "half past twelve", "向左的手": "hand to the left", "狮子": "lion",
    "九点半": "half past nine", "绿色方块": "green square", "紫色方块": "purple square", "七点": "seven o'clock",
    "橙色圆": "orange circle", "黄色圆": "yellow circle",
}  # fmt: skip
TYPOS = (
    ("zeroo", "zreo", "the digit zeo"), ("onne", "the nmber one", "digit oen"), ("twoo", "tow", "the digit tvo"),
    ("thre", "tree, the digit", "the digit threee"), ("fuor", "foru", "the digit fourr"),
    ("fiv", "fivve", "the digit fice"),
    ("sx", "siix", "the digit sixx"), ("seben", "sevn", "a handwriten seven"), ("eigth", "eihgt", "the digit eigt"),
    ("nin", "ninne", "the digit nien"),
)  # fmt: skip
LANGUAGES = (("English", "en"), ("Chinese", "zh"))
MARGIN = 0.02  # of the teacher's two cosines; closer ones are a tie that no ranking need repeat

Row = tuple[str, str, str]  # what, measured, aim


def contrast_triples() -> list[tuple[str, str, str]]:
    """220 (anchor, one, other): which of the two is nearer to the anchor?"""
    return [
        tuple(text.format(x=thing, xs=plural(thing), a=a(thing)) for text in triple)
        for thing, triple in itertools.product(THINGS, CONTRASTS)
    ]


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return (one * other).sum(1).mean().item()


def among_first(query: torch.Tensor, names: torch.Tensor, right: torch.Tensor, first: int) -> float:
    """Share of ``query`` rows [n, 384] that have the row ``right`` [n] of ``names`` among their ``first`` nearest."""
    return (query @ names.T).topk(first).indices.eq(right[:, None]).any(1).float().mean().item()


def english_captions(name: str) -> list[str]:
    """Captions of one concept, in the manner of what people type."""
    return [name, *(t.format(a(name)) for t in ("a picture of {}", "draw me {} please", "I would like to see {}"))]


def digits_right(encoder: TextEncoder, teacher: TextEncoder, prompts: list[tuple[str, int]]) -> float:
    """Share of prompts (text, digit) nearest to the right one of the teacher's ten "the digit seven"."""
    names = teacher.encode([f"the digit {word}" for word in DIGITS])
    right = torch.tensor([digit for _, digit in prompts])
    return among_first(encoder.encode([prompt for prompt, _ in prompts]), names, right, 1)


def told_apart(student: TextEncoder, teacher: TextEncoder, pairs: list[text_corpus.Pair]) -> tuple[float, float, float]:
    """Of pairs that come in twos of one family: per cent of which the student differs as the teacher does, and how
    far it and the teacher hold the two apart on average."""
    ours = student.encode([pair.text for pair in pairs]).unflatten(0, (-1, 2)).diff(dim=1).squeeze(1)
    theirs = teacher.encode([pair.target for pair in pairs]).unflatten(0, (-1, 2)).diff(dim=1).squeeze(1)
    right = ((ours * theirs).sum(1) > 0).float().mean()
    return 100 * right.item(), ours.norm(dim=1).mean().item(), theirs.norm(dim=1).mean().item()


@torch.inference_mode()
def padded(encoder: TextEncoder, prompts: list[str]) -> torch.Tensor:
    """Embeddings [n, 384] as transformers gives them without mmgan: padded to the longest prompt, then their mean."""
    tokens = encoder.tokenizer(
        prompts, padding=True, truncation=True, max_length=encoder.max_tokens, return_tensors="pt"
    )
    return pool(encoder.model(**tokens).last_hidden_state, tokens["attention_mask"])


def milliseconds(ways: list[Callable], prompts: list[str], batch: int, repeats: int = 40) -> list[float]:
    """Median processor time of one call on one thread, taken in turns; on an idle machine it is the time waited."""
    torch.set_num_threads(1)
    times = [[] for _ in ways]
    rng = random.Random(0)
    for _ in range(repeats):
        chosen = rng.sample(prompts, batch)
        for way, spent in zip(ways, times, strict=True):
            start = time.process_time()
            way(chosen)
            spent.append(1_000 * (time.process_time() - start))
    return [statistics.median(spent) for spent in times]


def evaluate(student: TextEncoder, teacher: TextEncoder, emoji: Path, student_folder: str) -> list[Row]:
    """Everything that is measured, in the order of the table."""
    train, val = (list(text_corpus.emoji(emoji / "concepts.csv", split)) for split in ("train", "val"))
    return [
        *english(student, teacher, train, val),
        *chinese(student, teacher, train, val),
        *contrasts(student, teacher),
        *swapped_colours(student, teacher, val),
        *held_out(student, teacher),
        *digit_prompts(student, teacher),
        *times(student, teacher, train, student_folder),
    ]


def english(student: TextEncoder, teacher: TextEncoder, train: list[dict], val: list[dict]) -> Iterator[Row]:
    every = [row["name_en"] for row in (*train, *val)]
    names, student_names = teacher.encode(every), student.encode(every)
    texts = [text for row in val for text in english_captions(row["name_en"])]
    ours, theirs = student.encode(texts), teacher.encode(texts)
    yield "English, held-out concepts: mean cosine", f"{cosine(ours, theirs):.3f}", ">= 0.90"
    found = among_first(ours, student_names, (theirs @ names.T).argmax(1), 3)
    yield "teacher's nearest of 1,275 names among the student's three nearest", f"{100 * found:.1f} %", ">= 90 %"
    texts = [text for row in train[::10] for text in english_captions(row["name_en"])]
    value = cosine(student.encode(texts), teacher.encode(texts))
    yield "English, trained concepts: mean cosine", f"{value:.3f}", ""


def chinese(student: TextEncoder, teacher: TextEncoder, train: list[dict], val: list[dict]) -> Iterator[Row]:
    """Chinese names beside the teacher's English ones."""
    names = teacher.encode([row["name_en"] for row in (*train, *val)])
    for label, chosen, offset, aims in (
        ("held-out", val, len(train), (">= 0.75", ">= 80 %")),
        ("trained", train, 0, ("", ">= 97 %")),
    ):
        said = student.encode([row["name_zh"] for row in chosen])
        right = torch.arange(offset, offset + len(chosen))
        value, found = cosine(said, names[right]), among_first(said, names, right, 5)
        yield f"Chinese names, {label} concepts: mean cosine to the English", f"{value:.3f}", aims[0]
        yield f"Chinese names, {label} concepts: right one in the first five", f"{100 * found:.1f} %", aims[1]
    meant = teacher.encode([MEANINGS[row["name_zh"]] for row in val])
    right = torch.arange(len(train), len(names))
    value, found = cosine(meant, names[right]), among_first(meant, names, right, 5)
    what = "Chinese names, held-out concepts, the teacher reading a literal translation: cosine, first five"
    yield what, f"{value:.3f}, {100 * found:.1f} %", ""


def contrasts(student: TextEncoder, teacher: TextEncoder) -> Iterator[Row]:
    triples = contrast_triples()
    gaps = []
    for encoder in (teacher, student):
        anchor, one, other = (encoder.encode([triple[i] for triple in triples]) for i in range(3))
        gaps.append((anchor * one).sum(1) - (anchor * other).sum(1))
    agree, clear = gaps[0].sign() == gaps[1].sign(), gaps[0].abs() > MARGIN
    share, of_clear = (f"{100 * some.float().mean():.1f} %" for some in (agree, agree[clear]))
    yield f"contrast set, ranked as the teacher ranks: all {len(triples)}", share, ">= 90 %"
    yield f"the {clear.sum()} where the teacher's margin is over {MARGIN}", of_clear, ""


def swapped_colours(student: TextEncoder, teacher: TextEncoder, val: list[dict]) -> Iterator[Row]:
    things = [(row["name_en"], row["name_zh"]) for row in val]
    swapped = list(text_corpus.bindings(things, random.Random(0), per_thing=8))
    for language, code in LANGUAGES:
        pairs = [pair for pair in swapped if pair.group == f"binding_{code}"]
        what = f"colours that change places, held-out things, {language}: told apart (distance, the teacher's)"
        yield what, "{:.1f} % ({:.3f}, {:.3f})".format(*told_apart(student, teacher, pairs)), ""


def held_out(student: TextEncoder, teacher: TextEncoder) -> Iterator[Row]:
    """Captions of the datasets that training left out."""
    from scripts.text_encoder.training_set import held_out_captions

    for name in ("digits", "shapes"):
        for language, code in LANGUAGES:
            pairs = [pair for pair in held_out_captions() if pair.group == f"{name}_captions_{code}"]
            value = cosine(student.encode([p.text for p in pairs]), teacher.encode([p.target for p in pairs]))
            yield f"{name} captions held out, {language}: mean cosine", f"{value:.3f}", ""


def digit_prompts(student: TextEncoder, teacher: TextEncoder) -> Iterator[Row]:
    prompts = captions.evaluation_prompts()
    asked = {
        "evaluation phrasings": prompts,
        "of them never trained": prompts[10 * len(captions.EVALUATED) :],
        "misspelt": [(word, digit) for digit, words in enumerate(TYPOS) for word in words],
        "Chinese": [
            (text.format(name), digit)
            for digit, name in enumerate(DIGITS.values())
            for text in ("数字{}", "我要一个{}", "{}")
        ],
    }
    for label, some in asked.items():
        value = " / ".join(f"{100 * digits_right(encoder, teacher, some):.0f} %" for encoder in (student, teacher))
        yield f"digit prompts, {label}, nearest to the right digit: student / teacher", value, ""


def times(student: TextEncoder, teacher: TextEncoder, train: list[dict], student_folder: str) -> Iterator[Row]:
    texts = [text for row in train for text in english_captions(row["name_en"])]
    for batch, aim in ((1, "<= 4 ms, a third"), (32, "a quarter")):
        ours, *theirs = milliseconds([student._embed, partial(padded, teacher), teacher._embed], texts, batch)
        for name, spent, wanted in zip(("teacher", "teacher packed by mmgan too"), theirs, (aim, ""), strict=True):
            what = f"{batch} prompt{'s' * (batch > 1)} on one thread: ms, student / {name}"
            yield what, f"{ours:.1f} / {spent:.1f} = {ours / spent:.2f}", wanted
    start = time.process_time()
    TextEncoder.from_pretrained(student_folder)
    yield "loading, the libraries being imported: s", f"{time.process_time() - start:.2f}", "< 1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", default="sentence-transformers/all-MiniLM-L6-v2", help="folder or Hub id")
    parser.add_argument("--student", default=str(PRETRAINED / "text-encoder"), help="folder")
    parser.add_argument("--emoji", type=Path, default=Path(os.environ.get("MMGAN_DATA", ".")) / "emoji")
    args = parser.parse_args()
    student, teacher = (TextEncoder.from_pretrained(source) for source in (args.student, args.teacher))
    print("| what | measured | aim |\n| --- | --- | --- |")
    for row in evaluate(student, teacher, args.emoji, args.student):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
