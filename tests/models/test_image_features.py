"""The trunk of an EfficientNet-Lite: its maps, its padding, where gradients go, and what its distance says."""

import pytest
import torch
import torch.nn.functional as F

from mmgan.models.image_features import ImageFeatures, ImageFeaturesConfig, _Same

SMALL = ImageFeaturesConfig(
    channels=(8, 8, 16, 16, 24), repeats=(1, 2, 1, 1, 1), kernels=(3, 3, 5, 3, 5), strides=(1, 2, 2, 2, 1), stem=8,
    stages=(2, 3, 5),
)  # fmt: skip


@pytest.fixture
def eyes():
    torch.manual_seed(0)
    return ImageFeatures(SMALL).eval().requires_grad_(False)


def test_lite0_has_the_sizes_of_its_paper():
    network = ImageFeatures()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(2.94e6, rel=0.01)
    assert network.widths == [24, 40, 112, 320]


@pytest.mark.parametrize("side", [32, 64, 48])
def test_each_stage_is_half_as_large_as_the_one_before(eyes, side):
    maps = eyes(torch.rand(2, 3, side, side) * 2 - 1)
    assert [tuple(m.shape) for m in maps] == [(2, w, side // d, side // d) for w, d in ((8, 4), (16, 8), (24, 16))]


def test_grey_pictures_are_seen_as_grey_ones_in_colour(eyes):
    grey = torch.rand(2, 1, 32, 32)
    for one, other in zip(eyes(grey), eyes(grey.repeat(1, 3, 1, 1)), strict=True):
        torch.testing.assert_close(one, other)


def test_padding_is_tensorflows_with_more_at_the_end():
    convolution = _Same(1, 1, 3, 2, bias=False)
    x = torch.rand(1, 1, 6, 6)
    expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), convolution.weight, stride=2)
    torch.testing.assert_close(convolution(x), expected)
    odd = torch.rand(1, 1, 7, 7)  # where both ends get the same
    torch.testing.assert_close(convolution(odd), F.conv2d(odd, convolution.weight, stride=2, padding=1))


def test_gradients_reach_the_picture_and_no_weight(eyes):
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    eyes(picture)[-1].sum().backward()
    assert picture.grad.abs().sum() > 0 and all(p.grad is None for p in eyes.parameters())


def test_the_distance_is_nought_to_itself_and_grows(eyes):
    a = torch.rand(3, 3, 32, 32) * 2 - 1
    near, far = a + 0.05 * torch.randn_like(a), torch.rand_like(a) * 2 - 1
    assert eyes.distance(a, a).abs().max() < 1e-6 and (eyes.distance(a, near) < eyes.distance(a, far)).all()
