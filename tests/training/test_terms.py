"""Every term of both losses on scores, features and latents set by hand: sign, value, and which rows it is asked of."""

import math

import pytest
import torch
from small import MODEL, config

from mmgan.data.loader import Batch
from mmgan.models import Discriminators, Generator
from mmgan.training import terms
from mmgan.training.game import Game, Scores, Slice, apart
from mmgan.training.losses import LOSSES

NAMES = ("image", "audio", "joint", "image_twins", "audio_twins")
NOTHING = torch.zeros(8, 16)
SPREADS = {"image": 2.0, "audio": 4.0}


def ones(n=8) -> dict[str, torch.Tensor]:
    return {name: torch.ones(n) for name in NAMES}


def game(loss="wasserstein", **changes) -> Game:
    """Wasserstein's loss is the plain difference of fake and real scores, so that a term's value shows its parts."""
    c = config(**changes)
    return Game(c, LOSSES[loss], Generator(MODEL), Discriminators(MODEL), False, SPREADS, MODEL.modalities)


def batch(concepts="aabbaabb", image=None, mel=None, has_image=None, has_audio=None) -> Batch:
    n = len(concepts)
    there = torch.ones(n, dtype=torch.bool)
    rows = {
        "image": torch.zeros(n, 1, 16, 16) if image is None else image,
        "audio": torch.zeros(n, 64, 16) if mel is None else mel,
    }
    has = {"image": there if has_image is None else has_image, "audio": there if has_audio is None else has_audio}
    return Batch(list(concepts), list(concepts), list(concepts), rows, has)


def scores(*columns, features=NOTHING, audio=None) -> Scores:
    values = {name: torch.tensor(column).float() for name, column in zip(NAMES, columns, strict=True)}
    return Scores({"image": features, "audio": features if audio is None else audio}, values)


def flat(value=0.0, n=8) -> Scores:
    return scores(*[[value] * n] * 5)


def at(part=None, counts=None, rows=slice(0, 8), whole=None, **known) -> Slice:
    """A slice of which a term looks at what is ``known``."""
    part = part or batch()
    blank, codes = torch.zeros(len(part), 384), torch.zeros(len(part), 12)
    given = {
        "captions": blank, "caption": blank, "wrong_caption": blank, "latents": codes, "noise": codes,
        "between": torch.zeros(len(part)), "counts": counts or ones(len(part)),
    }  # fmt: skip
    return Slice(whole or part, part, rows, **(given | known))


# Which rows count, and how much ------------------------------------------------------------------------------------


def test_a_critic_counts_the_rows_that_have_what_it_looks_at():
    image = torch.tensor([1, 1, 0, 1, 1, 1, 1, 1]).bool()
    audio = torch.tensor([1, 0, 1, 1, 1, 1, 1, 1]).bool()
    found = game().counts(batch("aabbcdee", has_image=image, has_audio=audio))
    expected = {
        "image": image.tolist(), "audio": audio.tolist(), "joint": [1, 0, 0, 1, 1, 1, 1, 1],
        "image_twins": [1, 1, 0, 0, 0, 0, 1, 1],  # twins of one concept, both with a picture
        "audio_twins": [0, 0, 1, 1, 0, 0, 1, 1],
    }  # fmt: skip
    assert {name: row.tolist() for name, row in found.items()} == {
        name: [float(x) for x in row] for name, row in expected.items()
    }


def test_critics_weigh_as_the_configuration_says_and_rows_without_a_side_nothing():
    counts = ones()
    counts["audio"][:4] = 0
    values = {name: torch.full((8,), value) for name, value in zip(NAMES, (1.0, 2.0, 4.0, 8.0, 16.0), strict=True)}
    value = game(joint_weight=3.0, twin_weight=0.5).weighted(values, counts)
    assert value.item() == pytest.approx(1 + 2 / 2 + 3 * 4 + 0.5 * (8 + 16))


def test_each_player_is_asked_for_its_own_terms_by_the_weights_of_the_configuration():
    losses = config(generator_contrastive_weight=2.0, recognition_share=0.5, joint_weight=3.0).losses
    weights = {term.name: (term.players, term.weight(losses, 0.25)) for term in terms.TERMS}
    generator, discriminator = ("generator",), ("discriminator",)
    assert weights["generator"] == (generator, 1.0) and weights["discriminator"] == (discriminator, 1.0)
    assert weights["wrong_caption"] == (discriminator, 0.5) and weights["wrong_partner"] == (discriminator, 0.5 * 3)
    assert weights["contrastive"] == (discriminator, 1.0) and weights["generator_contrastive"] == (generator, 1.0)
    assert weights["latents"] == (generator + discriminator, 0.3) and weights["range"] == (generator, 10.0)
    assert weights["reconstruction"] == (generator + discriminator, 0.0)  # faded by a fifth
    assert terms.Reconstruction().weight(losses, 0.1) == pytest.approx(5.0)
    for name in ("caption_margin", "caption_mean", "twin_spread"):
        assert weights[name] == (generator, 0.0)


