"""The training script of the text encoder: batches by seed and step, resuming, and what is kept out."""

import sys
from pathlib import Path

import pytest
import torch

from mmgan.data.text_corpus import Pair

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import evaluate_text_encoder as evaluation
import train_text_encoder as training


def sampler(seed=0, held_out=frozenset()):
    pairs = [Pair(f"the number {word}", f"the number {word}", "digits_en") for word in ("seven", "eight", "nine")]
    pairs += [Pair("数字七", "the number seven", "digits_zh")]
    rows = {pair.target: i for i, pair in enumerate(pairs[:3])}
    return training.Sampler(pairs, rows, batch=16, seed=seed, held_out=held_out)


def test_batches_depend_on_seed_and_step_alone():
    forward, backward = sampler(), sampler()
    assert [forward(step) for step in range(20)] == [backward(step) for step in reversed(range(20))][::-1]
    assert sampler(seed=1)(0) != sampler()(0)


def test_misspellings_keep_the_target_of_what_was_meant():
    first = {"s": 0, "e": 1, "n": 2, "数": 0}
    drawn = [item for step in range(8) for item in zip(*sampler()(step), strict=True)]
    assert any(text not in ("the number seven", "the number eight", "the number nine", "数字七") for text, _ in drawn)
    for text, row in drawn:
        if text.startswith("the number ") and text[11:] in ("seven", "eight", "nine"):
            assert row == first[text[11]]


def test_misspellings_of_the_evaluation_are_not_trained():
    drawn = {text for step in range(8) for text in sampler()(step)[0]}
    slips = frozenset(text.lower() for text in drawn if text.isascii()) - {
        "the number seven",
        "the number eight",
        "the number nine",
    }
    assert slips
    kept_out = {text.lower() for step in range(8) for text in sampler(held_out=slips)(step)[0]}
    assert not kept_out & slips


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
    loss, cosine = training.distillation_loss(teacher, teacher)
    assert loss.item() == pytest.approx(0, abs=1e-6) and cosine.item() == pytest.approx(1)
    assert training.distillation_loss(-teacher, teacher)[0].item() == pytest.approx(2)


def test_the_contrast_set_is_large_and_without_doubles():
    triples = evaluation.contrast_triples()
    assert len(triples) == len(set(triples)) >= 200
    assert all(len(set(triple)) == 3 for triple in triples)
