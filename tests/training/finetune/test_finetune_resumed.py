"""A fine-tuning that goes on after a stop: what it had found, what it had frozen, and which weights are its best."""

from types import SimpleNamespace

import pytest
import torch
from small import Encoder
from test_finetune import base, encoder, project, tune  # noqa: F401 (fixtures)

from mmgan.models.checkpoint import Model
from mmgan.runs.run import Run
from mmgan.training import start
from mmgan.training.finetune.held_out import HeldOut


@pytest.fixture
def stopped(tmp_path, base, monkeypatch):  # noqa: F811
    """A run that was stopped at its third step, having been looked at after each; and what looked at it."""
    looks = []
    after = HeldOut.after_step

    def stop_at_three(self, session, terms):
        after(self, session, terms)
        looks.append(self)
        if self.trainer.step_count == 3:
            self.run_folder.request("stop")

    with monkeypatch.context() as patch:
        patch.setattr(HeldOut, "after_step", stop_at_three)
        patch.setattr(HeldOut, "interval", lambda self, session: 0.0)
        assert tune(project(tmp_path).folder, tmp_path / "run", base, steps=6, learning_rate=5e-3) == 0
    return Run.open(tmp_path / "run"), looks[-1]


def resumed(run: Run, monkeypatch, look) -> None:
    """Resumes the run; ``look(held_out)`` is called once before its next step."""
    begun = HeldOut.begin
    monkeypatch.setattr(HeldOut, "begin", lambda self, session: (begun(self, session), look(self)))
    options = SimpleNamespace(out=str(run.folder), resume=True, device="cpu", text_encoder=None, nice=0)
    assert start.main(options) == 0


def test_what_earlier_visits_found_is_replayed(stopped, monkeypatch):
    run, before = stopped
    seen = []
    resumed(run, monkeypatch, lambda look: seen.append((vars(look.evidence).copy(), look.first)))
    evidence, first = seen[0]
    assert evidence["best_step"] == before.evidence.best_step > 0
    assert evidence["best"] == pytest.approx(before.evidence.best) and evidence["since"] == before.evidence.since
    assert first["image"].to_held_out == pytest.approx(before.first["image"].to_held_out)


def test_critics_are_frozen_again(stopped, monkeypatch):
    run, before = stopped

    def frozen(held_out):
        return {name for name, p in held_out.trainer.discriminators.named_parameters() if not p.requires_grad}

    seen, weights = [], {}

    def look(held_out):
        seen.append(frozen(held_out))
        weights.update({n: p.clone() for n, p in held_out.trainer.discriminators.named_parameters()})
        seen.append(held_out.trainer.discriminators)

    resumed(run, monkeypatch, look)
    assert seen[0] == frozen(before) != set()
    moved = {name for name, p in seen[1].named_parameters() if not torch.equal(p, weights[name])}
    assert moved and not moved & seen[0]


def test_best_weights_are_the_averaged_ones(stopped):
    run, held_out = stopped
    best = Model.from_pretrained(run.folder / "best")
    assert best.info["step"] == held_out.evidence.best_step
    if best.info["step"] == held_out.trainer.step_count:
        expected = held_out.trainer.ema.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in best.generator.state_dict().items())
    raw = held_out.trainer.generator.state_dict()
    assert any(not torch.equal(value, raw[name]) for name, value in best.generator.state_dict().items())


def test_the_average_is_what_is_written(tmp_path, base, monkeypatch):  # noqa: F811
    written = []
    save = Model.save_pretrained

    def saved(model, folder, **options):
        if folder.name == "best":
            written.append((model.generator, model.info))
        else:
            save(model, folder, **options)

    monkeypatch.setattr(Model, "save_pretrained", saved)
    monkeypatch.setattr(HeldOut, "interval", lambda self, session: 0.0)
    kept = []
    end = HeldOut._write_best
    monkeypatch.setattr(HeldOut, "_write_best", lambda self, step: kept.append(self.trainer) or end(self, step))
    assert tune(project(tmp_path).folder, tmp_path / "run", base, steps=3) == 0
    assert written and all(generator is trainer.ema for (generator, _), trainer in zip(written, kept, strict=True))


def test_the_encoder_of_these_tests_tells_captions_apart():
    a, b = Encoder().encode(["bell", "gong"])
    assert float(a @ b) < 0.5