# What is asked of the two by their scores ----------------------------------------------------------------------------


def test_generated_rows_wish_to_score_high_and_real_rows_over_them():
    real, fake = scores([5.0] * 8, *[[1.0] * 8] * 4), scores([2.0] * 8, *[[4.0] * 8] * 4)
    slice_ = at(real=real, fake=fake)
    g = game(joint_weight=2.0, twin_weight=0.5)
    assert terms.AsReal().value(g, slice_).item() == pytest.approx(-2 - 4 - 2 * 4 - 0.5 * 8)
    assert terms.RealOverFake().value(g, slice_).item() == pytest.approx((2 - 5) + 3 + 2 * 3 + 0.5 * 6)


def test_real_rows_are_to_score_higher_under_their_own_caption_than_under_a_wrong_one(monkeypatch):
    g = game(joint_weight=2.0)
    real = scores([5.0] * 8, [4.0] * 8, [3.0] * 8, [9.0] * 8, [9.0] * 8)
    seen = []
    wrong_values = {name: torch.full((8,), value) for name, value in zip(NAMES, (1.0, 2.0, 2.5), strict=False)}
    monkeypatch.setattr(g, "values", lambda features, caption: seen.append(caption) or wrong_values)
    wrong = torch.randn(8, 384)
    value = terms.WrongCaption().value(g, at(real=real, wrong_caption=wrong))
    assert value.item() == pytest.approx((1 - 5) + (2 - 4) + 2 * (2.5 - 3))
    assert seen[0] is wrong


def test_a_wrong_partner_is_a_sound_of_another_concept_and_is_to_score_lower(monkeypatch):
    g = game()
    rows = torch.arange(8.0)[:, None].expand(8, 16)
    real = scores([0.0] * 8, [0.0] * 8, [7.0] * 8, [0.0] * 8, [0.0] * 8, features=rows, audio=rows)
    seen = []

    def joint(features, caption):
        seen.append((features["image"][:, 0].tolist(), features["audio"][:, 0].tolist()))
        return torch.tensor([1.0, 2, 3, 4, 50, 50, 50, 50])

    monkeypatch.setattr(g.discriminators, "joint_score", joint)
    # Rows 4 to 7 are of one concept: any of their sounds goes with any of their pictures, so none is punished.
    value = terms.WrongPartner().value(g, at(batch("aabbcccc"), real=real))
    assert seen == [([0, 1, 2, 3, 4, 5, 6, 7], [2, 3, 0, 1, 6, 7, 4, 5])]
    assert value.item() == pytest.approx(((1 - 7) + (2 - 7) + (3 - 7) + (4 - 7)) / 8)
    counts = ones()
    counts["joint"][2] = 0  # row 0's partner has no sound, and row 2 has no pair
    assert terms.WrongPartner().value(g, at(batch("aabbcccc"), counts, real=real)).item() == pytest.approx(
        ((2 - 7) + (4 - 7)) / 8
    )


@pytest.mark.parametrize(("term", "side"), [(terms.RealRecognition(), "real"), (terms.FakeRecognition(), "fake")])
def test_features_pick_their_caption_among_other_concepts_and_their_own_wrong_one(monkeypatch, term, side):
    g = game(temperature=0.5)
    similarity = torch.linspace(-1, 1, 64).view(8, 8)
    ours, theirs = flat(n=4), flat(n=4)
    for name, critic in g.critics.items():
        features = ours.features[name]
        monkeypatch.setattr(critic, "similarity", lambda f, _, mine=features: similarity[4:] if f is mine else None)
        monkeypatch.setattr(critic, "row_similarity", lambda *_: torch.full((4,), 0.25))
        ours.features[name], theirs.features[name] = features, torch.ones(4, 16)
    known = {side: ours, "fake" if side == "real" else "real": theirs}
    whole = batch("aabbaabb")
    value = term.value(g, at(whole.slice(4, 8), rows=slice(4, 8), whole=whole, **known))
    expected = 0.0
    for row in range(4):
        own = similarity[4 + row, 4 + row].item()
        others = [similarity[4 + row, j].item() for j in range(8) if "aabbaabb"[j] != "aabbaabb"[4 + row]] + [0.25]
        total = sum(math.exp(s / 0.5) for s in [own, *others])
        expected += (math.log(total) - own / 0.5) / 4
    assert value.item() == pytest.approx(2 * expected, rel=1e-4)


