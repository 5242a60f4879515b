"""The text encoder: a prompt becomes 384 numbers of unit length, in the space of all-MiniLM-L6-v2.

Sentence embeddings by mean pooling over the tokens (Reimers and Gurevych, "Sentence-BERT", 2019). What ships under
``pretrained/text-encoder`` is a small student of sentence-transformers/all-MiniLM-L6-v2 (see its card); the full model
lands in the same space, so any generator works with either.
"""

from __future__ import annotations

import itertools
import math
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..errors import CheckpointError, PromptError, lacks_memory
from ..hub.pretrained import Pretrained
from ..language import Message
from ..system.workers import spread
from . import packing

EMBEDDING_DIM = 384
MAX_CHARACTERS = 1_000  # of a prompt; more is a pasted page, of which only the beginning would be read
MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was trained to read; longer prompts are cut
CACHE_ENTRIES = 32_768  # 50 MB: every caption of the shipped datasets, and a class typing for a day
LEAST_TOKENS, MOST_TOKENS = 64, 1_024  # in one forward, if there are so many: fewer are slower, more are no faster


def normalise_prompt(text: str) -> str:
    """NFC, without NUL, control characters and lone surrogates, runs of white space as one space, none at the ends."""
    text = "".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return " ".join(text.split())


def check_prompt(text: str) -> str:
    """The prompt as the encoder reads it (:func:`normalise_prompt`).

    Raises:
        PromptError: not a string, nothing to read in it, or more than ``MAX_CHARACTERS`` characters.
    """
    if not isinstance(text, str):
        raise PromptError("text.no_string", type=type(text).__name__)
    if len(text) > 100 * MAX_CHARACTERS:  # megabytes are not even normalised
        raise _too_long(len(text))
    prompt = normalise_prompt(text)
    if all(unicodedata.category(c) in ("Cf", "Zs", "Zl", "Zp") for c in prompt):  # also true of an empty one
        raise PromptError("text.empty")
    if len(prompt) > MAX_CHARACTERS:
        raise _too_long(len(prompt))
    return prompt


def is_prompt(text) -> bool:
    """Whether :func:`check_prompt` lets it pass."""
    try:
        return bool(check_prompt(text))
    except PromptError:
        return False


def _too_long(length: int) -> PromptError:
    return PromptError("text.too_long", count=length, limit=MAX_CHARACTERS)


