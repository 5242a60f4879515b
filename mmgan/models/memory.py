"""A memory of named things: codes that a caption looks up by attention over the things' names.

The text space is smooth, so that sentences of one meaning lie together; pictures of "pig" and "boar" are not alike for
that. A code for each thing (key-value memory, Miller et al. 2016) tells them apart in a fraction of the steps, "a pig
with wings" reads the codes of pig and wing, and the weights say of which things a sample was made.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..config import EMBEDDING_DIM, MemoryConfig
from .layers import linear, standard, unit

SHARPNESS = 20.0  # of the softmax over cosines, before it is learned


class Memory(nn.Module):
    """Captions [B, 384] -> what each head read, side by side [B, heads * code].

    The heads look for different things: the first for the one that comes first in the memory's order.
    """

    def __init__(self, config: MemoryConfig):
        super().__init__()
        self.heads = config.heads
        self.query = linear(EMBEDDING_DIM, config.heads * config.key, bias=False)
        self.keys = nn.Parameter(torch.randn(config.things, config.names, config.key))
        self.codes = nn.Parameter(torch.randn(config.things, config.code))
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS)))

    def scores(self, embedding: Tensor, hidden: Tensor | None = None) -> Tensor:
        """How well each head's question fits each thing, by the name that fits best: logits [B, heads, things].

        Things that are ``hidden`` ([B, things], bool) are not found.
        """
        question = unit(self.query(standard(embedding)).unflatten(1, (self.heads, -1)))  # [B, heads, key]
        keys = unit(self.keys)
        scores = self.log_sharpness.exp() * torch.stack(
            [question @ keys[:, name].T for name in range(keys.shape[1])]
        ).amax(0)
        return scores if hidden is None else scores.masked_fill(hidden[:, None], -1e4)

    def forward(self, embedding: Tensor, hidden: Tensor | None = None) -> Tensor:
        return (self.scores(embedding, hidden).softmax(2) @ self.codes).flatten(1)