# What both are asked: to read the latents, and to rebuild ------------------------------------------------------------


def said(monkeypatch, g, image, audio):
    """Sets the (mean, log-variance) that each critic reads for every latent of every row."""
    for critic, (middle, log_variance) in ((g.discriminators.image, image), (g.discriminators.audio, audio)):
        pair = torch.full((8, 8), float(middle)), torch.full((8, 8), float(log_variance))
        monkeypatch.setattr(critic, "latents", lambda *_, pair=pair: pair)


def test_unread_latents_are_a_gaussian_negative_log_likelihood(monkeypatch):
    g = game()
    said(monkeypatch, g, (1.0, math.log(4.0)), (2.0, 0.0))
    latents = torch.cat([torch.full((8, 4), 3.0), torch.full((8, 4), 5.0), torch.full((8, 4), 6.0)], dim=1)
    image = ((3 - 1) ** 2 / 4 + (5 - 1) ** 2 / 4) / 2 + math.log(4.0)
    audio = ((3 - 2) ** 2 + (6 - 2) ** 2) / 2
    value = terms.Unread().value(g, at(fake=flat(), latents=latents))
    assert value.item() == pytest.approx((image + audio) / 4)


def test_the_posterior_is_a_product_of_experts_weighted_by_precision(monkeypatch):
    g = game()
    said(monkeypatch, g, (3.0, math.log(2.0)), (1.0, math.log(0.25)))
    middle, log_variance = terms.Reconstruction().posterior(g, flat(), ones())
    precision = 1 + 1 / 2 + 1 / 0.25  # the prior's, the picture's, the sound's
    torch.testing.assert_close(middle[:, :4], torch.full((8, 4), (3 / 2 + 1 / 0.25) / precision))
    torch.testing.assert_close(log_variance[:, :4], torch.full((8, 4), -math.log(precision)))
    torch.testing.assert_close(middle[0, 4:], torch.tensor([3.0] * 4 + [1.0] * 4))  # each one's own latents
    torch.testing.assert_close(log_variance[0, 4:], torch.tensor([math.log(2)] * 4 + [math.log(0.25)] * 4))


def test_rebuilt_rows_pay_their_squared_error_in_units_of_the_spread_and_their_divergence(monkeypatch):
    g, term = game(divergence_weight=0.5), terms.Reconstruction()
    middle, log_variance = torch.full((8, 12), 2.0), torch.full((8, 12), math.log(4.0))
    monkeypatch.setattr(term, "posterior", lambda *_: (middle, log_variance))
    asked = []

    def generate(caption, latents):
        asked.append(latents)
        n = len(latents)
        return {"image": torch.full((n, 1, 16, 16), 0.5), "audio": torch.full((n, 64, 16), 0.25)}

    monkeypatch.setattr(g, "generate", generate)
    value = term.value(g, at(real=flat(), noise=torch.ones(8, 12)))
    torch.testing.assert_close(asked[0], torch.full((4, 12), 2.0 + 2.0))  # mean + deviation * noise, of half the rows
    divergence = 12 * (2.0**2 + 4.0 - math.log(4.0) - 1) / 2
    error = 256 * 0.25 / SPREADS["image"] + 1024 * 0.0625 / SPREADS["audio"]
    assert value.item() == pytest.approx(0.5 * divergence + error, rel=1e-5)


# What is asked of the generator alone --------------------------------------------------------------------------------


def test_values_beyond_one_either_way_are_in_excess():
    g = game()
    image, mel = torch.zeros(8, 1, 16, 16), torch.zeros(8, 64, 16)

    def excess(image, mel, counts=None):
        return terms.Range().value(g, at(counts=counts, generated={"image": image, "audio": mel}))

    assert excess(image + 1, mel - 1) == 0
    image[0, 0, 0, 0], image[0, 0, 0, 1] = 1.5, -3.0
    assert excess(image, mel).item() == pytest.approx((0.25 + 4) / 8 / SPREADS["image"])
    mel[1, 0, 0] = -2.0
    assert excess(image * 0, mel).item() == pytest.approx(1 / 8 / SPREADS["audio"])
    counts = ones()
    counts["audio"][1] = 0
    assert excess(image * 0, mel, counts) == 0  # a row without a sound


