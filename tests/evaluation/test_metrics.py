"""Every figure against a closed form or a case made by hand, and shown to be bad where the data are bad."""

import pytest
import torch

from mmgan.evaluation import metrics


def normal(n, dim, seed, mean=0.0, scale=1.0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)) * scale + mean


def test_accuracy_is_the_share_of_equals():
    assert metrics.accuracy(["1", "2", "3", "4"], ["1", "2", "0", "4"]) == 0.75
    with pytest.raises(ValueError):
        metrics.accuracy(["1"], ["1", "2"])


def test_frechet_distance_of_gaussians_is_the_closed_form():
    # Per dimension (mu1 - mu2)^2 + (s1 - s2)^2: four dimensions of 0.5^2 + 1^2.
    x, y = normal(60_000, 4, 0), normal(60_000, 4, 1, mean=0.5, scale=2.0)
    assert metrics.frechet_distance(x, y) == pytest.approx(5.0, abs=0.1)


def test_frechet_distance_with_correlated_features():
    # For commuting covariances the cross term is tr((S1 S2)^(1/2)); rotated diagonals commute.
    turn = torch.linalg.qr(normal(3, 3, 2).double())[0]
    x = normal(60_000, 3, 3).double() * torch.tensor([1.0, 2.0, 3.0]) @ turn.T
    y = normal(60_000, 3, 4).double() * torch.tensor([2.0, 2.0, 1.0]) @ turn.T
    assert metrics.frechet_distance(x, y) == pytest.approx(1.0 + 0.0 + 4.0, abs=0.15)


def test_frechet_distance_of_a_set_to_itself_is_zero_even_without_full_rank():
    x = normal(10, 20, 0)
    assert metrics.frechet_distance(x, x) == pytest.approx(0.0, abs=1e-5)


def test_kernel_distance_is_unbiased_and_grows_with_the_shift():
    same = [metrics.kernel_distance(normal(200, 8, s), normal(200, 8, s + 100)) for s in range(20)]
    assert abs(sum(same) / 20) < 0.01 and min(same) < 0  # around zero, not above it
    near, far = (metrics.kernel_distance(normal(200, 8, 0), normal(200, 8, 1, mean=m)) for m in (0.5, 1.0))
    assert far > near > 10 * abs(sum(same) / 20)


def test_kernel_distance_of_hand_made_points():
    # k(0, 0) = 1, k(1, 1) = 8, k(0, 1) = 1 in one dimension.
    assert metrics.kernel_distance(torch.zeros(2, 1), torch.ones(2, 1)) == pytest.approx(1 + 8 - 2)


def test_nearest_distances_by_hand():
    bank = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    assert metrics.nearest_distances(torch.tensor([[0.0, 0.0]]), bank).tolist() == [0.0]
    assert metrics.nearest_distances(torch.tensor([[0.0, 0.0]]), bank, k=3).tolist() == [5.0]


def test_precision_and_recall_tell_dropped_modes_from_bad_samples():
    real = torch.cat([normal(200, 4, 0), normal(200, 4, 1, mean=20)])
    one_mode = normal(400, 4, 2)
    precision, recall = metrics.precision_recall(real, one_mode)
    assert precision > 0.85 and 0.4 < recall < 0.55  # good samples, half of the modes
    half_noise = torch.cat([real[::2] + 0.01, normal(200, 4, 3, mean=-50)])
    precision, recall = metrics.precision_recall(real, half_noise)
    assert 0.45 < precision < 0.55 and recall > 0.85  # every mode, half of the samples bad
    assert metrics.precision_recall(real, normal(100, 4, 4, mean=500)) == (0.0, 0.0)


def test_mean_pairwise_distance_and_diversity_by_hand():
    x = torch.tensor([[0.0], [1.0], [3.0]])
    assert metrics.mean_pairwise_distance(x) == pytest.approx(2.0)  # 1, 3 and 2
    rows = torch.tensor([[0.0], [2.0], [100.0], [104.0], [7.0]])
    assert metrics.diversity(rows, ["a", "a", "b", "b", "alone"]) == pytest.approx(3.0)


def test_a_collapsed_generator_has_no_diversity():
    assert metrics.diversity(torch.ones(20, 8), ["a"] * 20) == pytest.approx(0.0, abs=1e-3)


def test_memorisation_is_near_one_for_new_data_and_zero_for_copies():
    training, held_out = normal(2_000, 4, 0), normal(500, 4, 1)
    assert metrics.memorisation(normal(500, 4, 2), training, held_out)["ratio_median"] == pytest.approx(1, abs=0.15)
    copies = metrics.memorisation(training[:500], training, held_out)
    assert copies["ratio_median"] < 0.02 and copies["ratio_p5"] < 0.02
    assert copies["held_out_median"] > 0
    without = metrics.memorisation(normal(500, 4, 2), training)  # training rows against each other
    assert without["ratio_median"] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("k, covered", [(1, 0.0), (2, 0.5), (3, 1.0)])
def test_precision_reaches_to_the_kth_neighbour_that_is_not_the_point_itself(k, covered):
    real = torch.tensor([[0.0], [1.0], [3.0], [7.0]])  # reach 1, 1, 2, 4; then 3, 2, 3, 6; then 7, 6, 4, 7
    generated = torch.tensor([[-2.0], [-4.0], [-2.0], [-4.0]])
    assert metrics.precision_recall(real, generated, k)[0] == covered
    assert metrics.precision_recall(generated, real, k)[1] == covered


def test_the_fifth_percentile_is_of_the_nearest():
    training = torch.zeros(1, 1)
    found = metrics.memorisation(torch.arange(101.0)[:, None], training, 2 * torch.arange(101.0)[:, None])
    assert found["generated_p5"] == pytest.approx(5) and found["held_out_p5"] == pytest.approx(10)
    assert found["generated_median"] == pytest.approx(50) and found["ratio_median"] == pytest.approx(0.5)
