"""Losses against the formulas of their papers, on numbers worked out by hand."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from mmgan.config import LOSS_NAMES
from mmgan.training.losses import LOSSES, contrastive, mean, slope_towards_one, squared_slope

REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 1.5])
ONE, ZERO = torch.ones(2), torch.zeros(2)


def test_every_loss_of_the_configuration_exists():
    assert set(LOSSES) == set(LOSS_NAMES)


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_discriminator_of_the_first_gan_is_binary_cross_entropy(name):
    expected = bce(REAL, ONE, reduction="none") + bce(FAKE, ZERO, reduction="none")
    torch.testing.assert_close(LOSSES[name].discriminator(REAL, FAKE), expected)


def test_minimax_generator_minimises_what_the_discriminator_maximises():
    torch.testing.assert_close(LOSSES["minimax"].generator(REAL, FAKE), torch.log(1 - torch.sigmoid(FAKE)))


def test_non_saturating_generator_maximises_log_d():
    torch.testing.assert_close(LOSSES["non-saturating"].generator(REAL, FAKE), -torch.log(torch.sigmoid(FAKE)))


def test_minimax_gradient_vanishes_where_the_non_saturating_one_does_not():
    slopes = {}
    for name in ("minimax", "non-saturating"):
        score = torch.tensor([-10.0], requires_grad=True)  # the discriminator is sure
        LOSSES[name].generator(torch.zeros(1), score).sum().backward()
        slopes[name] = abs(score.grad.item())
    assert slopes["minimax"] < 1e-4 and slopes["non-saturating"] > 0.99


def test_least_squares():
    torch.testing.assert_close(
        LOSSES["least-squares"].discriminator(REAL, FAKE), torch.tensor([0.5 + 0.125, 2 + 1.125])
    )
    torch.testing.assert_close(LOSSES["least-squares"].generator(REAL, FAKE), torch.tensor([0.125, 0.125]))


def test_hinge():
    torch.testing.assert_close(LOSSES["hinge"].discriminator(REAL, FAKE), torch.tensor([0 + 1.5, 2 + 2.5]))
    torch.testing.assert_close(LOSSES["hinge"].generator(REAL, FAKE), -FAKE)


def test_wasserstein():
    torch.testing.assert_close(LOSSES["wasserstein"].discriminator(REAL, FAKE), FAKE - REAL)


def test_relativistic_compares_pairs():
    loss = LOSSES["relativistic"]
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), -torch.log(torch.sigmoid(REAL - FAKE)))
    torch.testing.assert_close(loss.generator(REAL, FAKE), loss.discriminator(FAKE, REAL))


def test_squared_slope_of_a_plane_is_its_own():
    weight = torch.tensor([3.0, 4.0])
    x = torch.randn(5, 2, requires_grad=True)
    torch.testing.assert_close(squared_slope(x @ weight, [x]), torch.full((5,), 25.0))
    torch.testing.assert_close(slope_towards_one(x @ weight, [x]), torch.full((5,), 16.0))


def test_squared_slope_adds_over_inputs_and_differentiates_again():
    a, b = torch.randn(4, 3, requires_grad=True), torch.randn(4, 2, requires_grad=True)
    k = torch.tensor(2.0, requires_grad=True)
    value = squared_slope(k * (a.sum(1) + b.sum(1)), [a, b])
    torch.testing.assert_close(value, torch.full((4,), 20.0))
    value.mean().backward()
    assert k.grad.item() == pytest.approx(2 * 2 * 5)


def test_mean_of_slices_adds_up_to_the_batch():
    values, weight = torch.arange(8.0), torch.tensor([1, 0, 1, 1, 0, 0, 0, 1.0])
    slices = [mean(values[i : i + 4], weight[i : i + 4]) for i in (0, 4)]
    torch.testing.assert_close(sum(slices) / 2, mean(values, weight))


def test_contrastive_is_cross_entropy_over_captions_that_count():
    similarity = torch.tensor([[0.9, 0.1, 0.8]])
    nobody = torch.zeros(1, 3, dtype=torch.bool)
    expected = math.log(sum(math.exp(s / 0.1) for s in (0.9, 0.1, 0.8))) - 0.9 / 0.1
    assert contrastive(similarity, torch.tensor([0]), nobody, 0.1).item() == pytest.approx(expected, rel=1e-5)
    same = torch.tensor([[False, False, True]])
    expected = math.log(sum(math.exp(s / 0.1) for s in (0.9, 0.1))) - 0.9 / 0.1
    assert contrastive(similarity, torch.tensor([0]), same, 0.1).item() == pytest.approx(expected, abs=1e-5)