def test_styles_of_near_captions_pay_for_what_is_missing_of_the_margin(monkeypatch):
    g = game()
    caption = torch.zeros(8, 384)
    wrong = caption.clone()
    wrong[:, 0] = 0.05  # half of NEAR
    torch.testing.assert_close(terms.nearness(caption, wrong), torch.full((8,), 0.5))
    right, other = torch.ones(8, 4), {"image": torch.full((8, 4), 1.4), "audio": torch.full((8, 4), 9.0)}
    styles = iter([{"image": right, "audio": right}, other])
    monkeypatch.setattr(g.generator.mapping, "forward", lambda *_: next(styles))
    value = terms.CaptionMargin().value(g, at(caption=caption, wrong_caption=wrong))
    assert value.item() == pytest.approx(0.5 * (1 - 0.4), rel=1e-3)  # the sounds' styles are far enough apart


def test_twins_are_asked_for_the_share_of_the_distance_that_is_missing():
    g = game()
    rows = torch.zeros(8, 1, 16, 16)
    rows[::2] = 0.3
    torch.testing.assert_close(apart(rows), torch.full((8,), 0.3), rtol=1e-3, atol=0)
    g.twin_spreads = {"image": 0.4, "audio": 0.0}
    counts = ones()
    counts["image_twins"][:2] = 0
    value = terms.TwinSpread().value(g, at(counts=counts, generated={"image": rows, "audio": torch.zeros(8, 64, 16)}))
    assert value.item() == pytest.approx(0.25 * 6 / 8, rel=1e-2)  # the sounds have no twins to compare with


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


def planes(g, monkeypatch, image=3.0, audio=2.0):
    """Critics whose scores are planes: slope ``image`` in each pixel, ``audio`` in each cell of a mel, 0 in twins."""

    def look(inputs, caption):
        a, b = image * inputs["image"].flatten(1).sum(1), audio * inputs["audio"].flatten(1).sum(1)
        return Scores({}, dict(zip(NAMES, [a, b, 0 * a, 0 * a, 0 * a], strict=True)))

    monkeypatch.setattr(g, "scores", look)
    made = [
        {"image": torch.randn(8, 1, 16, 16).requires_grad_(), "audio": torch.randn(8, 64, 16).requires_grad_()}
        for _ in range(2)
    ]
    real, fake = (look(inputs, None) for inputs in made)
    return at(real_inputs=made[0], fake_inputs=made[1], real=real, fake=fake)


@pytest.mark.parametrize(("kind", "times"), [("r1", 1), ("r1r2", 2)])
def test_r1_is_half_the_squared_slope_at_real_rows_and_r2_adds_generated_ones(monkeypatch, kind, times):
    g = game()
    slice_ = planes(g, monkeypatch)
    slice_.fake = Scores({}, {name: 2 * value for name, value in slice_.fake.values.items()})  # twice as steep there
    slope = 9 * 256 + 4 * 1024
    value = terms.penalty(kind, g, slice_)
    assert value.item() == pytest.approx((slope + (times - 1) * 4 * slope) / 2, rel=1e-5)
    assert game("relativistic").loss.penalty == "r1r2"


def test_rows_without_a_sound_have_no_slope_in_it(monkeypatch):
    g = game()
    slice_ = planes(g, monkeypatch)
    slice_.counts["audio"][:4] = 0
    assert terms.penalty("r1", g, slice_).item() == pytest.approx((9 * 256 + 4 * 1024 / 2) / 2, rel=1e-5)


def test_the_gradient_penalty_pulls_the_slope_towards_one_between_real_and_generated_rows(monkeypatch):
    g = game()
    slice_ = planes(g, monkeypatch, 0.0, 2.0)
    seen = []
    look = g.scores
    monkeypatch.setattr(g, "scores", lambda inputs, caption: seen.append(inputs) or look(inputs, caption))
    slice_.between = torch.full((8,), 0.25)
    assert terms.penalty("gp", g, slice_).item() == pytest.approx((2 * math.sqrt(1024) - 1) ** 2, rel=1e-4)
    expected = 0.25 * slice_.real_inputs["image"] + 0.75 * slice_.fake_inputs["image"]
    torch.testing.assert_close(seen[0]["image"].detach(), expected.detach())
