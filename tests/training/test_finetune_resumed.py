"""A fine-tuning that goes on after a stop: what it had found, what it had frozen, and which weights are its best."""

from types import SimpleNamespace

import pytest
import torch
from small import Encoder
from test_finetune import base, encoder, project, tune  # noqa: F401 (fixtures)

from mmgan.checkpoint import load_model
from mmgan.training import begin, finetune_loop
from mmgan.training.finetune_loop import FinetuneLoop
from mmgan.training.runs import Run


@pytest.fixture
def stopped(tmp_path, base, monkeypatch):  # noqa: F811
    """A run that was stopped at its third step, having been looked at after each; and the loops that trained it."""
    loops = []
    after = FinetuneLoop._after_step

    def stop_at_three(self, terms):
        after(self, terms)
        loops.append(self)
        if self.trainer.step_count == 3:
            self.run_folder.request("stop")

    with monkeypatch.context() as patch:
        patch.setattr(FinetuneLoop, "_after_step", stop_at_three)
        patch.setattr(FinetuneLoop, "_interval", lambda self, cost: 0.0)
        assert tune(project(tmp_path).folder, tmp_path / "run", base, steps=6, learning_rate=5e-3) == 0
    return Run.open(tmp_path / "run"), loops[-1]


def resumed(run: Run, monkeypatch, look) -> None:
    """Resumes the run; ``look(loop)`` is called once before its next step."""
    steps = FinetuneLoop._steps
    monkeypatch.setattr(FinetuneLoop, "_steps", lambda self: look(self) or steps(self))
    options = SimpleNamespace(out=str(run.folder), resume=True, device="cpu", text_encoder=None, nice=0)
    assert begin.main(options) == 0


def test_what_earlier_visits_found_is_replayed(stopped, monkeypatch):
    run, before = stopped
    seen = []
    resumed(run, monkeypatch, lambda loop: seen.append((vars(loop.evidence).copy(), loop.first)))
    evidence, first = seen[0]
    assert evidence["best_step"] == before.evidence.best_step > 0
    assert evidence["best"] == pytest.approx(before.evidence.best) and evidence["since"] == before.evidence.since
    assert first["image"].to_held_out == pytest.approx(before.first["image"].to_held_out)


def test_critics_are_frozen_again(stopped, monkeypatch):
    run, before = stopped

    def frozen(loop):
        return {name for name, p in loop.trainer.discriminators.named_parameters() if not p.requires_grad}

    seen, weights = [], {}

    def look(loop):
        seen.append(frozen(loop))
        weights.update({n: p.clone() for n, p in loop.trainer.discriminators.named_parameters()})
        seen.append(loop.trainer.discriminators)

    resumed(run, monkeypatch, look)
    assert seen[0] == frozen(before) != set()
    moved = {name for name, p in seen[1].named_parameters() if not torch.equal(p, weights[name])}
    assert moved and not moved & seen[0]


def test_best_weights_are_the_averaged_ones(stopped):
    run, loop = stopped
    best = load_model(run.folder / "best")
    assert best.info["step"] == loop.evidence.best_step
    if best.info["step"] == loop.trainer.step_count:
        expected = loop.trainer.ema.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in best.generator.state_dict().items())
    raw = loop.trainer.generator.state_dict()
    assert any(not torch.equal(value, raw[name]) for name, value in best.generator.state_dict().items())


def test_the_average_is_what_is_written(tmp_path, base, monkeypatch):  # noqa: F811
    written = []
    monkeypatch.setattr(finetune_loop, "save_model", lambda folder, generator, info: written.append((generator, info)))
    monkeypatch.setattr(FinetuneLoop, "_interval", lambda self, cost: 0.0)
    kept = []
    end = FinetuneLoop._write_best
    monkeypatch.setattr(FinetuneLoop, "_write_best", lambda self, step: kept.append(self.trainer) or end(self, step))
    assert tune(project(tmp_path).folder, tmp_path / "run", base, steps=3) == 0
    assert written and all(generator is trainer.ema for (generator, _), trainer in zip(written, kept, strict=True))


def test_the_encoder_of_these_tests_tells_captions_apart():
    a, b = Encoder().encode(["bell", "gong"])
    assert float(a @ b) < 0.5
