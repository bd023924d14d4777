"""Data N(0.3, 0.5²) has an exact ε(x, t), so whole runs have closed forms. No clipping, leading grid, float64."""

import math

import numpy as np
import pytest
import torch

from core import NoiseSchedule, coefficients, step_list, walk

T, MU, S_DATA = 1000, 0.3, 0.5
ALPHA_BAR = np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.02, T))])  # by time n
SCHEDULE = NoiseSchedule()
PUBLISHED = {
    (10, "0"): 0.3741, (10, "0.5"): 0.3671, (10, "1"): 0.3333, (10, "hat"): 0.5890,
    (50, "0"): 0.4724, (50, "0.5"): 0.4667, (50, "1"): 0.4441, (50, "hat"): 0.5172,
}  # fmt: skip


def exact_eps(x, t):
    a = float(ALPHA_BAR[t + 1])
    return math.sqrt(1 - a) * (x - math.sqrt(a) * MU) / (a * S_DATA**2 + 1 - a)


def exact_x0(x, t):
    a = float(ALPHA_BAR[t + 1])
    return (x - math.sqrt(1 - a) * exact_eps(x, t)) / math.sqrt(a)


def exact_v(x, t):
    a = float(ALPHA_BAR[t + 1])
    return math.sqrt(a) * exact_eps(x, t) - math.sqrt(1 - a) * exact_x0(x, t)


ORACLES = {"epsilon": exact_eps, "sample": exact_x0, "v_prediction": exact_v}


def plan_of(S, kind):
    return coefficients(SCHEDULE, step_list("leading", S, T), 0.0 if kind == "hat" else float(kind), kind == "hat")


def picture(x, plan, noise, kind="epsilon"):
    *_, last = walk(ORACLES[kind], x, plan, noise, kind)
    return last.x_next


def gains(plan):
    """The picture is linear in x_T and each z, so a pixel fed by one source alone shows that source's gain."""
    S = len(plan)
    sources = torch.eye(S + 1, dtype=torch.float64)[:, None, None, :]  # source × pixel; the last pixel has none
    index = {c.t: i for i, c in enumerate(plan)}
    out = picture(sources[:1], plan, lambda t: sources[index[t] + 1 :][:1]).flatten()
    return out[:-1] - out[-1], float(out[-1])


@pytest.mark.parametrize(("S", "kind"), PUBLISHED)
def test_the_spread_of_the_output_is_the_closed_form(S, kind):
    gain, _ = gains(plan_of(S, kind))
    assert float(gain.norm()) == pytest.approx(PUBLISHED[S, kind], abs=5.1e-5)  # four digits are known


@pytest.mark.parametrize(("S", "kind"), PUBLISHED)
def test_random_pixels_come_out_with_that_mean_and_spread(S, kind):
    plan, n = plan_of(S, kind), 60_000
    rng = torch.Generator().manual_seed(5)

    def normal(t=0):
        return torch.randn(1, 1, 200, n // 200, generator=rng, dtype=torch.float64)

    out, spread = picture(normal(), plan, normal), PUBLISHED[S, kind]
    _, mean = gains(plan)
    assert float(out.mean()) == pytest.approx(mean, abs=5 * spread * n**-0.5)  # five standard errors
    assert float(out.std()) == pytest.approx(spread, abs=5 * spread * (2 * n) ** -0.5 + 5e-5)


def flow_error(S):
    """RMS over x ~ N(0, 1) of DDIM against the exact flow from the first visited time down to data."""
    plan = plan_of(S, "0")
    a = float(ALPHA_BAR[plan[0].t + 1])
    slope = S_DATA / math.sqrt(a * S_DATA**2 + 1 - a)
    offset = MU - slope * math.sqrt(a) * MU
    ends = picture(torch.tensor([0.0, 1.0], dtype=torch.float64).view(2, 1, 1, 1), plan, None).flatten()
    return math.hypot(float(ends[1] - ends[0]) - slope, float(ends[0]) - offset)


def test_ddim_converges_to_the_exact_flow_at_first_order():
    error = {S: flow_error(S) for S in (10, 20, 50, 100, 200, 500, 1000)}
    measured = dict(zip(error, (0.124, 0.065, 0.027, 0.0138, 0.0070, 0.0029, 0.0015), strict=True))
    for S in error:
        assert error[S] == pytest.approx(measured[S], rel=0.05)
    for S in (50, 100, 500):
        assert error[S] / error[2 * S] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", ["0", "0.5", "1"])
def test_with_every_step_the_data_distribution_comes_back(kind):
    gain, mean = gains(plan_of(T, kind))
    assert float(gain.norm()) == pytest.approx(S_DATA, rel=0.01)
    assert mean == pytest.approx(MU, abs=0.01)


@pytest.mark.parametrize("eta", ["0", "0.5", "1", "hat"])
def test_epsilon_x0_and_v_of_one_oracle_give_one_trajectory(eta):
    rng = np.random.default_rng(2)
    z = {t: torch.from_numpy(rng.standard_normal((2, 1, 4, 4))) for t in range(T)}
    plan, x = plan_of(25, eta), torch.from_numpy(rng.standard_normal((2, 1, 4, 4)))
    runs = [list(walk(ORACLES[kind], x, plan, z.__getitem__, kind)) for kind in ORACLES]
    for eps, x0, v in zip(*runs, strict=True):
        for other in (x0, v):
            assert torch.allclose(other.x_next, eps.x_next, rtol=0, atol=1e-11)
            assert torch.allclose(other.x0_hat, eps.x0_hat, rtol=0, atol=1e-11)


def ancestral_step(sigma_from, sigma_to, eta):
    """k-diffusion's get_ancestral_step: (sigma_down, sigma_up)."""
    up = min(sigma_to, eta * (sigma_to**2 * (sigma_from**2 - sigma_to**2) / sigma_from**2) ** 0.5)
    return (sigma_to**2 - up**2) ** 0.5, up


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_ddim_is_euler_ancestral_in_x_over_root_alpha_bar(eta, spacing):
    timesteps = step_list(spacing, 20, T)
    rng = np.random.default_rng(3)
    x = torch.from_numpy(rng.standard_normal((1, 1, 4, 4)))
    z = {t: torch.from_numpy(rng.standard_normal((1, 1, 4, 4))) for t in timesteps}
    sigma = [math.sqrt((1 - ALPHA_BAR[t + 1]) / ALPHA_BAR[t + 1]) for t in timesteps] + [0.0]
    y = x / math.sqrt(ALPHA_BAR[timesteps[0] + 1])
    for i, step in enumerate(walk(exact_eps, x, coefficients(SCHEDULE, timesteps, eta), z.__getitem__)):
        t = timesteps[i]
        denoised = exact_x0(y * math.sqrt(ALPHA_BAR[t + 1]), t)
        down, up = ancestral_step(sigma[i], sigma[i + 1], eta)
        y = y + (y - denoised) / sigma[i] * (down - sigma[i]) + z[t] * up
        scale = math.sqrt(1 / (1 + sigma[i + 1] ** 2))  # √ᾱ of where the step landed
        assert torch.allclose(step.x_next, y * scale, rtol=0, atol=1e-11)
