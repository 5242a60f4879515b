"""Samples matched with real pictures: which of several draws learns, and that it comes nearer."""

import pytest
import torch
from small import MODEL, Blobs, Encoder, config
from test_terms import at, batch, game

from mmgan.models.image_features import LEARNED_WITH, shipped
from mmgan.training import terms
from mmgan.training.trainer import Trainer

GREYS = torch.linspace(-0.8, 0.8, 4)  # of what each draw makes


def painted(players, monkeypatch):
    """A generator whose pictures are stripes as bright as the first latent; the calls' latents are kept."""
    asked = []

    def generate(caption, latents, wanted=None):
        asked.append(latents)
        stripes = torch.arange(16).fmod(4).lt(2).float() * 0.5
        return {"image": latents[:, :1, None, None].expand(-1, 1, 16, 16) * stripes}

    monkeypatch.setattr(players, "generate", generate)
    return asked


@pytest.fixture
def scene(monkeypatch):
    players = game(match_weight=1.0)
    asked = painted(players, monkeypatch)
    draws = torch.zeros(8, 4, 12)
    draws[:, :, 0] = GREYS
    return players, asked, draws


def real(latents):
    stripes = torch.arange(16).fmod(4).lt(2).float() * 0.5
    return latents[:, None, None, None].expand(-1, 1, 16, 16) * stripes


def test_the_most_similar_draw_learns(scene):
    players, asked, draws = scene
    wanted = GREYS[torch.tensor([0, 1, 2, 3, 3, 2, 1, 0])]
    value = terms.Match().value(players, at(batch(image=real(wanted)), draws=draws))
    learned = asked[-1]
    assert learned[:, 0].tolist() == wanted[[0, 7]].tolist()  # a quarter of the rows
    assert value.item() == pytest.approx(0, abs=1e-5)


def test_copies_draw_nothing(scene):
    players, asked, draws = scene
    players.match_radius["image"] = 1e-4  # nearer than this is a copy: only the second nearest is left
    terms.Match().value(players, at(batch(image=real(GREYS[torch.tensor([1] * 8)])), draws=draws))
    assert set(asked[-1][:, 0].tolist()) <= {GREYS[0].item(), GREYS[2].item()}


def test_rows_without_a_picture_count_for_nothing(scene):
    players, _, draws = scene
    has = torch.tensor([True, True, True, False, False, False, False, False])
    part = batch(image=real(GREYS[torch.tensor([0, 0, 0, 1, 1, 1, 1, 1])] + 0.05), has_image=has)
    some = terms.Match().value(players, at(part, counts=players.counts(part), draws=draws))
    alone = batch(image=real(GREYS[torch.tensor([0] * 8)] + 0.05))
    whole = terms.Match().value(players, at(alone, draws=draws))
    assert 2 * some.item() == pytest.approx(whole.item(), rel=1e-4)  # one of the two that are looked at has one


def trained(**changes):
    torch.manual_seed(0)
    trainer = Trainer(config(steps=30, learning_rate=2e-3, **changes), Blobs(), Encoder())
    for _ in range(30):
        terms_of_step = trainer.step()
    return trainer, terms_of_step


def test_samples_come_nearer_to_the_files():
    losses = {"match_draws": 3, "generator_contrastive_weight": 0.0, "reconstruction_weight": 0.0}
    distances = []
    for weight in (0.001, 10.0):
        trainer, found = trained(match_weight=weight, **losses)
        assert found["match"] > 0
        eyes, rows = shipped(LEARNED_WITH, torch.device("cpu")), trainer.loader.rows("image", range(8))
        made = trainer.sample(["a bright square", "a dark square"] * 8, torch.randn(16, MODEL.latent_dim))["image"]
        distances.append(min(float(eyes.distance(made, row.expand_as(made)).mean()) for row in rows.split(1)))
    assert distances[1] < 0.8 * distances[0]


def test_what_a_copy_is_is_measured_on_the_real_rows():
    trainer = Trainer(config(match_weight=1.0), Blobs(), Encoder())
    eyes = shipped(LEARNED_WITH, torch.device("cpu"))
    rows = trainer.loader.rows("image", range(8))
    apart = torch.stack([eyes.distance(row.expand_as(rows), rows) for row in rows.split(1)])
    nearest = apart.masked_fill(apart < 0.01, float("inf")).min(1).values
    assert 0 < trainer.game.match_radius["image"] < nearest[nearest.isfinite()].median()
    assert trainer.game.match_radius["audio"] == 0  # no eyes see sounds
    assert Trainer(config(), Blobs(), Encoder()).game.match_radius["image"] == 0  # nobody asked


def test_where_no_picture_was_drawn_nothing_is_known_of_copies():
    players = game(match_weight=1.0)
    none = torch.zeros(8, dtype=torch.bool)
    players.measure_matches([batch(has_image=none)])
    assert players.match_radius["image"] == 0
