"""The student of scripts/text_encoder/train.py: its tokenizer and first weights before training, and how it is read."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from transformers import AutoTokenizer, ElectraConfig, ElectraModel, PreTrainedTokenizerFast

from mmgan.text.encoder import TextEncoder

# 12 MiB allow 6.1 M parameters in float16. Most go to the embeddings, which cost no time; two layers of half the
# teacher's feed-forward width are what a quarter of its time allows.
SIZE = {
    "vocab_size": 19_000, "embedding_size": 192, "hidden_size": 384, "num_hidden_layers": 2, "num_attention_heads": 12,
    "intermediate_size": 768, "max_position_embeddings": 128, "type_vocab_size": 1,
}  # fmt: skip
TEACHER_LAYERS = (0, 5)  # of six: of all pairs tried without training, these two alone stayed nearest to the whole
RARE = 2  # texts; a Chinese character of fewer is left out
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Mean of the token vectors [B, L, D] under the mask [B, L], scaled to unit length: float32 [B, D]."""
    mask = attention_mask.unsqueeze(-1).float()
    mean = (hidden.float() * mask).sum(1) / mask.sum(1)  # every prompt has its [CLS] and [SEP], so the sum is never 0
    return torch.nn.functional.normalize(mean, dim=-1)


def build_tokenizer(teacher, texts: Iterable[str], meanings: dict[str, str], size: int) -> PreTrainedTokenizerFast:
    """WordPiece: the teacher's pieces that ``texts`` use most, Chinese characters and emoji, each by itself."""
    counts = Counter()
    texts = sorted(set(texts))
    for start in range(0, len(texts), 4096):
        for encoding in teacher.backend_tokenizer.encode_batch(texts[start : start + 4096], add_special_tokens=False):
            counts.update(encoding.tokens)
    characters = Counter(c for text in texts for c in unicodedata.normalize("NFKD", text.lower()))
    single = {c for c, n in characters.items() if n >= (RARE if _is_chinese(c) else 2) and not c.isspace()}
    single |= {c for c in meanings if len(c) == 1 and not _is_chinese(c)}
    single |= {chr(i) for i in range(33, 127) if not chr(i).isupper()}
    letters = [c for c in map(chr, range(33, 127)) if c.isalnum() and not c.isupper()]
    vocabulary = dict.fromkeys([*SPECIAL, *sorted(single), *(f"##{c}" for c in letters)])
    # By the product of two ranks: how often the texts use a piece, and how often the teacher's own texts did (its
    # pieces stand in that order).
    used = [token for token, _ in counts.most_common() if not token.startswith("[")]
    used_rank = {token: i for i, token in enumerate(used, start=1)}
    general = {token: i for i, token in enumerate(sorted(used, key=teacher.get_vocab().get), start=1)}
    for token in sorted(used, key=lambda token: (used_rank[token] * general[token], token)):
        if len(vocabulary) == size:
            break
        vocabulary.setdefault(token)
    vocabulary = {token: i for i, token in enumerate(vocabulary)}

    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=64))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.BertNormalizer(lowercase=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex(r"[\p{So}\p{Sk}]"), "isolated")]
    )
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=SIZE["max_position_embeddings"],
        pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def _is_chinese(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


@torch.no_grad()
def build_student(teacher: TextEncoder, tokenizer, meanings: dict[str, str], texts: list[str]) -> ElectraModel:
    """A student that starts from the teacher's weights; a character new to the teacher starts as what it means."""
    config = ElectraConfig(
        **SIZE | {"vocab_size": len(tokenizer)}, pad_token_id=0,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = ElectraModel(config)
    source = teacher.model.cpu()
    _copy_embeddings(model, source, teacher.tokenizer, tokenizer, meanings)
    important = _feed_forward_importance(source, teacher.tokenizer, texts[:: len(texts) // 512 + 1])
    for student_layer, number in zip(model.encoder.layer, TEACHER_LAYERS, strict=True):
        layer = source.encoder.layer[number]
        keep = important[number].topk(config.intermediate_size).indices.sort().values
        student_layer.attention.load_state_dict(layer.attention.state_dict())
        student_layer.intermediate.dense.weight.copy_(layer.intermediate.dense.weight[keep])
        student_layer.intermediate.dense.bias.copy_(layer.intermediate.dense.bias[keep])
        student_layer.output.dense.weight.copy_(layer.output.dense.weight[:, keep])
        student_layer.output.dense.bias.copy_(layer.output.dense.bias)
        student_layer.output.LayerNorm.load_state_dict(layer.output.LayerNorm.state_dict())
    teacher.model.to(teacher.device)
    return model


@torch.no_grad()
def take_over(model: ElectraModel, tokenizer, folder: Path) -> None:
    """Puts the weights of an earlier student of the same sizes into a new one, whose vocabulary may differ.

    Pieces that the earlier one lacks keep where they start, moved by the linear map that best takes the start of the
    common pieces to what these have become.
    """
    earlier = ElectraModel.from_pretrained(folder, dtype=torch.float32)
    known, new = AutoTokenizer.from_pretrained(folder).get_vocab(), tokenizer.get_vocab()
    first = model.embeddings.word_embeddings.weight.clone()
    trained = earlier.embeddings.word_embeddings.weight
    common = [(i, known[token]) for token, i in new.items() if token in known]
    ours, theirs = (torch.tensor(indices) for indices in zip(*common, strict=True))
    padded = torch.cat([first, torch.ones(len(first), 1)], dim=1)
    moved = padded @ torch.linalg.lstsq(padded[ours], trained[theirs]).solution
    moved[ours] = trained[theirs]
    state = earlier.state_dict() | {"embeddings.word_embeddings.weight": moved}
    model.load_state_dict(state)


def _copy_embeddings(model: ElectraModel, source, teacher_tokenizer, tokenizer, meanings: dict[str, str]) -> None:
    """Principal components of what the teacher's first layer reads: narrow embeddings, and the way back to 384."""
    teacher = source.embeddings
    positions = teacher.position_embeddings.weight[: model.config.max_position_embeddings]
    middle = positions[1:16].mean(0) + teacher.token_type_embeddings.weight[0]
    read = teacher.LayerNorm(teacher.word_embeddings.weight + middle)  # [30522, 384]

    known = teacher_tokenizer.get_vocab()
    rows, used = {}, []
    for token, i in tokenizer.get_vocab().items():
        if token in meanings and len(token) == 1:  # before the teacher's own: it read no Chinese and no emoji
            used_ids = teacher_tokenizer(meanings[token], add_special_tokens=False)["input_ids"]
        else:
            used_ids = [known[token]] if token in known else []
            used += used_ids
        rows[i] = read[used_ids].mean(0) if used_ids else None
    mean = read[used].mean(0)
    _, _, axes = torch.linalg.svd(read[used] - mean, full_matrices=False)
    axes = axes[: model.config.embedding_size]  # [192, 384]
    words = torch.stack([(row - mean if row is not None else mean * 0) @ axes.T for _, row in sorted(rows.items())])

    spread = (teacher.word_embeddings.weight[used] + middle).std(1).mean()
    shifts = (positions - positions[1:16].mean(0)) / spread * teacher.LayerNorm.weight
    embeddings = model.embeddings
    embeddings.word_embeddings.weight.copy_(words)
    embeddings.position_embeddings.weight.copy_(shifts @ axes.T)
    embeddings.token_type_embeddings.weight.zero_()
    embeddings.LayerNorm.weight.fill_(words.square().mean().sqrt())
    model.embeddings_project.weight.copy_(axes.T)
    model.embeddings_project.bias.copy_(mean)


def _feed_forward_importance(source, tokenizer, texts: list[str]) -> list[Tensor]:
    """How much each hidden unit of each layer's feed-forward part adds to its output, on average over ``texts``."""
    sums = [torch.zeros(layer.intermediate.dense.out_features) for layer in source.encoder.layer]
    hooks = [
        layer.intermediate.register_forward_hook(lambda _, __, out, total=total: total.add_(out.abs().sum((0, 1))))
        for layer, total in zip(source.encoder.layer, sums, strict=True)
    ]
    for start in range(0, len(texts), 64):
        source(**tokenizer(texts[start : start + 64], padding=True, truncation=True, return_tensors="pt"))
    for hook in hooks:
        hook.remove()
    return [
        total * layer.output.dense.weight.norm(dim=0) for total, layer in zip(sums, source.encoder.layer, strict=True)
    ]
