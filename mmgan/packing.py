"""Prompts of any lengths in one forward of a transformer, without padding: each attends to its own tokens only.

Sequence packing without cross-contamination (Krell et al. 2021). The tokens of all prompts stand in one row, so that
matrix products are large however short the prompts are; each prompt's attention is computed alone, equally long prompts
together. The layers are transformers' own, called here one by one: its way from layer to layer serves many models and
trainings, and costs a small encoder about a millisecond a prompt.
"""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

MODELS = ("bert", "electra")  # whose positions count from 0 and whose only step between tokens is attention
TOKENS_OF = 32  # a row of several prompts is filled up to a multiple of it, so that rows are of few lengths
TRIED = [[2, 3], [2, 5, 7, 11, 3]]  # prompts that a model has to embed here as transformers does
CLOSE = 1e-3  # of vectors whose numbers are around 1


def prepare(model) -> bool:
    """Whether prompts for ``model``, of transformers, can be packed; a model that cannot is left to be called.

    Linear layers get their inputs first in memory: MKL then rounds a row of a matrix product in the same way whatever
    else is in it, and faster.
    """
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()
    if model.config.model_type not in MODELS or model.config.vocab_size <= max(map(max, TRIED)):
        return False
    with torch.inference_mode():  # other options of these models, or other versions of the library, may differ
        rows = [model(torch.tensor([ids], device=model.device)).last_hidden_state.float().mean(1) for ids in TRIED]
        try:
            return torch.allclose(forward(model, TRIED, model.device), torch.cat(rows), atol=CLOSE)
        except (AttributeError, RuntimeError, TypeError):
            return False


def packed_length(prompts: list[list[int]]) -> int:
    """Tokens of the row that :func:`forward` makes of ``prompts`` (token ids)."""
    total = sum(map(len, prompts))
    return total if len(prompts) == 1 else -(-total // TOKENS_OF) * TOKENS_OF


def forward(model, prompts: list[list[int]], device: torch.device) -> Tensor:
    """Mean of the last layer's token vectors, float32 [n, D], of prompts (token ids) sorted by their length."""
    filling = packed_length(prompts) - sum(map(len, prompts))
    sequences = [*prompts, [0] * filling] if filling else prompts
    groups = [(length, len(list(group))) for length, group in groupby(map(len, sequences))]
    ids = torch.tensor([token for prompt in sequences for token in prompt], device=device)
    positions = torch.cat([torch.arange(length) for length in map(len, sequences)]).to(device)
    table = model.embeddings
    hidden = table.LayerNorm(
        table.word_embeddings(ids) + table.token_type_embeddings.weight[0] + table.position_embeddings(positions)
    )
    if hasattr(model, "embeddings_project"):  # ELECTRA, where embeddings are narrower than layers
        hidden = model.embeddings_project(hidden)
    for layer in model.encoder.layer:
        hidden = _layer(layer, hidden, groups)
    means = [part.mean(1) for part in _apart(hidden.float(), groups)]
    return torch.cat(means)[: len(prompts)]


def _layer(layer, hidden: Tensor, groups: list[tuple[int, int]]) -> Tensor:
    """Token vectors [T, D] -> [T, D], through attention and the feed-forward part of one layer."""
    attention, after, out = layer.attention.self, layer.attention.output, layer.output
    heads = attention.num_attention_heads
    qkv = [project(hidden).unflatten(-1, (heads, -1)) for project in (attention.query, attention.key, attention.value)]
    outs = [
        scaled_dot_product_attention(*(x.transpose(1, 2) for x in parts)).transpose(1, 2).flatten(2).flatten(0, 1)
        for parts in zip(*(_apart(x, groups) for x in qkv), strict=True)  # [prompts, tokens, heads, d]
    ]
    hidden = after.LayerNorm(after.dense(outs[0] if len(outs) == 1 else torch.cat(outs)) + hidden)
    wide = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(hidden))
    return out.LayerNorm(out.dense(wide) + hidden)


def _apart(rows: Tensor, groups: list[tuple[int, int]]) -> list[Tensor]:
    """[T, ...] -> for each group (tokens of a prompt, prompts) its part [prompts, tokens, ...]."""
    parts = rows.split([length * count for length, count in groups])
    return [part.unflatten(0, (-1, length)) for part, (length, _) in zip(parts, groups, strict=True)]