class TextEncoder(Pretrained):
    """A transformer and its tokenizer: prompts to embeddings float32 [n, 384] of unit length.

    Safe to call from several threads. Build it with :meth:`from_pretrained`.
    """

    noun, ships, cached_first = Message("models.noun_text_encoder"), ("text-encoder",), True
    # Nothing that could be a pickle or code.
    files = "config.json", "model.safetensors", "tokenizer*.json", "special_tokens_map.json", "vocab.txt"

    def __init__(self, model, tokenizer, device: str | torch.device = "cpu"):
        self.device = torch.device(device)
        self.model = model.to(self.device).eval().requires_grad_(False)
        self._packed = packing.prepare(self.model)
        self.tokenizer = tokenizer
        self.max_tokens = min(MAX_TOKENS, getattr(model.config, "max_position_embeddings", MAX_TOKENS))
        self._cache: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = threading.RLock()
        self._exact: dict[tuple[int, int], bool] = {}  # (tokens of a prompt, of a forward): whether it is as if alone

    @classmethod
    def from_pretrained(cls, source: str | Path | None = None, device: str | torch.device = "cpu") -> TextEncoder:
        """Loads the shipped student (default), or a folder or Hub id in the layout of all-MiniLM-L6-v2.

        Only safetensors are read and no code of the folder is run. A Hub id is looked for in the local cache first
        and asked of the network only if it is not there.

        Raises:
            CheckpointError: nothing there, a broken folder, or a model whose embeddings have not 384 numbers.
        """
        return super().from_pretrained("text-encoder" if source is None else source, device=device)

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        return (folder / "tokenizer.json").is_file()  # its config.json is in the format of transformers

    @classmethod
    def _read(cls, folder: Path, asked: Path, device: str | torch.device = "cpu") -> TextEncoder:
        model, tokenizer = _load(folder, asked)
        return cls(model, tokenizer, device)

    def _write(self, folder: Path, half: bool = False) -> None:
        weights = {name: (v.half() if half else v).contiguous() for name, v in self.model.state_dict().items()}
        self.model.save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)

    def encode(self, prompts: Sequence[str] | str) -> Tensor:
        """Embeddings float32 [n, 384] on the CPU, unit length, in the order of ``prompts``.

        Each distinct prompt is encoded once and remembered; on a CPU other prompts in the list change no bit.

        Raises:
            PromptError: see :func:`check_prompt`.
        """
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        with self._lock:
            # Remembered prompts have been checked; training asks for the same captions again and again.
            prompts = [p if isinstance(p, str) and p in self._cache else check_prompt(p) for p in prompts]
            missing = [p for p in dict.fromkeys(prompts) if p not in self._cache]
            fresh = dict(zip(missing, self._embed(missing), strict=True))
            rows = [fresh[p] if p in fresh else self._cache[p] for p in prompts]
            self._cache.update(fresh)
            for prompt in prompts:
                self._cache.move_to_end(prompt)
            while len(self._cache) > CACHE_ENTRIES:
                self._cache.popitem(last=False)
        return torch.stack(rows) if rows else torch.zeros(0, EMBEDDING_DIM, dtype=torch.float32)

    def forget(self) -> None:
        """Forgets the prompts that it remembers."""
        with self._lock:
            self._cache.clear()

    def embed_once(self, prompts: list[str]) -> Tensor:
        """Embeddings [n, 384] of prompts that are not worth remembering, unchecked and past the cache.

        Other prompts in the list may change them by a millionth, which a few milliseconds are worth here.
        """
        with self._lock:
            return self._embed(prompts, exact=False)

    def _embed(self, prompts: list[str], exact: bool = True) -> Tensor:
        """Embeddings [n, 384] without the cache.

        Prompts share a forward (:mod:`mmgan.text.packing`). A matrix product may still round a row differently beside
        others. So a forward of several prompts is used only once one of its size has given, for prompts of each length,
        the same bits as each prompt alone.
        """
        if not prompts:
            return torch.zeros(0, EMBEDDING_DIM, dtype=torch.float32)
        tokens = self.tokenizer(prompts, truncation=True, max_length=self.max_tokens)["input_ids"]
        order = sorted(range(len(prompts)), key=lambda place: len(tokens[place]))
        batches = self._split([tokens[place] for place in order])
        forward = self._forward_exactly if exact else self._forward
        rows = spread(forward, batches) if self.device.type == "cpu" else list(map(forward, batches))
        return rows[0] if len(prompts) == 1 else torch.cat(rows)[torch.tensor(order).argsort()]

    def _split(self, tokens: list[list[int]]) -> list[list[list[int]]]:
        """Prompts (token ids, sorted by length) in batches for one forward each: one a thread, where they are many."""
        if not self._packed:
            return [[ids] for ids in tokens]
        share = math.ceil(sum(map(len, tokens)) / (torch.get_num_threads() if self.device.type == "cpu" else 1))
        room = min(max(share, LEAST_TOKENS), MOST_TOKENS)
        batches, used = [], room
        for ids in tokens:
            if used + len(ids) > room:
                batches.append([])
                used = 0
            batches[-1].append(ids)
            used += len(ids)
        return batches

    def _forward_exactly(self, batch: list[list[int]]) -> Tensor:
        """:meth:`_forward`, each row bit for bit as if it were alone."""
        total = packing.packed_length(batch)
        if len(batch) > 1 and not all(self._exact.get((len(ids), total), True) for ids in batch):
            return torch.cat([self._forward([ids]) for ids in batch])
        rows = list(self._forward(batch))
        for length, group in itertools.groupby(range(len(batch)), key=lambda place: len(batch[place])):
            if len(batch) > 1 and (length, total) not in self._exact:
                together = [(place, rows[place]) for place in group]
                for place, _ in together:
                    rows[place] = self._forward([batch[place]])[0]
                self._exact[length, total] = all(torch.equal(row, rows[place]) for place, row in together)
        return torch.stack(rows)

    @torch.inference_mode()
    def _forward(self, batch: list[list[int]]) -> Tensor:
        """Token ids of prompts, sorted by length -> embeddings [n, 384]."""
        if self._packed:
            means = self._packed.forward(batch)
        else:
            (ids,) = batch
            means = self.model(torch.tensor([ids], device=self.device)).last_hidden_state.float().mean(1)
        return torch.nn.functional.normalize(means, dim=-1).cpu()


def _load(folder: Path, asked: Path):
    import transformers  # slow to import, so only when an encoder is needed
    from transformers.utils import logging

    bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # else a bar for one second of loading shows in the terminal
    try:
        options = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
        model, report = transformers.AutoModel.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
        )
    except Exception as error:  # of damaged JSON, weights or a tokenizer: each library raises its own kind
        if lacks_memory(error):
            raise
        raise CheckpointError("text.cannot_load", name=asked) from error
    finally:
        if bar:
            logging.enable_progress_bar()
    # transformers fills absent tensors with random numbers; only the pooler, which mean pooling never reads, may be.
    if [key for key in report["missing_keys"] if "pooler" not in key] or report["mismatched_keys"]:
        raise CheckpointError("text.lacks_weights", name=asked)
    if model.config.hidden_size != EMBEDDING_DIM:
        raise CheckpointError("text.other_space", name=asked, count=model.config.hidden_size, wanted=EMBEDDING_DIM)
    return model, tokenizer
