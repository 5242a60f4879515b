"""The texts from which the shipped text encoder learned: what the student reads, and what the teacher reads for it.

Four sources, each with a licence that lets the result be shipped: WordNet 3.0 (words, glosses, examples), the
Chinese-English dictionary CC-CEDICT (:mod:`scripts.text_encoder.cedict`), Unicode's Unihan database (an English
definition for each Chinese character) and emojibase's names and tags of emoji, English and Chinese. Around them stand
templates of our own, and the captions of the digits and shapes datasets.

A Chinese text is paired with its English, so that the student lands where the teacher would put the English.
"""

from __future__ import annotations

import bz2
import csv
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmgan.data.shapes.captions import ASKED_CHINESE, FULL, FULL_CHINESE, with_article
from mmgan.errors import DataError
from mmgan.text.encoder import normalise_prompt


@dataclass(frozen=True)
class Pair:
    """``text`` is what the student reads, ``target`` the English that the teacher reads, ``group`` is for weights."""

    text: str
    target: str
    group: str
    family: str = ""  # pairs of one family are drawn into one batch, so that the student learns what sets them apart


COLOURS = {
    "red": "红色", "blue": "蓝色", "green": "绿色", "yellow": "黄色", "orange": "橙色", "purple": "紫色",
    "pink": "粉色", "black": "黑色", "white": "白色", "brown": "棕色", "grey": "灰色", "golden": "金色",
}  # fmt: skip
SIZES = {"big": "大", "small": "小", "large": "巨大", "tiny": "微小", "huge": "超大", "medium": "中等大小"}
COUNTS = {
    "one": "一个", "two": "两个", "three": "三个", "four": "四个", "five": "五个", "six": "六个", "seven": "七个",
    "eight": "八个", "nine": "九个", "ten": "十个", "many": "许多", "several": "几个",
}  # fmt: skip
DIGITS = {
    "zero": "零", "one": "一", "two": "二", "three": "三", "four": "四", "five": "五", "six": "六", "seven": "七",
    "eight": "八", "nine": "九",
}  # fmt: skip
MANNERS = {
    "happy": "开心的", "sad": "悲伤的", "angry": "生气的", "old": "旧的", "new": "新的", "cute": "可爱的",
    "thin": "细的", "thick": "粗的", "round": "圆圆的", "bright": "明亮的", "dark": "黑暗的",
    "loud": "响亮的", "quiet": "安静的",
}  # fmt: skip
# {x} a thing, {c} colour, {d} another colour, {s} size, {n} count, {m} manner, {y} another thing.
TEMPLATES = [
    ("a picture of {a_x}", "一张{x}的图片"), ("a photo of {a_x}", "{x}的照片"), ("a drawing of {a_x}", "一幅{x}的画"),
    ("an image of {a_x}", "{x}的图像"), ("{a_x}", "一个{x}"), ("the {x}", "这个{x}"), ("{x} emoji", "{x}表情符号"),
    ("the sound of {a_x}", "{x}的声音"), ("a cartoon of {a_x}", "{x}的卡通画"), ("draw {a_x}", "画一个{x}"),
    ("show me {a_x}", "给我看{x}"), ("I want to see {a_x}", "我想看{x}"), ("please make {a_x}", "请做一个{x}"),
    ("{a_c} {x}", "{c}的{x}"), ("{a_c} {x}", "一个{c}{x}"), ("{a_s} {x}", "{s}的{x}"), ("{a_s} {x}", "一个{s}{x}"),
    ("{a_s} {c} {x}", "{s}的{c}{x}"), ("{n} {xs}", "{n}{x}"), ("{n} {c} {xs}", "{n}{c}的{x}"), ("no {x}", "没有{x}"),
    ("not {a_x}", "不是{x}"), ("there is no {x}", "这里没有{x}"), ("a picture without {a_x}", "没有{x}的图片"),
    ("{a_m} {x}", "{m}{x}"), ("{a_x} and {a_y}", "{x}和{y}"), ("{a_x} with {a_y}", "带有{y}的{x}"),
    ("{a_x} without {a_y}", "没有{y}的{x}"), ("{a_x} on {a_c} background", "{c}背景上的{x}"),
    ("{x} on {c}", "{c}上的{x}"), ("{a_c} {x} on {d}", "{d}背景上的{c}{x}"), ("{a_x} next to {a_y}", "{y}旁边的{x}"),
    ("only {a_x}", "只有{x}"),
]  # fmt: skip
# How people ask, around what the templates above say.
REQUESTS = [
    ("draw me {a_x} please", "请给我画一个{x}"), ("I would like to see {a_x}", "我想看看{x}"),
    ("{a_x}, please", "{x}，谢谢"),
    ("can you show me {a_x}?", "你能给我看{x}吗"), ("could you draw {a_x} for me?", "你能帮我画{x}吗"),
    ("give me {a_x}", "给我一个{x}"), ("I want {a_x}", "我要{x}"), ("make {a_c} {x} for me", "帮我做一个{c}的{x}"),
    ("I would like {a_s} {x}", "我想要一个{s}{x}"), ("what does {a_x} sound like?", "{x}是什么声音"),
    ("let me hear {a_x}", "让我听听{x}"), ("please draw {n} {xs}", "请画{n}{x}"), ("{x}", "{x}"),
    ("something like {a_x}", "像{x}一样的东西"), ("this is {a_x}", "这是{x}"),
    ("here is {a_s} {c} {x}", "这里有一个{s}的{c}{x}"),
    ("{a_x} in the style of a cartoon", "卡通风格的{x}"), ("{a_c} {x} and {a_y}", "一个{c}的{x}和{y}"),
]  # fmt: skip
DIGIT_TEMPLATES = [
    ("{w}", "{z}"), ("the digit {w}", "数字{z}"), ("the number {w}", "数字{z}"), ("a handwritten {w}", "手写的{z}"),
    ("a handwritten {w}", "手写数字{z}"), ("a picture of the digit {w}", "一张数字{z}的图片"),
    ("write {a_w}", "写一个{z}"), ("the numeral {w}", "数码{z}"), ("someone saying {w}", "有人在说{z}"),
    ("a spoken {w}", "读出来的{z}"), ("the sound of the number {w}", "数字{z}的声音"), ("{a_m} {w}", "{m}{z}"),
    ("{a_m} handwritten {w}", "{m}手写{z}"),
    ("{a_w} leaning left", "向左倾斜的{z}"), ("{a_w} leaning right", "向右倾斜的{z}"), ("draw {a_w}", "画一个{z}"),
    ("a number {w} drawn by hand", "手绘的数字{z}"), ("give me {a_w}", "给我一个{z}"), ("{a_w}, please", "请给我{z}"),
    ("write {a_w}", "写个{z}"), ("draw {a_w}", "帮我画个{z}"), ("give me {a_w}", "来个{z}吧"),
    ("show me {a_w}", "给我看看{z}"), ("please write {a_w}", "麻烦写一下{z}"),
]  # fmt: skip

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    c: "".join(
        other for r, keys in enumerate(_KEYS) for k, other in enumerate(keys)
        if other != c and abs(r - row) <= 1 and -1 <= k + 0.5 * r - (column + 0.5 * row) <= 1
    )
    for row, line in enumerate(_KEYS) for column, c in enumerate(line)
}  # fmt: skip


