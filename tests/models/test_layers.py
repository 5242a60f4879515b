"""What the layers promise: modulation that starts as the identity and can then put an edge anywhere."""

import pytest
import torch

from mmgan.models.layers import Film, base_size


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
