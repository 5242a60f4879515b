"""The training script of the text encoder: batches by seed and step, resuming, and what is kept out."""

import random

import pytest
import torch

from scripts.text_encoder import evaluate as evaluation
from scripts.text_encoder import student as text_student
from scripts.text_encoder import train as training
from scripts.text_encoder import training_set as text_training_set
from scripts.text_encoder.text_corpus import Pair


def sampler(seed=0, held_out=frozenset()):
    pairs = [Pair(f"the number {word}", f"the number {word}", "digits_en") for word in ("seven", "eight", "nine")]
    pairs += [Pair("数字七", "the number seven", "digits_zh")]
    rows = {pair.target: i for i, pair in enumerate(pairs[:3])}
    return text_training_set.Sampler(pairs, rows, batch=16, seed=seed, held_out=held_out)


def test_batches_depend_on_seed_and_step_alone():
    forward, backward = sampler(), sampler()
    assert [forward(step) for step in range(20)] == [backward(step) for step in reversed(range(20))][::-1]
    assert sampler(seed=1)(0) != sampler()(0)


def test_misspellings_keep_the_target_of_what_was_meant():
    first = {"s": 0, "e": 1, "n": 2, "数": 0}
    drawn = [item for step in range(8) for item in zip(*sampler()(step), strict=True)]
    assert any(text not in ("the number seven", "the number eight", "the number nine", "数字七") for text, *_ in drawn)
    for text, row, _ in drawn:
        if text.startswith("the number ") and text[11:] in ("seven", "eight", "nine"):
            assert row == first[text[11]]


def test_misspellings_of_the_evaluation_are_not_trained():
    known = {"the", "number", "seven", "eight", "nine"}
    drawn = [text for step in range(8) for text in sampler()(step)[0]]
    slips = frozenset(word for text in drawn if text.isascii() for word in text.lower().split()) - known
    assert slips
    kept_out = {word for step in range(8) for text in sampler(held_out=slips)(step)[0] for word in text.lower().split()}
    assert not kept_out & slips
    words = text_training_set.misspelt_words()
    assert {"seben", "tow", "handwriten", "nmber"} <= words and not words & {"the", "digit", "number", "seven"}