def a(phrase: str) -> str:
    """The phrase with its indefinite article; words that are plural or a proper name go without."""
    first = phrase.split(" ")[0]
    if not phrase.isascii() or first[:1].isupper() or (first.endswith("s") and not first.endswith("ss")):
        return phrase
    return ("an " if first[:1] in "aeiou8" else "a ") + phrase


def plural(phrase: str) -> str:
    """The English plural, good enough for captions."""
    if phrase.endswith(("s", "x", "ch", "sh")):
        return phrase if phrase.endswith("s") else phrase + "es"
    return phrase[:-1] + "ies" if re.search("[^aeiou]y$", phrase) else phrase + "s"


def _fill(template: tuple[str, str], x: tuple[str, str], y: tuple[str, str], rng: random.Random) -> tuple[str, str]:
    """One template about ``x`` (and perhaps ``y``), each (English, Chinese): the English and the Chinese text."""
    words = dict(zip("csnm", (rng.choice(list(t.items())) for t in (COLOURS, SIZES, COUNTS, MANNERS)), strict=True))
    words["d"] = rng.choice([item for item in COLOURS.items() if item[0] != words["c"][0]])
    words |= {"x": x, "y": y}
    english = {key: pair[0] for key, pair in words.items()} | {"xs": plural(x[0])}
    english |= {f"a_{key}": a(word) for key, word in english.items()}
    if words["n"][0] == "one":
        english["xs"] = x[0]
    return template[0].format(**english), template[1].format(**{key: pair[1] for key, pair in words.items()})


