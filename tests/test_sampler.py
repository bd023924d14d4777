"""The sampler against diffusers, against the paper's equations in numpy, and its behaviour as a generator."""

import math

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from core import SPACINGS, NetworkError, NoiseSchedule, RequestError, coefficients, ddim_step, step_list, walk
from core import noise as seeded

T, SHAPE, SEEDS = 1000, (3, 4, 4), (11, 12)
KINDS = ("epsilon", "sample", "v_prediction")
CLIP = 0.45  # below the two modes of the dummy data, so that it bites
ALPHA_BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, T))  # by network index t
SCHEDULE = NoiseSchedule()


def dummy_network(kind):
    """Nearly the exact predictor of data at ±0.5, with neighbours mixed in: smooth, nonlinear in x, dependent on t."""

    def network(x, t):
        a = float(ALPHA_BAR[t])
        signal, spread, v = math.sqrt(a), math.sqrt(1 - a), 1 - a + 0.04 * a
        shrink = 0.04 * signal / v
        x0 = shrink * x + (1 - signal * shrink) * 0.5 * torch.tanh(0.5 * signal * x / v)
        x0 = x0 + 0.05 * torch.sin(x.roll(1, -1))
        if kind == "sample":
            return x0
        eps = (x - signal * x0) / spread
        return eps if kind == "epsilon" else signal * eps - spread * x0

    return network


def x_T():
    return seeded.latents(SEEDS, SHAPE)


def z(t):
    return seeded.step_noise(SEEDS, t, SHAPE)


def ours(S, eta, kind="epsilon", clip=None):
    plan = coefficients(SCHEDULE, step_list("leading", S, T), eta)
    return list(walk(dummy_network(kind), x_T(), plan, z, kind, clip))


def diffusers_ddim(S, eta, kind, clip):
    """(x_next, x̂0) after every step of diffusers' DDIM, with our noise."""
    scheduler = DDIMScheduler(
        T, prediction_type=kind, clip_sample=clip is not None, clip_sample_range=clip or 1.0, timestep_spacing="leading"
    )
    scheduler.set_timesteps(S)
    x, network = x_T(), dummy_network(kind)
    for t in scheduler.timesteps.tolist():
        step = scheduler.step(
            network(x, t), t, x, eta=eta, use_clipped_model_output=clip is not None,
            variance_noise=z(t) if eta > 0 else None,
        )  # fmt: skip
        x = step.prev_sample
        yield x, step.pred_original_sample


def largest_difference(steps, theirs):
    return max(
        max(float((s.x_next - x).abs().max()), float((s.x0_hat - x0).abs().max()))
        for s, (x, x0) in zip(steps, theirs, strict=True)
    )


@pytest.mark.parametrize("S", [10, 50])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", [None, CLIP])
def test_whole_trajectories_equal_diffusers(S, eta, kind, clip):
    # with ε the last bit of the network's tanh, which is not the same on every processor, is 120 times as large in x̂0
    # at the first step (1/√ᾱ at t = 980): 2.6e-5 on one with AVX-512, under 1e-5 on one with AVX2
    near = 5e-5 if kind == "epsilon" else 1e-5
    assert largest_difference(ours(S, eta, kind, clip), diffusers_ddim(S, eta, kind, clip)) < near


@pytest.mark.parametrize(("eta", "clip"), [(0.0, None), (1.0, None), (1.0, CLIP)])
def test_all_thousand_steps_equal_diffusers(eta, clip):
    assert largest_difference(ours(T, eta, clip=clip), diffusers_ddim(T, eta, "epsilon", clip)) < 1e-4


def test_the_dummy_network_is_worth_comparing_on():
    """Clipping, η and the number of steps all change its pictures by far more than the tolerances above."""
    reference = ours(10, 0.0)[-1].x_next
    for other in (ours(10, 0.0, clip=CLIP), ours(10, 0.5), ours(10, 1.0), ours(50, 0.0)):
        assert float((other[-1].x_next - reference).abs().max()) > 1e-2


