"""Every term of both losses on scores, features and latents set by hand: sign, value, and which rows it is asked of."""

import math

import pytest
import torch
from small import MODEL, config

from mmgan.data.loader import Batch
from mmgan.models import Discriminators, Generator
from mmgan.training.losses import LOSSES
from mmgan.training.objectives import Objectives, Scores, apart, nearness

ALL = torch.ones(8, 5)
NOTHING = torch.zeros(8, 16)
SPREADS = (2.0, 4.0)


def objectives(loss="wasserstein", **changes) -> Objectives:
    """Wasserstein's loss is the plain difference of fake and real scores, so that a term's value shows its parts."""
    c = config(**changes)
    return Objectives(c, LOSSES[loss], Generator(MODEL), Discriminators(MODEL), False, SPREADS)


def batch(concepts="aabbaabb", image=None, mel=None, has_image=None, has_audio=None) -> Batch:
    n = len(concepts)
    there = torch.ones(n, dtype=torch.bool)
    return Batch(
        list(concepts), list(concepts), list(concepts),
        torch.zeros(n, 1, 16, 16) if image is None else image, torch.zeros(n, 64, 16) if mel is None else mel,
        there if has_image is None else has_image, there if has_audio is None else has_audio,
    )  # fmt: skip


def scores(*columns, features=NOTHING, audio=None) -> Scores:
    return Scores(features, features if audio is None else audio, torch.tensor(columns).float().T)


# Which rows count, and how much ------------------------------------------------------------------------------------


def test_a_critic_counts_the_rows_that_have_what_it_looks_at():
    image = torch.tensor([1, 1, 0, 1, 1, 1, 1, 1]).bool()
    audio = torch.tensor([1, 0, 1, 1, 1, 1, 1, 1]).bool()
    found = objectives().counts(batch("aabbcdee", has_image=image, has_audio=audio))
    expected = [
        image.tolist(), audio.tolist(), [1, 0, 0, 1, 1, 1, 1, 1],
        [1, 1, 0, 0, 0, 0, 1, 1],  # twins of one concept, both with a picture
        [0, 0, 1, 1, 0, 0, 1, 1],
    ]  # fmt: skip
    assert found.T.tolist() == [[float(x) for x in row] for row in expected]


def test_critics_weigh_as_the_configuration_says_and_rows_without_a_side_nothing():
    terms = objectives(joint_weight=3.0, twin_weight=0.5)
    counts = ALL.clone()
    counts[:4, 1] = 0
    value = terms.weighted(torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]).expand(8, 5), counts)
    assert value.item() == pytest.approx(1 + 2 / 2 + 3 * 4 + 0.5 * (8 + 16))


# What is asked of the discriminators -------------------------------------------------------------------------------


def test_real_rows_are_to_score_higher_under_their_own_caption_than_under_a_wrong_one(monkeypatch):
    terms = objectives(joint_weight=2.0)
    real = scores([5.0] * 8, [4.0] * 8, [3.0] * 8, [9.0] * 8, [9.0] * 8)
    seen = []
    wrong_values = torch.tensor([1.0, 2.0, 2.5]).expand(8, 3)
    monkeypatch.setattr(terms, "_values", lambda image, audio, caption: seen.append(caption) or wrong_values)
    wrong = torch.randn(8, 384)
    assert terms.wrong_caption(real, wrong, ALL).item() == pytest.approx((1 - 5) + (2 - 4) + 2 * (2.5 - 3))
    assert seen[0] is wrong


def test_a_wrong_partner_is_a_sound_of_another_concept_and_is_to_score_lower(monkeypatch):
    terms = objectives()
    rows = torch.arange(8.0)[:, None].expand(8, 16)
    real = scores([0.0] * 8, [0.0] * 8, [7.0] * 8, [0.0] * 8, [0.0] * 8, features=rows, audio=rows)
    seen = []

    def joint(image, audio, caption):
        seen.append((image[:, 0].tolist(), audio[:, 0].tolist()))
        return torch.tensor([1.0, 2, 3, 4, 50, 50, 50, 50])

    monkeypatch.setattr(terms.discriminators, "joint_score", joint)
    # Rows 4 to 7 are of one concept: any of their sounds goes with any of their pictures, so none is punished.
    value = terms.wrong_partner(real, batch("aabbcccc"), torch.zeros(8, 384), ALL)
    assert seen == [([0, 1, 2, 3, 4, 5, 6, 7], [2, 3, 0, 1, 6, 7, 4, 5])]
    assert value.item() == pytest.approx(((1 - 7) + (2 - 7) + (3 - 7) + (4 - 7)) / 8)
    counts = ALL.clone()
    counts[2, 2] = 0  # row 0's partner has no sound, and row 2 has no pair
    assert terms.wrong_partner(real, batch("aabbcccc"), torch.zeros(8, 384), counts).item() == pytest.approx(
        ((2 - 7) + (4 - 7)) / 8
    )