def templated(
    things: list[tuple[str, str]], per_thing: int, rng: random.Random, group: str, templates=TEMPLATES
) -> Iterable[Pair]:
    """``per_thing`` random templates about each thing (English, Chinese or ""), in both languages."""
    for x in things:
        for template in rng.sample(templates, per_thing):
            english, chinese = _fill(template, x, rng.choice(things), rng)
            yield Pair(english, english, f"{group}_en")
            if x[1]:
                yield Pair(chinese, english, f"{group}_zh")


def contrasts(things: list[str], rng: random.Random, per_thing: int = 6) -> Iterable[Pair]:
    """Families of phrases about one thing that differ in colour, size, count, negation or background."""
    colours, sizes, counts = list(COLOURS), list(SIZES), [*COUNTS, "no", "not a single"]
    for thing in things:
        for _ in range(per_thing):
            colour, size, count = rng.choice(colours), rng.choice(sizes), rng.choice(counts)
            many = thing if count in ("one", "not a single") else plural(thing)
            described = f"{rng.choice(['', size + ' '])}{rng.choice([colour + ' ', colour + ' ', ''])}"
            text = rng.choice([
                a(described + thing), f"{count} {described}{many}", f"no {described}{thing}",
                f"{rng.choice(['not', 'without', 'there is'])} {a(described + thing)}",
                f"{a(described + thing)} on {rng.choice(colours)}",
                f"{a(thing)} that is {rng.choice(['', 'not '])}{colour}",
            ])  # fmt: skip
            yield Pair(text, text, "contrast_en", thing)


def bindings(things: list[tuple[str, str]], rng: random.Random, per_thing: int = 12) -> Iterable[Pair]:
    """Families of two phrases with the same words, whose colours have changed places: "red on blue", "blue on red".

    Attribute binding, as Winoground tests it (Thrush et al. 2022): a mean over words hardly tells the two apart, and no
    generator can draw what its prompt does not say. ``things`` are (English, Chinese or ""), spoken of as the shapes
    dataset speaks.
    """
    for number, thing in enumerate(things):
        for turn in range(per_thing):
            phrasing = FULL[0] if turn % 3 == 0 else rng.choice(FULL)  # the plainest gives the others' meaning, too
            if thing[1] and turn % 3 == 1:
                phrasing = rng.choice(ASKED_CHINESE if rng.random() < 0.7 else FULL_CHINESE)
            size, colours = rng.choice([*SIZES.items(), ("large", "大")]), rng.sample(list(COLOURS.items()), 2)
            for colour, background in (colours, colours[::-1]):
                words = {"size": size, "colour": colour, "shape": thing, "background": background}
                english, chinese = ({key: word[i] for key, word in words.items()} for i in (0, 1))
                target = with_article((FULL[0] if phrasing.chinese else phrasing).text.format(**english))
                text = with_article(phrasing.text.format(**chinese)) if phrasing.chinese else target
                group = "binding_zh" if phrasing.chinese else "binding_en"
                yield Pair(text, target, group, f"binding {number} {turn}")


