"""The trainer after it has moved: the average is not the generator, seeds part, and each factor has the size it says.

Before the first step the average equals the generator and a penalty has no history, so much that is wrong looks right.
"""

import copy

import pytest
import torch
from needed import data_folder
from small import Blobs, Encoder, config

from mmgan.config import PRESETS, TrainingConfig, with_values
from mmgan.data import load_dataset
from mmgan.models.modalities.augment import Plan, augment_mel
from mmgan.runs.run import Run
from mmgan.training.callbacks import FilmStrip, LiveJudge
from mmgan.training.session import Session
from mmgan.training.trainer import EMA_WARM_UP, Trainer

PROMPTS = ["a bright square", "a dark square"]


def trainer(steps=0, **changes) -> Trainer:
    t = Trainer(config(**changes), Blobs(), Encoder())
    for _ in range(steps):
        t.step()
    return t


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def gradients(t: Trainer) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in t.discriminators.parameters() if p.grad is not None])


def test_samples_come_from_the_average_and_not_from_the_generator():
    t = trainer(3, ema_images=1e6, learning_rate=5e-3)
    latents = torch.randn(2, t.config.model.latent_dim)
    embeddings = t.text_encoder.encode(PROMPTS)
    with torch.no_grad():
        average, raw = t.ema(embeddings, latents), t.generator(embeddings, latents)
    assert not torch.allclose(average["image"], raw["image"], atol=1e-4)
    torch.testing.assert_close(t.sample(PROMPTS, latents), average)
    torch.testing.assert_close(t.sample(PROMPTS, latents, ema=False), raw)


def test_the_average_forgets_faster_at_first_and_then_at_its_half_life():
    t = trainer()
    kept = copy.deepcopy(t.ema)
    t.step()
    keep = 0.5 ** (1 / EMA_WARM_UP)  # after one batch its half-life is a tenth of a batch
    torch.testing.assert_close(weights(t.ema), torch.lerp(weights(t.generator), weights(kept), keep))
    t.config, t.step_count, before = config(ema_images=32.0), 1_000, weights(t.ema)
    t._average_weights(16)  # half a half-life
    torch.testing.assert_close(weights(t.ema), torch.lerp(weights(t.generator), before, 0.5**0.5))


def test_other_seeds_draw_other_weights_batches_and_noise_and_the_same_seed_the_same():
    first, again, other = trainer(3, seed=1), trainer(3, seed=1), trainer(3, seed=2)
    assert torch.equal(weights(first.generator), weights(again.generator))
    assert not torch.equal(weights(first.generator), weights(other.generator))
    other.step_count = first.step_count
    for name in ("latents", "text_noise", "between", "noise"):
        assert torch.equal(getattr(first._draw(), name), getattr(again._draw(), name))
        assert not torch.equal(getattr(first._draw(), name), getattr(other._draw(), name))
    drawn = first._draw()
    assert not torch.equal(drawn.latents, drawn.noise)
    assert not torch.equal(drawn.plan_real.uniform, drawn.plan_fake.uniform)
    first.step_count += 1
    assert not torch.equal(drawn.latents, first._draw().latents)  # and each step its own


def test_a_lazy_penalty_is_as_much_heavier_as_it_is_rarer():
    found = {}
    for name, changes in {"none": {"penalty": "none"}, "each": {}, "fourth": {"penalty_interval": 4}}.items():
        t = trainer(gamma=5.0, optimizer="sgd", learning_rate=0.0, **{"penalty_interval": 1, **changes})
        terms = t.step()
        found[name], reported = gradients(t), terms.get("penalty")
        if name == "fourth":
            assert "penalty" not in t.step() and t.step_count == 2  # the next comes at the fourth step
            t.step(), t.step()
            assert t.step_count == 4 and "penalty" in t.step()
        elif name == "each":
            assert reported > 0
    each, fourth = found["each"] - found["none"], found["fourth"] - found["none"]
    assert each.norm() > 0
    torch.testing.assert_close(fourth, 4 * each, rtol=1e-3, atol=1e-5 * float(fourth.abs().max()))


def test_gradients_are_clipped_to_the_norm_asked_for():
    moved = {}
    for limit in (0.0, 0.01):
        t = trainer(optimizer="sgd", learning_rate=1.0, beta1=0.0, max_gradient=limit)
        before = {name: weights(getattr(t, name)) for name in ("generator", "discriminators")}
        t.step()
        moved[limit] = [float((weights(getattr(t, name)) - start).norm()) for name, start in before.items()]
    assert min(moved[0.0]) > 0.02  # without a limit both go farther
    assert moved[0.01] == pytest.approx([0.01, 0.01], rel=0.02)