def test_features_pick_their_caption_among_other_concepts_and_their_own_wrong_one(monkeypatch):
    terms = objectives(temperature=0.5)
    similarity = torch.linspace(-1, 1, 64).view(8, 8)
    for critic in (terms.discriminators.image, terms.discriminators.audio):
        monkeypatch.setattr(critic, "similarity", lambda *_: similarity[4:])
        monkeypatch.setattr(critic, "row_similarity", lambda *_: torch.full((4,), 0.25))
    whole = batch("aabbaabb")
    value = terms.contrast(
        scores(*[[0.0] * 4] * 5), whole, torch.zeros(8, 384), torch.zeros(4, 384), slice(4, 8), ALL[4:]
    )
    expected = 0.0
    for row in range(4):
        own = similarity[4 + row, 4 + row].item()
        others = [similarity[4 + row, j].item() for j in range(8) if "aabbaabb"[j] != "aabbaabb"[4 + row]] + [0.25]
        total = sum(math.exp(s / 0.5) for s in [own, *others])
        expected += (math.log(total) - own / 0.5) / 4
    assert value.item() == pytest.approx(2 * expected, rel=1e-4)


# What both are asked: to read the latents, and to rebuild ------------------------------------------------------------


def said(monkeypatch, terms, image, audio):
    """Sets the (mean, log-variance) that each critic reads for every latent of every row."""
    for critic, (middle, log_variance) in ((terms.discriminators.image, image), (terms.discriminators.audio, audio)):
        pair = torch.full((8, 8), float(middle)), torch.full((8, 8), float(log_variance))
        monkeypatch.setattr(critic, "latents", lambda *_, pair=pair: pair)


def test_unread_latents_are_a_gaussian_negative_log_likelihood(monkeypatch):
    terms = objectives()
    said(monkeypatch, terms, (1.0, math.log(4.0)), (2.0, 0.0))
    latents = torch.cat([torch.full((8, 4), 3.0), torch.full((8, 4), 5.0), torch.full((8, 4), 6.0)], dim=1)
    image = ((3 - 1) ** 2 / 4 + (5 - 1) ** 2 / 4) / 2 + math.log(4.0)
    audio = ((3 - 2) ** 2 + (6 - 2) ** 2) / 2
    assert terms.unread(scores(*[[0.0] * 8] * 5), latents, ALL).item() == pytest.approx((image + audio) / 4)


def test_the_posterior_is_a_product_of_experts_weighted_by_precision(monkeypatch):
    terms = objectives()
    said(monkeypatch, terms, (3.0, math.log(2.0)), (1.0, math.log(0.25)))
    middle, log_variance = terms._posterior(scores(*[[0.0] * 8] * 5), ALL)
    precision = 1 + 1 / 2 + 1 / 0.25  # the prior's, the picture's, the sound's
    torch.testing.assert_close(middle[:, :4], torch.full((8, 4), (3 / 2 + 1 / 0.25) / precision))
    torch.testing.assert_close(log_variance[:, :4], torch.full((8, 4), -math.log(precision)))
    torch.testing.assert_close(middle[0, 4:], torch.tensor([3.0] * 4 + [1.0] * 4))  # each one's own latents
    torch.testing.assert_close(log_variance[0, 4:], torch.tensor([math.log(2)] * 4 + [math.log(0.25)] * 4))


def test_rebuilt_rows_pay_their_squared_error_in_units_of_the_spread_and_their_divergence(monkeypatch):
    terms = objectives(divergence_weight=0.5)
    middle, log_variance = torch.full((8, 12), 2.0), torch.full((8, 12), math.log(4.0))
    monkeypatch.setattr(terms, "_posterior", lambda *_: (middle, log_variance))
    asked = []

    def generate(caption, latents):
        asked.append(latents)
        return torch.full((len(latents), 1, 16, 16), 0.5), torch.full((len(latents), 64, 16), 0.25)

    monkeypatch.setattr(terms, "generate", generate)
    noise = torch.ones(8, 12)
    value = terms.reconstruction(batch(), scores(*[[0.0] * 8] * 5), torch.zeros(8, 384), noise, ALL)
    torch.testing.assert_close(asked[0], torch.full((4, 12), 2.0 + 2.0))  # mean + deviation * noise, of half the rows
    divergence = 12 * (2.0**2 + 4.0 - math.log(4.0) - 1) / 2
    error = 256 * 0.25 / SPREADS[0] + 1024 * 0.0625 / SPREADS[1]
    assert value.item() == pytest.approx(0.5 * divergence + error, rel=1e-5)


# What is asked of the generator alone --------------------------------------------------------------------------------


def test_values_beyond_one_either_way_are_in_excess():
    terms = objectives()
    image, mel = torch.zeros(8, 1, 16, 16), torch.zeros(8, 64, 16)
    assert terms.excess(image + 1, mel - 1, ALL) == 0
    image[0, 0, 0, 0], image[0, 0, 0, 1] = 1.5, -3.0
    assert terms.excess(image, mel, ALL).item() == pytest.approx((0.25 + 4) / 8 / SPREADS[0])
    mel[1, 0, 0] = -2.0
    assert terms.excess(image * 0, mel, ALL).item() == pytest.approx(1 / 8 / SPREADS[1])
    counts = ALL.clone()
    counts[1, 1] = 0
    assert terms.excess(image * 0, mel, counts) == 0  # a row without a sound