def digits(rng: random.Random) -> Iterable[Pair]:
    """Free phrasings of the ten digits, by word, numeral and in Chinese."""
    for value, (word, chinese) in enumerate(DIGITS.items()):
        for template in DIGIT_TEMPLATES:
            for manner in MANNERS.items() if "{m}" in template[1] else [("", "")]:
                for shown in (word, str(value)):
                    english = template[0].format(w=shown, a_w=a(shown), a_m=a(manner[0]))
                    yield Pair(english, english, "digits_en")
                    if shown == word:
                        for z in (chinese, str(value)):
                            yield Pair(template[1].format(z=z, m=manner[1]), english, "digits_zh")


def emoji(path: Path, split: str = "train") -> list[dict]:
    """Rows of the emoji dataset's concepts.csv of one split, with ``tags_en`` and ``tags_zh`` as lists."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == split]
    except OSError as error:
        raise DataError(f"There is no emoji list at {path}; name the folder that holds it with --emoji.") from error
    return [row | {key: row[key].split("|") for key in ("tags_en", "tags_zh")} for row in rows]


def emoji_pairs(rows: list[dict], rng: random.Random) -> Iterable[Pair]:
    """Names, tags and emoji characters of ``rows``, and templates about the names, in English and Chinese."""
    for row in rows:
        name = row["name_en"]
        yield Pair(name, name, "emoji_en")
        yield Pair(row["name_zh"], name, "emoji_name_zh")
        yield Pair(row["emoji"], name, "emoji_character")
        for template in ("a picture of {}", "{} please"):
            yield Pair(template.format(row["emoji"]), template.format(a(name)), "emoji_character")
        for tag in row["tags_zh"]:
            yield Pair(tag, name, "emoji_tag_zh")  # a tag of several concepts is pulled to their middle
        for tag in row["tags_en"]:
            yield Pair(tag, tag, "emoji_tag_en")
            yield Pair(f"{name}, {tag}", f"{name}, {tag}", "emoji_tag_en")
    things = [(row["name_en"], row["name_zh"]) for row in rows]
    yield from templated(things, 10, rng, "emoji")


def common_nouns(folder: Path) -> list[str]:
    """WordNet's nouns of one word that its tagged texts use more than once, sorted."""
    rows = [line.split() for line in _lines(folder / "index.noun")]
    return sorted(f[0] for f in rows if int(f[-1 - int(f[2])]) > 1 and re.fullmatch("[a-z]{3,11}", f[0]))


def wordnet(folder: Path, rng: random.Random, lemmas: int, sentences: int) -> Iterable[Pair]:
    """Lemmas (first those that WordNet counted in text), glosses and examples, and templates about common nouns."""
    texts: list[str] = []
    counted: dict[str, int] = {}
    rest: list[str] = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in _lines(folder / f"index.{part}"):
            fields = line.split()
            lemma = fields[0].replace("_", " ")
            uses = int(fields[-1 - int(fields[2])])  # senses that occur in WordNet's tagged texts
            if uses and part == "noun":
                counted[lemma] = counted.get(lemma, 0) + uses
            elif uses:
                counted.setdefault(lemma, uses)
            elif not re.search(r"\d", lemma):
                rest.append(lemma)
        for line in _lines(folder / f"data.{part}"):
            gloss = line.split("|", 1)[1].strip()
            texts += [t for t in re.split(r'[;"]', gloss) if 2 < len(t.split()) <= 20]
    chosen = list(counted) + rng.sample(rest, max(0, min(len(rest), lemmas - len(counted))))
    yield from (Pair(lemma, lemma, "wordnet_lemma") for lemma in chosen[:lemmas])
    texts = [t.strip(" ;,\"'") for t in texts]
    yield from (Pair(t, t, "wordnet_sentence") for t in rng.sample(texts, min(sentences, len(texts))))
    for _ in range(sentences // 25):
        long = ". ".join(rng.sample(texts, rng.randint(2, 5)))
        yield Pair(long, long, "wordnet_long")
    nouns = {line.split()[0] for line in _lines(folder / "index.noun")}
    things = [(w, "") for w in counted if w in nouns and counted[w] > 1 and 2 < len(w) < 12]
    yield from templated(rng.sample(things, min(2_500, len(things))), 4, rng, "noun")


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="latin-1").splitlines() if not line.startswith("  ")]
    except OSError as error:
        raise DataError(
            f"There is no WordNet at {path.parent}; install it (apt-get install wordnet-base) or name its folder."
        ) from error


