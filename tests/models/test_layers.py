"""What the layers promise: modulation that starts as the identity and can then put an edge anywhere."""

import pytest
import torch

from mmgan.models.layers import Film, activate, base_size, conv, linear


@torch.no_grad()
def test_layers_and_activations_keep_the_size_of_what_passes():
    torch.manual_seed(0)
    assert activate(torch.tensor([-1.0, 1.0])).square().mean() == pytest.approx(1.0)  # as many below zero as above
    x = activate(torch.tensor([-1.0, 1.0]))
    assert x[0] / x[1] == pytest.approx(-0.2)
    assert linear(400, 300)(torch.randn(500, 400)).std() == pytest.approx(1.0, abs=0.05)
    assert linear(400, 300, gain=0.1)(torch.randn(500, 400)).std() == pytest.approx(0.1, abs=0.005)
    inner = conv(40, 100)(torch.randn(20, 40, 9, 9))
    assert inner.shape == (20, 100, 9, 9) and inner[..., 1:-1, 1:-1].std() == pytest.approx(1.0, abs=0.05)


def test_modulation_starts_as_the_identity():
    x = torch.randn(2, 3, 8, 4)
    torch.testing.assert_close(Film(5, 3)(x, torch.randn(2, 5)), x)


def test_a_leaning_shift_is_a_plane_over_the_map():
    film = Film(1, 2)
    with torch.no_grad():
        film.affine.bias.copy_(torch.tensor([0.0, 1.0, 0.5, 0.0, 1.0, 0.0, 0.0, 2.0]))  # scale, then 1, down, across
    y = film(torch.ones(1, 2, 5, 3), torch.zeros(1, 1))[0]
    down, across = torch.linspace(-2, 2, 5)[:, None], torch.linspace(-2, 2, 3)[None]
    torch.testing.assert_close(y[0], (1 + 0.5 + down).expand(5, 3))
    torch.testing.assert_close(y[1], (2 + 2 * across).expand(5, 3))


def test_axes_made_while_sampling_serve_training_too():
    film = Film(2, 2)
    with torch.inference_mode():
        film(torch.randn(1, 2, 7, 9), torch.randn(1, 2))
    w = torch.randn(1, 2, requires_grad=True)
    film(torch.randn(1, 2, 7, 9), w).sum().backward()
    assert film.affine.weight.grad is not None


@pytest.mark.parametrize(("height", "patch"), [(30, 1), (4, 2)])
def test_sizes_that_do_not_divide_are_refused(height, patch):
    assert base_size(32, 64, 2, 3) == (4, 8)
    with pytest.raises(ValueError, match="cannot be made"):
        base_size(height, 32, patch, 3)