def test_styles_of_near_captions_pay_for_what_is_missing_of_the_margin(monkeypatch):
    terms = objectives()
    caption = torch.zeros(8, 384)
    wrong = caption.clone()
    wrong[:, 0] = 0.05  # half of NEAR
    torch.testing.assert_close(nearness(caption, wrong), torch.full((8,), 0.5))
    styles = iter([(torch.ones(8, 4), torch.ones(8, 4)), (torch.full((8, 4), 1.4), torch.full((8, 4), 9.0))])
    monkeypatch.setattr(terms.generator.mapping, "forward", lambda *_: next(styles))
    value = terms.caption_margin(caption, wrong, torch.zeros(8, 12), ALL)
    assert value.item() == pytest.approx(0.5 * (1 - 0.4), rel=1e-3)  # the sounds' styles are far enough apart


def test_twins_are_asked_for_the_share_of_the_distance_that_is_missing():
    terms = objectives()
    rows = torch.zeros(8, 1, 16, 16)
    rows[::2] = 0.3
    torch.testing.assert_close(apart(rows), torch.full((8,), 0.3), rtol=1e-3, atol=0)
    terms.twin_spreads = [0.4, 0.0]
    counts = ALL.clone()
    counts[:2, 3] = 0
    assert terms.twin_spread((rows, torch.zeros(8, 64, 16)), counts).item() == pytest.approx(
        0.25 * 6 / 8, rel=1e-2
    )  # the sounds have no twins to compare with


# Signs of the adversarial losses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_both_sides_of_every_loss_fall_in_the_direction_that_each_wishes(name):
    loss = LOSSES[name]
    real, fake = torch.tensor([0.5, -0.2], requires_grad=True), torch.tensor([0.1, 0.4], requires_grad=True)
    of_real, of_fake = torch.autograd.grad(loss.discriminator(real, fake).sum(), [real, fake])
    assert (of_real < 0).all() and (of_fake > 0).all()  # real up, generated down
    (of_fake,) = torch.autograd.grad(loss.generator(real.detach(), fake).sum(), [fake])
    assert (of_fake < 0).all()  # generated up


# Penalties -----------------------------------------------------------------------------------------------------------


def planes(terms, monkeypatch, image=3.0, audio=2.0):
    """Critics whose scores are planes: slope ``image`` in each pixel, ``audio`` in each cell of a mel, 0 in twins."""

    def look(inputs, caption):
        a, b = image * inputs[0].flatten(1).sum(1), audio * inputs[1].flatten(1).sum(1)
        values = torch.stack([a, b, 0 * a, 0 * a, 0 * a], dim=1)
        return Scores(NOTHING, NOTHING, values)

    monkeypatch.setattr(terms, "scores", look)
    made = [[torch.randn(8, 1, 16, 16).requires_grad_(), torch.randn(8, 64, 16).requires_grad_()] for _ in range(2)]
    return *made, *(look(inputs, None) for inputs in made)


@pytest.mark.parametrize(("kind", "times"), [("r1", 1), ("r1r2", 2)])
def test_r1_is_half_the_squared_slope_at_real_rows_and_r2_adds_generated_ones(monkeypatch, kind, times):
    terms = objectives()
    real_inputs, fake_inputs, real, fake = planes(terms, monkeypatch)
    fake = Scores(NOTHING, NOTHING, 2 * fake.values)  # twice as steep there
    value = terms.penalty(kind, real_inputs, fake_inputs, real, fake, torch.zeros(8, 384), torch.zeros(8), ALL)
    slope = 9 * 256 + 4 * 1024
    assert value.item() == pytest.approx((slope + (times - 1) * 4 * slope) / 2, rel=1e-5)
    assert objectives("relativistic").loss.penalty == "r1r2"


def test_rows_without_a_sound_have_no_slope_in_it(monkeypatch):
    terms = objectives()
    real_inputs, fake_inputs, real, fake = planes(terms, monkeypatch)
    counts = ALL.clone()
    counts[:4, 1] = 0
    value = terms.penalty("r1", real_inputs, fake_inputs, real, fake, torch.zeros(8, 384), torch.zeros(8), counts)
    assert value.item() == pytest.approx((9 * 256 + 4 * 1024 / 2) / 2, rel=1e-5)


def test_the_gradient_penalty_pulls_the_slope_towards_one_between_real_and_generated_rows(monkeypatch):
    terms = objectives()
    real_inputs, fake_inputs, real, fake = planes(terms, monkeypatch, 0.0, 2.0)
    seen = []
    look = terms.scores
    monkeypatch.setattr(terms, "scores", lambda inputs, caption: seen.append(inputs) or look(inputs, caption))
    between = torch.full((8,), 0.25)
    value = terms.penalty("gp", real_inputs, fake_inputs, real, fake, torch.zeros(8, 384), between, ALL)
    assert value.item() == pytest.approx((2 * math.sqrt(1024) - 1) ** 2, rel=1e-4)
    expected = 0.25 * real_inputs[0] + 0.75 * fake_inputs[0]
    torch.testing.assert_close(seen[0][0].detach(), expected.detach())
