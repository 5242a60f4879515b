"""Augmentation: what it may change, that it differentiates, and that slices of a batch see what the batch sees."""

import pytest
import torch

from mmgan.models.modalities.augment import Plan, augment_image, augment_mel, blank, shift


@pytest.fixture
def plan():
    return Plan.draw(6, torch.Generator().manual_seed(0))


def test_shift_moves_whole_pixels_and_fills():
    x = torch.arange(1.0, 10).view(1, 1, 3, 3)
    moved = shift(x, torch.tensor([1]), torch.tensor([-1]), 0.0)
    assert moved[0, 0].tolist() == [[0, 0, 0], [2, 3, 0], [5, 6, 0]]


def test_blank_covers_a_box_of_the_chosen_rows_only():
    x = torch.ones(2, 1, 5, 5)
    zero = torch.zeros(2)
    out = blank(x, zero, zero, 0.5, 0.5, torch.tensor([True, False]), -1.0)
    assert (out[0] == -1).sum() == 9 and out[0, 0, 2, 2] == -1 and (out[1] == 1).all()


@pytest.mark.parametrize(("augment", "shape"), [(augment_image, (6, 3, 32, 32)), (augment_mel, (6, 64, 64))])
def test_nothing_happens_at_zero_and_something_at_one(plan, augment, shape):
    x = torch.rand(shape) - 0.5
    assert augment(x, plan, 0.0) is x
    out = augment(x, plan, 1.0)
    assert out.shape == x.shape and all(not torch.equal(a, b) for a, b in zip(out, x, strict=True))


@pytest.mark.parametrize(("augment", "shape"), [(augment_image, (6, 1, 32, 32)), (augment_mel, (6, 64, 64))])
def test_slices_of_a_batch_are_augmented_as_within_it(plan, augment, shape):
    x = torch.rand(shape)
    whole = augment(x, plan, 0.6)
    parts = [augment(x[i : i + 2], plan.slice(i, i + 2, "cpu"), 0.6) for i in (0, 2, 4)]
    torch.testing.assert_close(torch.cat(parts), whole)


@pytest.mark.parametrize(("augment", "shape"), [(augment_image, (6, 1, 32, 32)), (augment_mel, (6, 64, 64))])
def test_gradients_flow_twice(plan, augment, shape):
    x = torch.rand(shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(augment(x, plan, 0.8).square().sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert x.grad.abs().sum() > 0


def test_silence_stays_silence(plan):
    silence = torch.full((6, 64, 64), -1.0)
    torch.testing.assert_close(augment_mel(silence, plan, 1.0), silence)
