"""Prompts of any lengths in one forward of a transformer, without padding: each attends to its own tokens only.

Sequence packing without cross-contamination (Krell et al. 2021). The tokens of all prompts stand in one row, so that
matrix products are large however short the prompts are. transformers lets a model take another attention function
(``AttentionInterface``); ours computes each prompt's attention alone, equally long prompts together.
"""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor

NAME = "mmgan_packed"
MODELS = ("bert", "electra")  # whose positions count from 0 and whose only step between tokens is attention
TOKENS_OF = 32  # a row of several prompts is filled up to a multiple of it, so that rows are of few lengths


def prepare(model) -> bool:
    """Lets ``model``, of transformers, take packed prompts besides all else; False where its kind cannot.

    Linear layers get their inputs first in memory: MKL then rounds a row of a matrix product in the same way whatever
    else is in it, and faster.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()
    if model.config.model_type not in MODELS:
        return False
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return True


def packed_length(prompts: list[list[int]]) -> int:
    """Tokens of the row that :func:`forward` makes of ``prompts`` (token ids)."""
    total = sum(map(len, prompts))
    return total if len(prompts) == 1 else -(-total // TOKENS_OF) * TOKENS_OF


def forward(model, prompts: list[list[int]], device: torch.device) -> Tensor:
    """Mean of the last layer's token vectors, float32 [n, D], of prompts (token ids) sorted by their length."""
    filling = packed_length(prompts) - sum(map(len, prompts))
    sequences = [*prompts, [0] * filling] if filling else prompts
    groups = [(length, len(list(group))) for length, group in groupby(map(len, sequences))]
    ids = torch.tensor([[token for prompt in sequences for token in prompt]], device=device)
    positions = torch.cat([torch.arange(length) for length in map(len, sequences)]).unsqueeze(0).to(device)
    hidden = model(input_ids=ids, position_ids=positions, packed=groups).last_hidden_state[0].float()
    means = [part.mean(1) for part in _apart(hidden, groups)]
    return torch.cat(means)[: len(prompts)]


def _apart(rows: Tensor, groups: list[tuple[int, int]]) -> list[Tensor]:
    """[T, ...] -> for each group (tokens of a prompt, prompts) its part [prompts, tokens, ...]."""
    parts = rows.split([length * count for length, count in groups])
    return [part.unflatten(0, (-1, length)) for part, (length, _) in zip(parts, groups, strict=True)]


def _attention(module, query: Tensor, key: Tensor, value: Tensor, attention_mask, packed=None, **options):
    """transformers' interface: query, key, value [B, heads, T, d] -> [B, T, heads, d], and no weights.

    With ``packed``, groups of prompts (tokens of each, prompts), B is 1 and no prompt sees another's tokens.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if packed is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    parts = zip(*(_apart(x[0].transpose(0, 1), packed) for x in (query, key, value)), strict=True)  # [n, L, heads, d]
    outs = [
        torch.nn.functional.scaled_dot_product_attention(
            *(x.transpose(1, 2) for x in qkv), scale=options.get("scaling")
        )
        for qkv in parts
    ]
    return torch.cat([out.transpose(1, 2).flatten(0, 1) for out in outs]).unsqueeze(0), None
