"""What the text encoder learns from: the training pairs, and the batches drawn from them.

scripts/text_encoder/train.py trains on these; the sources and templates themselves are
scripts.text_encoder.text_corpus.
"""

from __future__ import annotations

import random
import re

from mmgan.data.digits import captions
from mmgan.data.shapes import dataset as shapes
from mmgan.data.shapes.captions import CHINESE_WORDS, ENGLISH_WORDS
from scripts.text_encoder import text_corpus
from scripts.text_encoder.cedict import cedict_pairs, read_cedict
from scripts.text_encoder.dataset_captions import digits_captions, shapes_captions
from scripts.text_encoder.evaluate import TYPOS, contrast_triples
from scripts.text_encoder.text_corpus import COLOURS, DIGITS, SIZES

# How often a group is drawn: what people type to our models, and Chinese, more often than their share of the texts.
WEIGHTS = {
    "wordnet_lemma": 15, "wordnet_sentence": 7, "wordnet_long": 0.5, "noun_en": 4, "word_en": 3,
    "emoji_en": 7, "emoji_tag_en": 4, "request_en": 7, "contrast_en": 2.5, "binding_en": 3, "binding_zh": 4,
    "emoji_name_zh": 3, "emoji_tag_zh": 1, "emoji_zh": 5, "emoji_character": 1, "unihan_zh": 4,
    "cedict_zh": 12, "cedict_rare_zh": 7, "word_zh": 5, "request_zh": 5,
    "digits_en": 3, "digits_zh": 1.5, "digits_captions_en": 3, "digits_captions_zh": 2,
    "shapes_captions_en": 3.5, "shapes_captions_zh": 2,
}  # fmt: skip
FAMILY = 4  # pairs of one family that are drawn together
TYPO_SHARE = {
    "digits_en": 0.6,
    "digits_captions_en": 0.4,
    "shapes_captions_en": 0.35,
    "contrast_en": 0.1,
}  # of a group's texts, trained towards the text without the typo
OTHER_TYPO_SHARE = 0.06  # of the other English texts
TYPO_WORDS = frozenset(
    [*DIGITS, *COLOURS, *SIZES, "handwritten", "digit", "number"]
    + [word for words in ENGLISH_WORDS["shape"].values() for word in words]
    + list(shapes.SHAPES)
)  # in which most typos fall where a text has some of them
BUCKET = 8  # batches drawn together and sorted by length, so that little is padding
HELD_OUT_SHARE = 20  # one in so many of the digits and shapes captions is never trained on


def held_out_captions() -> list[text_corpus.Pair]:
    """Digits and shapes captions of the training phrasings that the student never sees, the same in every run."""
    return [pair for i, pair in enumerate(_captions()) if i % HELD_OUT_SHARE == 0]


def _captions() -> list[text_corpus.Pair]:
    digits = text_corpus.captions(digits_captions(8_000), "digits")
    return [*digits, *text_corpus.captions(shapes_captions(8_000), "shapes")]


def build_corpus(args) -> tuple[list[text_corpus.Pair], dict[str, str]]:
    """Training pairs, and words that explain a Chinese character or an emoji (for the student's first embeddings)."""
    rng = random.Random(args.seed)
    validation = text_corpus.emoji(args.emoji / "concepts.csv", "val")
    held_out = {row[key].lower() for row in validation for key in ("name_en", "name_zh", "emoji")}
    held_out |= {text.lower() for triple in contrast_triples() for text in triple}
    held_out |= {pair.text.lower() for pair in held_out_captions()}
    held_out |= {prompt.lower() for prompt, _ in captions.evaluation_prompts()}
    rows = text_corpus.emoji(args.emoji / "concepts.csv", "train")
    definitions = text_corpus.unihan_definitions(args.unihan)
    pairs = [
        *text_corpus.wordnet(args.wordnet, rng, args.lemmas, args.sentences),
        *text_corpus.emoji_pairs(rows, rng),
        *text_corpus.unihan_pairs(definitions, rng),
        *text_corpus.digits(rng),
        *_captions(),
    ]
    names = [(row["name_en"], row["name_zh"]) for row in rows]
    nouns = text_corpus.common_nouns(args.wordnet)
    pairs += text_corpus.templated(names, 5, rng, "request", text_corpus.REQUESTS)
    pairs += text_corpus.bindings(
        [(word, name) for word, chinese in CHINESE_WORDS["shape"].items() for name in chinese], rng, per_thing=400
    )
    pairs += text_corpus.bindings(rng.sample(names, 400), rng, per_thing=4)
    pairs += text_corpus.contrasts([*(name for name, _ in names if " " not in name), *rng.sample(nouns, 1_000)], rng)
    if args.cedict:
        pairs += _dictionary(args, pairs, {row["name_zh"] for row in validation}, set(nouns), rng)
    meanings = definitions | {row["emoji"][0]: row["name_en"] for row in reversed([*rows, *validation])}
    return text_corpus.clean(pairs, held_out), meanings