def test_captions_get_noise_of_the_size_asked_for_and_stay_of_unit_length(monkeypatch):
    t = trainer(text_noise=0.5)
    seen = []
    gradients_of = t._gradients
    monkeypatch.setattr(t, "_gradients", lambda at: seen.append((at.caption, at.wrong_caption)) or gradients_of(at))
    t.step()
    clean = t.text_encoder.encode(t.loader.batch(0).texts)
    (noisy, wrong), draw = seen[0], trainer(text_noise=0.5)._draw()
    expected = torch.nn.functional.normalize(clean + 0.5 * draw.text_noise / 384**0.5, dim=1)
    torch.testing.assert_close(noisy, expected)
    torch.testing.assert_close(wrong.norm(dim=1), torch.ones(len(wrong)))
    assert 0.3 < float((noisy - clean).norm(dim=1).mean()) < 0.6


def test_sounds_that_are_not_square_are_shifted_along_time(monkeypatch):
    monkeypatch.setattr("mmgan.models.modalities.augment.GAIN", 0.0)
    mel = torch.full((64, 128, 20), -1.0)
    mel[:, 64, 10] = 1.0  # one band, one moment, of 128 bands and 20 frames
    plan = Plan.draw(64, torch.Generator().manual_seed(1))
    plan.chosen[:, 9:] = 1.0  # no cutouts
    moved = augment_mel(mel, plan, 0.99)
    places = [torch.nonzero(row > 0) for row in moved]
    bands = {int(place[0, 0]) for place in places if len(place)}
    frames = {int(place[0, 1]) for place in places if len(place)}
    assert bands == {63, 64, 65} and frames == {8, 9, 10, 11, 12}  # a tenth of 20 frames each way, and one band


@pytest.fixture
def session(tmp_path):
    with Run.create(tmp_path / "run", {}) as run:
        run.strips.mkdir(parents=True)
        t = trainer(learning_rate=5e-3)
        yield Session(t, run, 0.0, [FilmStrip(t)])


def test_the_film_strip_shows_the_same_latents_and_prompts_at_each_visit(session, monkeypatch):
    t, (strip,) = session.trainer, session.callbacks
    asked = []
    sample = t.sample
    monkeypatch.setattr(t, "sample", lambda texts, z: asked.append((texts, z.clone())) or sample(texts, z))
    strip.look(session)
    t.step(), torch.randn(5)
    strip.look(session)
    assert asked[0][0] == asked[1][0] and torch.equal(asked[0][1], asked[1][1])
    assert not torch.equal(asked[0][1][0], asked[0][1][1])  # each column its own
    assert len(session.run_folder.visits()) == 2


def test_the_live_judge_hears_and_sees_digits_inside_a_session(tmp_path, digits):
    """A session over real digits whose generator is replaced by the data: the judge finds them right."""
    real = Trainer(with_values(TrainingConfig(model=PRESETS["tiny"]), {"batch_size": 4}), digits, Encoder())
    with Run.create(tmp_path / "run", {}) as run:
        judge = LiveJudge(real)
        session = Session(real, run, 0.0, [judge])
        concepts = [prompt.concept for prompt in judge.prompts]
        index = [(digits._images_of[int(c)][k], digits._sounds_of[int(c)][k % 30]) for k, c in enumerate(concepts)]
        image = real.loader.rows("image", [int(i) for i, _ in index])
        mel = real.loader.rows("audio", [int(j) for _, j in index])
        real.sample = lambda *_: {"image": image, "audio": mel}
        judge.look(session)
        assert judge.accuracy["image_accuracy"] > 0.9 and judge.accuracy["audio_accuracy"] > 0.9
        rows = [row for row in run.metrics()[0] if "both" in row]
        assert rows[-1]["both"] == judge.accuracy["both"] and 0 < rows[-1]["both"] <= rows[-1]["image_accuracy"]
        real.sample = lambda *_: {"image": image.roll(1, 0), "audio": mel}
        judge.look(session)
        assert (
            judge.accuracy["image_accuracy"] < 0.3 and judge.accuracy["both"] < 0.3 < judge.accuracy["audio_accuracy"]
        )


@pytest.fixture
def digits():
    data_folder("digits")
    return load_dataset("digits", "test")