def test_families_are_drawn_into_one_batch():
    texts = [
        f"{size} {thing}" for thing in ("star", "cat", "harp") for size in ("a", "two big", "no tiny", "one very red")
    ]
    pairs = [Pair(text, text, "contrast_en", text.split()[-1]) for text in texts]
    draw = text_training_set.Sampler(pairs, {text: i for i, text in enumerate(texts)}, batch=4, seed=0)
    for step in range(8):
        _, rows, families = draw(step)
        assert len({row // 4 for row in rows}) == 1 and len(set(rows)) == 4
        assert len(set(families)) == 1
    assert len({number for step in range(8) for number in draw(step)[2]}) > 1


def test_an_earlier_student_is_taken_over_piece_by_piece(tmp_path):
    from transformers import ElectraConfig, ElectraModel, PreTrainedTokenizerFast

    def student(vocabulary):
        from tokenizers import Tokenizer, models

        sizes = {"embedding_size": 4, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = ElectraModel(ElectraConfig(vocab_size=len(vocabulary), intermediate_size=8, **sizes))
        words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
        return model, PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")

    earlier, tokenizer = student(["[UNK]", *"abcdefgh"])
    earlier.save_pretrained(tmp_path), tokenizer.save_pretrained(tmp_path)
    model, tokenizer = student(["[UNK]", *"hgfedcbaz"])
    with torch.no_grad():  # the earlier rows are the new ones doubled, so a new piece's row should be doubled too
        start = model.embeddings.word_embeddings.weight.clone()
        order = [0, 8, 7, 6, 5, 4, 3, 2, 1]
        earlier.embeddings.word_embeddings.weight.copy_(2 * start[order])
    earlier.save_pretrained(tmp_path)
    text_student.take_over(model, tokenizer, tmp_path)
    assert torch.allclose(model.embeddings.word_embeddings.weight, 2 * start, atol=1e-4)
    assert torch.equal(
        model.encoder.layer[0].attention.self.query.weight, earlier.encoder.layer[0].attention.self.query.weight
    )


def test_the_learning_rate_rises_stays_and_falls():
    shares = [training.rate_share(step, 3_000) for step in range(3_000)]
    assert shares[0] == pytest.approx(1 / training.WARMUP) and shares[500] == shares[1_900] == 1.0
    assert shares[-1] == pytest.approx(0.01, abs=1e-3)
    assert shares[2_000:] == sorted(shares[2_000:], reverse=True)


def test_a_run_goes_on_from_its_checkpoint_as_if_never_stopped(tmp_path):
    def fresh():
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 3)
        return model, torch.optim.AdamW(model.parameters(), lr=0.01)

    def steps(model, optimizer, begin, end):
        for step in range(begin, end):
            optimizer.zero_grad()
            model(torch.full((2, 4), float(step))).square().sum().backward()
            optimizer.step()

    model, optimizer = fresh()
    steps(model, optimizer, 0, 5)
    training.save_checkpoint(tmp_path, model, optimizer, 5)
    steps(model, optimizer, 5, 9)
    again, its_optimizer = fresh()
    assert training.load_checkpoint(tmp_path, again, its_optimizer) == 5
    steps(again, its_optimizer, 5, 9)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_the_loss_is_zero_where_student_and_teacher_agree():
    teacher = torch.nn.functional.normalize(torch.randn(8, 384, generator=torch.Generator().manual_seed(0)), dim=1)
    alone, together = torch.arange(8), torch.zeros(8, dtype=torch.long)
    for families in (alone, together):
        loss, cosine = training.distillation_loss(teacher, teacher, families)
        assert loss.item() == pytest.approx(0, abs=1e-6) and cosine.item() == pytest.approx(1)
    assert training.distillation_loss(-teacher, teacher, alone)[0].item() == pytest.approx(2)


def test_small_differences_within_a_family_are_felt():
    """Two texts that the teacher holds 0.13 apart, which the student takes for one."""
    draw = torch.Generator().manual_seed(0)
    middle, aside = torch.linalg.qr(torch.randn(384, 2, generator=draw))[0].T
    teacher = torch.nn.functional.normalize(torch.stack([middle + 0.065 * aside, middle - 0.065 * aside]), dim=1)
    blind = middle.expand(2, -1)
    family, strangers = torch.tensor([3, 3]), torch.tensor([3, 4])
    felt = (
        training.distillation_loss(blind, teacher, family)[0] - training.distillation_loss(teacher, teacher, family)[0]
    )
    unfelt = training.distillation_loss(blind, teacher, strangers)[0]
    assert felt.item() - unfelt.item() == pytest.approx(training.DIFFERENCE_WEIGHT, rel=0.01)
    assert unfelt.item() < 0.01


def test_the_contrast_set_is_large_and_without_doubles():
    triples = evaluation.contrast_triples()
    assert len(triples) == len(set(triples)) >= 200
    assert all(len(set(triple)) == 3 for triple in triples)


def test_two_phrases_are_told_apart_where_they_differ_as_the_teacher_has_them_differ():
    class Encoder:
        def __init__(self, vectors):
            self.vectors = vectors

        def encode(self, texts):
            return torch.tensor([self.vectors[text] for text in texts])

    pairs = [Pair(text, text, "binding_en", text[0]) for text in ("a1", "a2", "b1", "b2")]
    teacher = Encoder({"a1": [0.0, 1.0], "a2": [1.0, 0.0], "b1": [0.0, 1.0], "b2": [1.0, 0.0]})
    student = Encoder({"a1": [0.0, 0.5], "a2": [0.5, 0.0], "b1": [0.5, 0.0], "b2": [0.0, 0.5]})
    assert evaluation.told_apart(student, teacher, pairs) == pytest.approx((50.0, 0.5**0.5, 2**0.5))


def test_ways_to_ask_in_chinese_are_not_those_of_the_comparison():
    """The comparison's phrasings must stay ones that no training text has, word by word put together or not."""
    from scripts.text_encoder import compare as comparison
    from scripts.text_encoder import text_corpus

    pairs = list(text_corpus.bindings([("heart", "心形")], random.Random(0), per_thing=1_200))
    chinese = {pair.text for pair in pairs if pair.group == "binding_zh"}
    assert len(chinese) > 300
    assert all(phrasing.startswith(("请给我看", "我要")) for phrasing, _ in comparison.SHAPES["Chinese"])
    assert not any(text.startswith(("请给我看", "我要")) or "，要" in text for text in chinese)
    assert all(text.count("色") >= 2 and "心形" in text for text in chinese)
