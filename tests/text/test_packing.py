"""Packed prompts: the numbers that transformers gives without packing, and what cannot be packed."""

import pytest
import torch
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from mmgan.text import packing
from mmgan.text.encoder import TextEncoder

PROMPTS = [[2, 9, 3], [2, 8, 3], [2, 7, 7, 6, 3], [2, *range(5, 20), 3]]
SIZES = {"vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 32}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return BertModel(BertConfig(**SIZES)).eval().requires_grad_(False)


def means(model, prompts):
    return torch.cat([model(torch.tensor([ids])).last_hidden_state.mean(1) for ids in prompts])


def test_each_prompt_attends_to_its_own_tokens(model):
    expected = means(model, PROMPTS)
    packed = packing.prepare(model)
    found = packed.forward(PROMPTS)
    assert found.shape == (4, 24) and torch.allclose(found, expected, atol=1e-5)
    for place, ids in enumerate(PROMPTS):
        assert torch.allclose(packed.forward([ids])[0], expected[place], atol=1e-5)


def test_a_prompt_does_not_feel_its_company(model):
    packed = packing.prepare(model)
    one, other = packed.forward(PROMPTS), packed.forward([*PROMPTS[:3], [2, *range(20, 35), 3]])
    assert torch.allclose(one[:3], other[:3], atol=1e-6) and not torch.allclose(one[3], other[3], atol=1e-2)


def test_a_row_of_several_is_filled_and_one_alone_is_not():
    assert packing.packed_length(PROMPTS) == 32
    assert packing.packed_length(PROMPTS[:1]) == 3
    assert packing.packed_length([[1] * 32, [1]]) == 64


def test_a_prepared_model_is_called_as_before(model):
    ids = torch.tensor([[2, 9, 3, 0, 0], [2, 7, 7, 6, 3]])
    mask = (ids > 0).long()
    expected = model(ids, attention_mask=mask).last_hidden_state
    packing.prepare(model)
    assert torch.allclose(model(ids, attention_mask=mask).last_hidden_state[0, :3], expected[0, :3], atol=1e-5)
    assert not any(weight.is_inference() for weight in model.parameters())  # so it can be trained


def test_a_model_whose_attention_is_another_is_left_to_be_called():
    """BERT as a decoder: each token sees those before it only."""
    torch.manual_seed(0)
    assert not packing.prepare(BertModel(BertConfig(**SIZES, is_decoder=True)).eval())


def test_other_kinds_of_models_read_one_prompt_at_a_time():
    """RoBERTa counts positions from another number, so its prompts are not packed."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    torch.manual_seed(0)
    model = RobertaModel(RobertaConfig(**SIZES)).eval().requires_grad_(False)
    expected = means(model, [[6, 7], [5]])
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(40)}, unk_token="w3"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    encoder = TextEncoder(model, PreTrainedTokenizerFast(tokenizer_object=words, unk_token="w3"))
    assert not packing.prepare(model)
    found = encoder._embed(["w6 w7", "w5"])
    assert torch.allclose(found, torch.nn.functional.normalize(expected, dim=1), atol=1e-5)
