"""Prompts of any lengths in one forward of a transformer, without padding: each attends to its own tokens only.

Sequence packing without cross-contamination (Krell et al. 2021). The tokens of all prompts stand in one row, so that
matrix products are large however short the prompts are; each prompt's attention is computed alone, equally long prompts
together. The layers are transformers' own, whose weights are multiplied here: its way from layer to layer serves many
models and trainings, and costs a small encoder two milliseconds a prompt.
"""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, scaled_dot_product_attention

MODELS = ("bert", "electra")  # positions count from 0, and only attention mixes tokens
TOKENS_OF = 32  # rows are padded to a multiple of it, so that they have few lengths
TRIED = [[2, 3], [2, 5, 7, 11, 3]]  # prompts by which this is compared with transformers
CLOSE = 1e-3  # of vectors whose numbers are around 1


def prepare(model) -> PackedModel | None:
    """``model``, of transformers, for packed prompts; None where it cannot be packed.

    Other options of these models, or other versions of the library, may differ, so results are compared with those of
    the model's own forward. The model itself stays usable.
    """
    if model.config.model_type not in MODELS or model.config.vocab_size <= max(map(max, TRIED)):
        return None
    with torch.no_grad():  # not inference mode: these are the model's own weights, which may be trained later
        rows = [model(torch.tensor([ids], device=model.device)).last_hidden_state.float().mean(1) for ids in TRIED]
        try:
            packed = PackedModel(model)
            return packed if torch.allclose(packed.forward(TRIED), torch.cat(rows), atol=CLOSE) else None
        except (AttributeError, RuntimeError, TypeError):
            return None


def packed_length(prompts: list[list[int]]) -> int:
    """Tokens of the row that :meth:`PackedModel.forward` makes of ``prompts`` (token ids)."""
    total = sum(map(len, prompts))
    return total if len(prompts) == 1 else -(-total // TOKENS_OF) * TOKENS_OF


class PackedModel:
    """A transformer that :func:`prepare` found fit; it shares the model's weights.

    Attributes:
        device: where the model is.
    """

    def __init__(self, model):
        self.device = model.device
        table = model.embeddings
        self._words = table.word_embeddings.weight
        self._positions = table.position_embeddings.weight + table.token_type_embeddings.weight[0]
        self._norm = _norm(table.LayerNorm)
        # ELECTRA's embeddings may be narrower than its layers.
        self._widen = _Product(model.embeddings_project) if hasattr(model, "embeddings_project") else None
        self._layers = [_Layer(layer) for layer in model.encoder.layer]

    def forward(self, prompts: list[list[int]]) -> Tensor:
        """Mean of the last layer's token vectors, float32 [n, D], of prompts (token ids) sorted by their length."""
        filling = packed_length(prompts) - sum(map(len, prompts))
        sequences = [*prompts, [0] * filling] if filling else prompts
        groups = [(length, len(list(group))) for length, group in groupby(map(len, sequences))]
        ids = torch.tensor([token for prompt in sequences for token in prompt], device=self.device)
        positions = torch.tensor([place for prompt in sequences for place in range(len(prompt))], device=self.device)
        hidden = layer_norm(self._words[ids] + self._positions[positions], *self._norm)
        if self._widen:
            hidden = self._widen(hidden)
        for layer in self._layers:
            hidden = layer(hidden, groups)
        return torch.cat([part.mean(1) for part in _apart(hidden.float(), groups)])[: len(prompts)]


class _Product:
    """Linear layers of one input, side by side in one matrix product: [T, D] -> [T, sum of their outputs].

    Their inputs come first in memory: MKL then rounds a row in the same way whatever else is multiplied, and faster.
    """

    def __init__(self, *linears: nn.Linear):
        self.weight = torch.cat([linear.weight.data.t() for linear in linears], 1).contiguous()
        self.bias = torch.cat([linear.bias.data for linear in linears])
        parts = self.weight.split([linear.out_features for linear in linears], 1)
        for linear, part in zip(linears, parts, strict=True):
            linear.weight.data = part.t()  # one copy in memory

    def __call__(self, hidden: Tensor) -> Tensor:
        return torch.addmm(self.bias, hidden, self.weight)


class _Layer:
    """Token vectors [T, D] -> [T, D], through attention and the feed-forward part of one layer."""

    def __init__(self, layer):
        attention = layer.attention.self
        self.heads = attention.num_attention_heads
        self.attend = _Product(attention.query, attention.key, attention.value)
        self.gather = _Product(layer.attention.output.dense)
        self.up, self.down = _Product(layer.intermediate.dense), _Product(layer.output.dense)
        self.activation = layer.intermediate.intermediate_act_fn
        self.norms = _norm(layer.attention.output.LayerNorm), _norm(layer.output.LayerNorm)

    def __call__(self, hidden: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        attended = self.attend(hidden).view(len(hidden), 3, self.heads, -1)
        outs = []
        for part in _apart(attended, groups):  # [prompts, tokens, 3, heads, d]
            query, key, value = part.permute(2, 0, 3, 1, 4).unbind(0)
            out = scaled_dot_product_attention(query, key, value)
            outs.append(out.transpose(1, 2).reshape(-1, hidden.shape[1]))
        gathered = self.gather(outs[0] if len(outs) == 1 else torch.cat(outs))
        hidden = layer_norm(gathered + hidden, *self.norms[0])
        return layer_norm(self.down(self.activation(self.up(hidden))) + hidden, *self.norms[1])


def _norm(module: nn.LayerNorm) -> tuple:
    return module.normalized_shape, module.weight, module.bias, module.eps


def _apart(rows: Tensor, groups: list[tuple[int, int]]) -> list[Tensor]:
    """[T, ...] -> for each group (tokens of a prompt, prompts) its part [prompts, tokens, ...]."""
    parts = rows.split([length * count for length, count in groups])
    return [part.view(-1, length, *rows.shape[1:]) for part, (length, _) in zip(parts, groups, strict=True)]
