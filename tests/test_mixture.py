"""The exact ε of a mixture against derivatives, integrals and closed forms; paths against a loop written out here."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from core import NoiseSchedule, RequestError, SamplerSettings, noise
from core.mixture import DISTRIBUTIONS, MAX_POINTS, Mixture, distribution, kept_points, paths

SCHEDULE = NoiseSchedule()
UNEVEN = Mixture(((-1.0, 0.5), (0.4, -0.3), (1.2, 1.1)), 0.3, (0.2, 0.5, 0.3))
TIMES = (0, 40, 300, 700, 999)


def eps_of(mixture, points, t):
    x = torch.from_numpy(np.asarray(points, dtype=np.float64)).view(-1, 2, 1, 1)
    return mixture.network(SCHEDULE)(x, t).view(-1, 2).numpy()


@pytest.mark.parametrize("t", TIMES)
def test_eps_is_the_gradient_of_the_log_density(t):
    a, h = float(SCHEDULE.alpha_bar[t + 1]), 1e-5
    points = np.random.default_rng(1).uniform(-2, 2, (50, 2))
    slope = np.stack(
        [(UNEVEN.log_density(points + e, a) - UNEVEN.log_density(points - e, a)) / (2 * h) for e in h * np.eye(2)], 1
    )
    assert np.allclose(eps_of(UNEVEN, points, t), -math.sqrt(1 - a) * slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("t", TIMES)
def test_one_gaussian_has_the_linear_eps(t):
    a, mean, std = float(SCHEDULE.alpha_bar[t + 1]), (0.3, -0.7), 0.5
    points = np.random.default_rng(2).normal(size=(20, 2))
    want = math.sqrt(1 - a) * (points - math.sqrt(a) * np.array(mean)) / (a * std**2 + 1 - a)
    assert np.allclose(eps_of(Mixture((mean,), std), points, t), want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("t", [40, 300, 700])
def test_the_posterior_mean_is_an_integral_over_the_data_and_agrees_with_eps(t):
    a = float(SCHEDULE.alpha_bar[t + 1])
    points = np.random.default_rng(3).uniform(-1.2, 1.2, (6, 2))
    axis = np.linspace(-4, 4, 801)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    prior = UNEVEN.density(grid, 1.0)
    likely = prior * np.exp(-(((points[:, None] - math.sqrt(a) * grid) ** 2).sum(2)) / (2 * (1 - a)))
    integral = likely @ grid / likely.sum(1, keepdims=True)
    closed = UNEVEN.posterior_mean(points, a)
    assert np.allclose(closed, integral, rtol=0, atol=1e-6)
    assert np.allclose((points - math.sqrt(1 - a) * eps_of(UNEVEN, points, t)) / math.sqrt(a), closed, atol=1e-9)


@pytest.mark.parametrize("alpha_bar", [1.0, 0.5, 4e-5])
def test_the_density_integrates_to_one(alpha_bar):
    axis = np.linspace(-6, 6, 601)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    assert float(UNEVEN.density(grid, alpha_bar).sum() * 0.02**2) == pytest.approx(1, abs=1e-6)


def test_samples_have_the_mixtures_density():
    axis, n = np.linspace(-3, 3, 13), 200_000
    counts, _, _ = np.histogram2d(*UNEVEN.samples(n, seed=4).T, bins=[axis, axis])
    fine = (np.arange(240) + 0.5) / 40 - 3  # 20 × 20 points a bin
    grid = np.stack(np.meshgrid(fine, fine, indexing="ij"), -1).reshape(-1, 2)
    share = UNEVEN.density(grid, 1.0).reshape(12, 20, 12, 20).sum((1, 3)) / 40**2
    assert (np.abs(counts / n - share) < 5 * np.sqrt(share / n) + 1e-5).all()


def test_the_image_is_the_density_on_a_grid():
    axis = np.linspace(-2, 2, 9)
    image = UNEVEN.image(axis, 0.6)
    for row, y in enumerate(axis):  # y falls from top to bottom
        line = np.stack([axis, np.full(9, y)], 1)
        assert np.allclose(image[8 - row], UNEVEN.density(line, 0.6), rtol=1e-12)


def test_far_from_every_mode_eps_stays_finite_and_points_home():
    far = np.array([[1e4, 0.0], [-1e4, 1e4]])
    for t in TIMES:
        eps = eps_of(distribution("ring"), far, t)
        assert np.isfinite(eps).all()
        assert (np.sign(eps) * np.sign(far) >= 0).all()


def by_hand(mixture, S, eta, n, seed):
    """Paper eq. 12 on the leading grid, one point and one number at a time."""
    track = []
    for i in range(n):
        x = noise.latents([seed + i], (2, 1, 1)).double().view(2).numpy()
        z = noise.step_noise([seed + i], 0, (1000, 2, 1)).double().view(1000, 2).numpy()
        path = [x]
        times = [i * 1000 // S for i in range(S)]
        for k in reversed(range(S)):
            a = SCHEDULE.alpha_bar[times[k] + 1]
            b = SCHEDULE.alpha_bar[times[k - 1] + 1] if k else 1.0
            x0 = mixture.posterior_mean(x[None], a)[0]
            eps = (x - math.sqrt(a) * x0) / math.sqrt(1 - a)
            sigma = eta * math.sqrt((1 - b) / (1 - a) * (1 - a / b))
            x = math.sqrt(b) * x0 + math.sqrt(1 - b - sigma**2) * eps + sigma * z[times[k]]
            path.append(x)
        track.append(path)
    return np.swapaxes(np.array(track), 0, 1)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_paths_are_the_projects_sampler_on_points(eta):
    got = paths(UNEVEN, SamplerSettings(steps=15, eta=eta), 5, 11)
    assert got.shape == (16, 5, 2)
    assert np.allclose(got, by_hand(UNEVEN, 15, eta, 5, 11), rtol=0, atol=1e-9)


def bend(track):
    """How much of a path's length is turning: Σ|second differences| / Σ|first differences|."""
    first = np.diff(track, axis=0)
    return np.linalg.norm(np.diff(first, axis=0), axis=2).sum() / np.linalg.norm(first, axis=2).sum()