def _dictionary(args, pairs, held_out: set[str], nouns: set[str], rng) -> list[text_corpus.Pair]:
    """Words of the dictionary but the names ``held_out``, and templates and requests around its common nouns."""
    entries = {word: meaning for word, meaning in read_cedict(args.cedict).items() if word not in held_out}
    found = list(cedict_pairs(entries, {pair.target.lower() for pair in pairs if pair.group == "wordnet_lemma"}))
    common = [pair for pair in found if pair.group == "cedict_zh"]
    rare = [pair for pair in found if pair.group != "cedict_zh"]
    things = [(pair.target, pair.text) for pair in common if pair.target in nouns and len(pair.text) <= 4]
    things = rng.sample(things, min(3_000, len(things)))
    return [
        *common,
        *rng.sample(rare, min(args.rare_words, len(rare))),
        *text_corpus.templated(things, 3, rng, "word"),
        *text_corpus.templated(things, 1, rng, "request", text_corpus.REQUESTS),
    ]


class Sampler:
    """Batches that depend on seed and step only: (texts, target rows, number of each text's family)."""

    def __init__(
        self,
        pairs: list[text_corpus.Pair],
        row: dict[str, int],
        batch: int,
        seed: int,
        held_out: frozenset[str] = frozenset(),
    ):
        self.held_out = held_out  # misspelt words of the evaluation, lower case
        self.groups = {name: [p for p in pairs if p.group == name] for name in WEIGHTS}
        self.families: dict[str, list[text_corpus.Pair]] = {}
        for pair in pairs:
            if pair.family:
                self.families.setdefault(pair.family, []).append(pair)
        self.row, self.batch, self.seed, self.cached = row, batch, seed, (-1, [])

    def __call__(self, step: int) -> tuple[list[str], list[int], list[int]]:
        if self.cached[0] != step // BUCKET:
            self.cached = (step // BUCKET, self._bucket(random.Random(f"{self.seed}/{step // BUCKET}")))
        return self.cached[1][step % BUCKET]

    def _bucket(self, rng: random.Random) -> list[tuple[list[str], list[int], list[int]]]:
        names = [name for name, pairs in self.groups.items() if pairs]
        weights = [WEIGHTS[name] for name in names]
        items: list[tuple[float, str, int, int]] = []  # length, text, row, number of the family
        while len(items) < BUCKET * self.batch:
            name = rng.choices(names, weights)[0]
            pair = rng.choice(self.groups[name])
            family = self.families.get(pair.family, [])
            drawn = rng.sample(family, min(FAMILY, len(family))) if family else [pair]
            texts = [self._misspell(p.text, name, rng) for p in drawn]
            length = sum(map(_length, texts)) / len(texts)
            number = len(items)
            items += [(length, text, self.row[p.target], number) for text, p in zip(texts, drawn, strict=True)]
        items = sorted(items[: BUCKET * self.batch], key=lambda item: item[0])
        batches = [items[i : i + self.batch] for i in range(0, len(items), self.batch)]
        rng.shuffle(batches)
        return [tuple(map(list, zip(*batch, strict=True)))[1:] for batch in batches]

    def _misspell(self, text: str, group: str, rng: random.Random) -> str:
        if not group.endswith("_en") or rng.random() >= TYPO_SHARE.get(group, OTHER_TYPO_SHARE):
            return text
        slip = text_corpus.typo(text, rng, TYPO_WORDS if rng.random() < 0.7 else frozenset())
        return text if self.held_out & set(re.findall(r"\w+", slip.lower())) else slip


def _length(text: str) -> float:
    """About the number of its tokens."""
    return sum(0.22 if c.isascii() else 1 for c in text)


def misspelt_words() -> frozenset[str]:
    """The words that the evaluation's misspellings misspell, lower case: in no training text may a slip make them."""
    return frozenset(w for texts in TYPOS for text in texts for w in re.findall(r"\w+", text.lower())) - {
        "the", "digit", "number", "a",
        *DIGITS,
    }  # fmt: skip
