"""Distances against closed forms, scipy-free: Gaussians with known parameters, kernels summed by hand."""

import numpy as np
import pytest

from core import RequestError
from core.evaluate.distances import bootstrap_spread, frechet, kernel_distance

RNG = np.random.default_rng(0)


def gaussian(n, mean, cov, seed=0):
    return np.random.default_rng(seed).multivariate_normal(mean, cov, n)


def exactly(mean, cov, n=200, seed=0):
    """Points whose sample mean and covariance are exactly these."""
    x = np.random.default_rng(seed).standard_normal((n, len(mean)))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return x @ np.linalg.cholesky(cov).T + mean


def test_two_gaussians_on_common_axes_have_the_closed_form():
    a, b = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 1.0, 0.25])
    found = frechet(exactly([0, 0, 0], a), exactly([1, 2, 0], b, seed=1))
    assert found == pytest.approx(1 + 4 + (1 - 2) ** 2 + (2 - 1) ** 2 + (3 - 0.5) ** 2)


def test_general_covariances_agree_with_the_unsymmetric_root():
    m = RNG.standard_normal((2, 5, 5))
    a, b = m[0] @ m[0].T + np.eye(5), m[1] @ m[1].T
    roots = np.sqrt(np.linalg.eigvals(a @ b).real.clip(min=0)).sum()
    want = np.trace(a) + np.trace(b) - 2 * roots
    assert frechet(exactly(np.zeros(5), a), exactly(np.zeros(5), b + 1e-12 * np.eye(5), seed=1)) == pytest.approx(want)


def test_it_is_zero_for_the_same_set_symmetric_and_unchanged_by_rotation():
    a, b = gaussian(300, [0, 1], [[2, 1], [1, 2]]), gaussian(300, [1, 0], np.eye(2), 1)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, b) == pytest.approx(frechet(b, a))
    assert frechet(a @ turn.T, b @ turn.T) == pytest.approx(frechet(a, b))


def test_a_small_n_biases_it_upward_which_is_why_n_is_the_same_in_a_table():
    def mean_of(n):
        return np.mean([frechet(gaussian(n, np.zeros(8), np.eye(8), s), gaussian(4000, np.zeros(8), np.eye(8), 99))
                        for s in range(20)])  # fmt: skip

    assert mean_of(30) > 3 * mean_of(300) > 0


def test_too_few_pictures_for_the_dimensions_are_refused():
    with pytest.raises(RequestError, match="8 pictures cannot fill 8"):
        frechet(np.zeros((8, 8)), np.zeros((20, 8)))


def test_the_kernel_distance_is_the_sum_by_hand():
    a, b = RNG.standard_normal((4, 3)), RNG.standard_normal((5, 3))

    def k(x, y):
        return (float(x @ y) / 3 + 1) ** 3

    want = (
        sum(k(a[i], a[j]) for i in range(4) for j in range(4) if i != j) / 12
        + sum(k(b[i], b[j]) for i in range(5) for j in range(5) if i != j) / 20
        - 2 * sum(k(x, y) for x in a for y in b) / 20
    )
    assert kernel_distance(a, b) == pytest.approx(want)


def test_the_kernel_distance_has_no_bias_between_equal_distributions_and_sees_a_shift():
    values = [kernel_distance(gaussian(50, [0, 0], np.eye(2), s), gaussian(50, [0, 0], np.eye(2), s + 1000))
              for s in range(300)]  # fmt: skip
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(300)
    assert min(values) < 0
    shifted = kernel_distance(gaussian(50, [1.5, 0], np.eye(2)), gaussian(50, [0, 0], np.eye(2), 1))
    assert shifted > max(values)


def test_one_picture_has_no_kernel_distance():
    with pytest.raises(RequestError):
        kernel_distance(np.zeros((1, 2)), np.zeros((5, 2)))


def test_the_spread_is_that_of_new_draws():
    other = gaussian(3000, [0, 0], np.eye(2), 5)
    drawn = np.std([frechet(gaussian(200, [1, 0], np.eye(2), s), other) for s in range(150)], ddof=1)
    found = bootstrap_spread(frechet, gaussian(200, [1, 0], np.eye(2), 7), other, rounds=150)
    assert found == pytest.approx(drawn, rel=0.35)
    again = bootstrap_spread(frechet, gaussian(200, [1, 0], np.eye(2), 7), other, rounds=150)
    assert again == found