def test_without_noise_paths_are_smooth_and_smoother_with_more_steps_and_with_noise_they_are_not():
    ring = distribution("ring")
    smooth, jagged = (
        [bend(paths(ring, SamplerSettings(steps=S, eta=eta), 60, 0)) for S in (20, 50, 150)] for eta in (0.0, 1.0)
    )
    assert smooth[0] > 1.5 * smooth[1] > 1.5**2 * smooth[2]
    assert min(jagged) > 0.8 * max(jagged) > 5 * smooth[2]  # chance does not shrink with S


def test_one_seed_starts_at_one_place_whatever_the_settings_and_alone_or_in_a_crowd():
    ring = distribution("ring")
    starts = [
        paths(ring, SamplerSettings(steps=S, eta=eta, spacing=spacing), 8, 5)[0]
        for S in (1, 20, 300)
        for eta in (0.0, 1.0)
        for spacing in ("leading", "quadratic")
    ]
    assert all((start == starts[0]).all() for start in starts)
    alone = paths(ring, SamplerSettings(steps=20, eta=1.0), 1, 7)
    assert np.allclose(alone[:, 0], paths(ring, SamplerSettings(steps=20, eta=1.0), 8, 5)[:, 2], rtol=0, atol=1e-12)
    assert len(np.unique(starts[0], axis=0)) == 8


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_points_end_on_the_modes(name, eta):
    mixture = distribution(name)
    start, end = (paths(mixture, SamplerSettings(steps=50, eta=eta), 300, 1)[i] for i in (0, -1))
    home = [(mixture.nearest(points)[1] < 3 * mixture.std).mean() for points in (start, end)]
    assert home[1] > 0.96  # exact samples: 0.989
    assert home[0] < 0.75


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_each_mode_gets_its_share(eta):
    two, n = distribution("two"), 3000
    share = two.nearest(paths(two, SamplerSettings(steps=100, eta=eta), n, 0)[-1])[0].mean()
    assert share == pytest.approx(0.7, abs=0.01 + 3 * math.sqrt(0.21 / n))
    ring = distribution("ring")
    counts = np.bincount(ring.nearest(paths(ring, SamplerSettings(steps=100, eta=eta), n, 0)[-1])[0], minlength=8)
    assert np.abs(counts / n - 1 / 8).max() < 4 * math.sqrt(7 / 64 / n)


def test_long_paths_are_thinned_and_keep_their_ends():
    two = distribution("two")
    kept = kept_points(1000)
    assert (len(kept), kept[0], kept[-1]) == (MAX_POINTS, 0, 1000)
    assert all(a < b for a, b in pairwise(kept))
    assert kept_points(199) == list(range(200))
    assert kept_points(200)[-1] == 200
    long = paths(two, SamplerSettings(steps=1000), 4, 9)
    assert long.shape == (MAX_POINTS, 4, 2)
    whole = by_hand(two, 1000, 0.0, 4, 9)
    assert np.allclose(long, whole[kept], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("means", "std", "weights"),
    [((), 0.1, ()), (((0.0, 1.0),), 0.0, ()), (((0.0, 1.0),), 0.1, (0.5,)), (((0.0, math.nan),), 0.1, ()),
     (((0.0, 1.0), (1.0, 1.0)), 0.1, (1.0,)), (((0.0, 1.0), (1.0, 1.0)), 0.1, (1.5, -0.5))],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(means, std, weights):
    with pytest.raises(RequestError):
        Mixture(means, std, weights)


def test_an_unknown_distribution_is_refused_by_name():
    with pytest.raises(RequestError, match="ring, moons, spiral, two"):
        distribution("swiss")