def test_eta_1_with_all_steps_clipped_is_the_ddpm_sampler(monkeypatch):
    scheduler = DDPMScheduler(T, variance_type="fixed_small", clip_sample=True, clip_sample_range=CLIP)
    scheduler.set_timesteps(T)
    now = {}
    monkeypatch.setattr("diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *_, **__: z(now["t"]))
    x, network = x_T(), dummy_network("epsilon")
    for t, step in zip(scheduler.timesteps.tolist(), ours(T, 1.0, clip=CLIP), strict=True):
        now["t"] = t
        x = scheduler.step(network(x, t), t, x).prev_sample
        assert float((step.x_next - x).abs().max()) < 1e-4


def paper_step(x, eps, z_, a, a_next, eta, sigma_hat):
    """Eq. 12 and 16 of the paper as printed (its α is ᾱ), float64; App. D.3 for σ̂."""
    sigma = eta * np.sqrt((1 - a_next) / (1 - a)) * np.sqrt(1 - a / a_next)
    added = np.sqrt(1 - a / a_next) if sigma_hat else sigma
    predicted_x0 = (x - np.sqrt(1 - a) * eps) / np.sqrt(a)
    direction = np.sqrt(1 - a_next - sigma**2) * eps
    return np.sqrt(a_next) * predicted_x0 + direction + (added * z_ if a_next < 1 else 0.0)


@pytest.mark.parametrize(("eta", "sigma_hat"), [(0.0, False), (0.3, False), (1.0, False), (1.0, True)])
@pytest.mark.parametrize(
    "timesteps",
    [
        step_list("leading", 30, T),
        step_list("trailing", 61, T),
        step_list("linspace", 7, T),
        step_list("quadratic", 50, T),
        (999, 998, 500, 3, 0),
        (640, 20),
        (999,),
        (0,),
    ],
)
def test_any_step_list_equals_the_papers_equations_in_float64(timesteps, eta, sigma_hat):
    network, x = dummy_network("epsilon"), x_T().double()
    plan = coefficients(SCHEDULE, timesteps, eta, sigma_hat)
    steps = list(walk(network, x, plan, lambda t: z(t).double()))
    assert [s.t for s in steps] == list(timesteps)
    want = x.numpy()
    for i, step in enumerate(steps):
        t = timesteps[i]
        a_next = ALPHA_BAR[timesteps[i + 1]] if i + 1 < len(timesteps) else 1.0
        eps = network(torch.from_numpy(want), t).numpy()
        want = paper_step(want, eps, z(t).double().numpy(), ALPHA_BAR[t], a_next, eta, sigma_hat)
        np.testing.assert_allclose(step.x_next.numpy(), want, atol=1e-10)


@pytest.mark.parametrize(("S", "spacing"), [(30, "leading"), (61, "linspace"), (37, "trailing")])
def test_a_single_step_equals_diffusers_with_the_true_previous_index(S, spacing):
    """diffusers assumes t − T//S; told the stride to the true next index, it agrees off its grid too."""
    timesteps = step_list(spacing, S, T)
    plan = coefficients(SCHEDULE, timesteps, 0.7)
    scheduler = DDIMScheduler(T, clip_sample=False)
    for c, prev in zip(plan, (*timesteps[1:], -1), strict=True):
        scheduler.num_inference_steps, scheduler.config.num_train_timesteps = 1, c.t - prev
        out = dummy_network("epsilon")(x_T(), c.t)
        theirs = scheduler.step(out, c.t, x_T(), eta=0.7, variance_noise=z(c.t)).prev_sample
        # one fp32 step from pure noise: relative to its size, since x̂0 is up to 1/√ᾱ large
        assert torch.allclose(ddim_step(x_T(), out, c, z(c.t))[0], theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("S", [1, 2, 20])
@pytest.mark.parametrize(("eta", "sigma_hat"), [(0.0, False), (0.5, False), (1.0, False), (0.0, True)])
def test_the_last_step_adds_no_noise_and_lands_on_x0_hat(spacing, S, eta, sigma_hat):
    asked = []
    timesteps = step_list(spacing, S, T)
    plan = coefficients(SCHEDULE, timesteps, eta, sigma_hat)
    steps = list(walk(dummy_network("epsilon"), x_T(), plan, lambda t: asked.append(t) or z(t)))
    noisy = eta > 0 or sigma_hat
    assert asked == (list(timesteps[:-1]) if noisy else [])
    assert plan[-1].noise == 0
    assert all((c.noise > 0) == noisy for c in plan[:-1])
    assert torch.equal(steps[-1].x_next, steps[-1].x0_hat)


def test_steps_chain_and_report_what_the_network_saw():
    seen = []

    def network(x, t):
        seen.append((x, t))
        return dummy_network("epsilon")(x, t)

    plan = coefficients(SCHEDULE, (700, 300, 10), 0.5)
    steps = list(walk(network, x_T(), plan, z))
    assert [s.index for s in steps] == [0, 1, 2]
    assert torch.equal(steps[0].x_t, x_T())
    assert torch.equal(steps[1].x_t, steps[0].x_next)
    for step, (x, t) in zip(steps, seen, strict=True):
        assert torch.equal(step.x_t, x)
        assert step.t == t


def test_clipped_x0_hat_stays_in_range_and_eps_is_derived_again_from_it():
    c = coefficients(SCHEDULE, (500, 400), 0.0)[0]
    x = torch.full((1, 1, 1, 1), 3.0, dtype=torch.float64)
    x_next, x0_hat = ddim_step(x, torch.zeros_like(x), c, clip_range=0.8)
    a, a_next = ALPHA_BAR[500], ALPHA_BAR[400]
    eps = (3.0 - math.sqrt(a) * 0.8) / math.sqrt(1 - a)
    assert float(x0_hat) == 0.8
    assert float(x_next) == pytest.approx(math.sqrt(a_next) * 0.8 + math.sqrt(1 - a_next) * eps, rel=1e-10)


def test_a_noisy_step_without_noise_is_refused():
    c = coefficients(SCHEDULE, (500, 400), 1.0)[0]
    with pytest.raises(RequestError, match="pass z"):
        ddim_step(x_T(), x_T(), c)


def test_an_unknown_prediction_type_is_refused():
    with pytest.raises(RequestError, match="epsilon, sample or v_prediction"):
        ddim_step(x_T(), x_T(), coefficients(SCHEDULE, (5,), 0.0)[0], prediction_type="score")


@pytest.mark.parametrize("eta", [-1e-9, 1.0001, math.nan, math.inf])
def test_eta_outside_0_to_1_is_refused(eta):
    with pytest.raises(RequestError, match="eta"):
        coefficients(SCHEDULE, (500,), eta)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_unusable_value_from_the_network_is_an_error_naming_t(bad):
    def network(x, t):
        out = torch.zeros_like(x)
        if t == 300:
            out[1, 2, 3, 3] = bad
        return out

    run = walk(network, x_T(), coefficients(SCHEDULE, (700, 300, 10), 0.0), z)
    assert next(run).t == 700
    with pytest.raises(NetworkError, match="t = 300"):
        next(run)


@pytest.mark.parametrize("shape", [(2, 6, 4, 4), (1, 3, 4, 4), (2, 3, 4, 2)])
def test_a_wrong_shape_from_the_network_is_an_error_naming_both(shape):
    run = walk(lambda x, t: torch.zeros(shape), x_T(), coefficients(SCHEDULE, (700,), 0.0), z)
    with pytest.raises(NetworkError, match=r"\(2, 3, 4, 4\)"):
        next(run)


def counted_walk():
    calls = []

    def network(x, t):
        calls.append(t)
        return torch.zeros_like(x)

    return walk(network, x_T(), coefficients(SCHEDULE, step_list("leading", 50, T), 0.0), z), calls


def test_no_step_is_taken_before_it_is_asked_for():
    run, calls = counted_walk()
    assert calls == []
    for count in range(1, 6):
        next(run)
        assert len(calls) == count


def test_closing_the_run_stops_the_network_at_once():
    run, calls = counted_walk()
    next(run), next(run)
    run.close()
    assert list(run) == []
    assert len(calls) == 2


def test_the_consumer_keeps_its_own_grad_and_inference_modes():
    run, _ = counted_walk()
    for _ in range(3):
        next(run)
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()
        weight = torch.ones(2, requires_grad=True)
        (weight * 3).sum().backward()
        assert weight.grad.tolist() == [3, 3]
    run.close()
    assert not torch.is_inference_mode_enabled()


def test_the_network_runs_without_autograd():
    seen = []

    def network(x, t):
        seen.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        return torch.zeros_like(x)

    list(walk(network, x_T(), coefficients(SCHEDULE, (9, 3), 0.0), z))
    assert seen == [(False, True)] * 2


def test_steps_already_yielded_are_not_overwritten():
    run, _ = counted_walk()
    first = next(run)
    kept = first.x_next.clone()
    list(run)
    assert torch.equal(first.x_next, kept)