def unihan_definitions(path: Path) -> dict[str, str]:
    """Chinese characters in common use (GB 2312's first level) and the first English words of their definition."""
    try:
        lines = bz2.decompress(path.read_bytes()).decode("utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"There is no Unihan list at {path}; install it (apt-get install unicode-data) or name the file."
        ) from error
    common = {bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)}
    found = {}
    for line in lines:
        fields = line.split("\t")
        if len(fields) == 3 and fields[1] == "kDefinition" and (c := chr(int(fields[0][2:], 16))) in common:
            definition = re.sub(r"\([^)]*\)", "", fields[2]).split(";")[0].strip()
            if definition:
                found[c] = ", ".join(definition.split(", ")[:3])
    return found


def unihan_pairs(definitions: dict[str, str], rng: random.Random) -> Iterable[Pair]:
    """Each character towards its definition, and templates about those defined by one word."""
    things = []
    for character, definition in definitions.items():
        yield Pair(character, definition, "unihan_zh")
        first = definition.split(", ")[0]
        if re.fullmatch("[a-z]{3,10}", first):
            things.append((first, character))
    yield from (pair for pair in templated(things, 4, rng, "unihan") if pair.group.endswith("zh"))


def typo(text: str, rng: random.Random, words: frozenset[str] = frozenset()) -> str:
    """Slips of the fingers: a letter doubled, dropped, swapped with the next, or a neighbouring key instead or besides.

    One slip anywhere in the text; where it has some of ``words``, one or (in five or more letters) two in one of them.
    """
    spans = [m.span() for m in re.finditer("[A-Za-z]+", text) if m[0].lower() in words]
    if not spans:
        return _slip(text, rng) if sum(c.isascii() and c.isalpha() for c in text) >= 4 else text
    start, end = rng.choice(spans)
    word = _slip(text[start:end], rng)
    if end - start >= 5 and rng.random() < 0.25:
        word = _slip(word, rng)
    return text[:start] + word + text[end:]


def _slip(text: str, rng: random.Random) -> str:
    i = rng.choice([i for i, c in enumerate(text) if c.isascii() and c.isalpha()])
    c = text[i]
    near = rng.choice(NEIGHBOURS[c.lower()]) if rng.random() < 0.7 else rng.choice("abcdefghijklmnopqrstuvwxyz")
    kind = rng.randrange(5)
    if kind == 2 and not text[i + 1 : i + 2].isalpha():
        kind = 0
    slip = (c * 2, "", text[i + 1 : i + 2] + c, near, c + near)[kind]
    return text[:i] + slip + text[i + (2 if kind == 2 else 1) :]


def captions(found: Iterable[tuple[str, str | None]], name: str) -> Iterable[Pair]:
    """Captions of one of our datasets, (caption, English or None) each."""
    for caption, english in found:
        yield Pair(caption, english or caption, f"{name}_captions_{'zh' if english else 'en'}")


def clean(pairs: Iterable[Pair], held_out: set[str]) -> list[Pair]:
    """Distinct pairs, normalised, without the texts and targets in ``held_out`` (lower case)."""
    kept = {}
    for pair in pairs:
        text, target = normalise_prompt(pair.text), normalise_prompt(pair.target)
        if text and target and text.lower() not in held_out and target.lower() not in held_out:
            kept.setdefault((text.lower(), target.lower()), Pair(text, target, pair.group, pair.family))
    return list(kept.values())
