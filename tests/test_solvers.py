"""Solvers that plug in: DPM-Solver++ 2M against diffusers, against exact flows, and against DDIM where both agree."""

import json
from dataclasses import asdict

import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from diffusers.utils import logging

from core import NoiseSchedule, Request, RequestError, SamplerSettings, step_list, walk
from core.record import request_of
from core.solvers import SOLVERS, solver_named
from core.timesteps import SPACINGS

logging.set_verbosity_error()  # it says of every custom list that it is custom
SCHEDULE = NoiseSchedule()
MEAN, STD = 0.3, 0.5  # of Gaussian data, whose ε is known exactly
SECOND_ORDER = SOLVERS["dpm-solver++"]


def exact_eps(x, t):
    """ε(x_t, t) of data N(MEAN, STD²)."""
    a = float(SCHEDULE.alpha_bar[t + 1])
    return (1 - a) ** 0.5 * (x - a**0.5 * MEAN) / (a * STD**2 + 1 - a)


def end_of(solver, timesteps, x_T, network=exact_eps, **options):
    plan = solver.plan(SCHEDULE, timesteps, 0.0, False)
    return list(walk(network, x_T, plan, lambda t: None, solver=solver, **options))[-1].x_next


@pytest.fixture
def x_T():
    return torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(3))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers 0.42 under numpy 2.4
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("S", [1, 2, 3, 10, 20, 50])
def test_dpm_solver_takes_the_steps_of_diffusers(spacing, S, x_T):
    timesteps = step_list(spacing, S, SCHEDULE.T)
    theirs = DPMSolverMultistepScheduler(
        num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, algorithm_type="dpmsolver++", solver_order=2,
        solver_type="midpoint", final_sigmas_type="zero",
    )  # fmt: skip
    theirs.set_timesteps(timesteps=list(timesteps))
    x = x_T.clone()
    for t in theirs.timesteps:
        x = theirs.step(exact_eps(x, int(t)), t, x).prev_sample
    assert tuple(int(t) for t in theirs.timesteps) == timesteps
    assert torch.allclose(end_of(SECOND_ORDER, timesteps, x_T), x, rtol=0, atol=1e-4)


@pytest.mark.parametrize("S", [1, 2])
def test_a_way_that_lands_on_index_0_is_ddims_where_no_step_is_of_second_order(S, x_T):
    """The last step is of first order, and so is the first: with two at most there are no others."""
    steps = step_list("trailing", S, SCHEDULE.T)
    ends = [
        list(walk(exact_eps, x_T.double(), solver.plan(SCHEDULE, steps, 0.0, False, lands_on), lambda t: None,
                  solver=solver))[-1].x_next
        for lands_on in (1, 0) for solver in (SECOND_ORDER, SOLVERS["ddim"])
    ]  # fmt: skip
    assert torch.allclose(ends[0], ends[1], rtol=0, atol=1e-12)
    assert float((ends[0] - ends[2]).abs().max()) > 1e-3  # and not where the other ends


def test_dpm_solver_is_of_second_order_where_ddim_is_of_first(x_T):
    """Halving the steps' size in λ divides the error by four, DDIM's by two. The list is even in λ, down to t = 20."""
    alpha_bar = torch.from_numpy(SCHEDULE.alpha_bar[1:].copy())
    log_snr = (alpha_bar / (1 - alpha_bar)).log()

    def error(solver, S):
        wanted = torch.linspace(float(log_snr[-1]), float(log_snr[20]), S)
        timesteps = sorted({int((log_snr - at).abs().argmin()) for at in wanted}, reverse=True)
        found = list(walk(exact_eps, x_T.double(), solver.plan(SCHEDULE, timesteps, 0.0, False), lambda t: None,
                          solver=solver))[-1].x_t  # fmt: skip
        a, a_T = float(SCHEDULE.alpha_bar[21]), float(SCHEDULE.alpha_bar[-1])
        flowed = a**0.5 * MEAN + (x_T - a_T**0.5 * MEAN) * ((a * STD**2 + 1 - a) / (a_T * STD**2 + 1 - a_T)) ** 0.5
        return float((found - flowed).square().mean().sqrt())

    ratio_2m = error(SECOND_ORDER, 20) / error(SECOND_ORDER, 80)
    ratio_ddim = error(SOLVERS["ddim"], 20) / error(SOLVERS["ddim"], 80)
    assert ratio_2m > 11  # 16 in the limit
    assert 3 < ratio_ddim < 5.5  # 4 in the limit
    assert error(SECOND_ORDER, 20) < error(SOLVERS["ddim"], 80)


def test_one_and_two_steps_are_ddim(x_T):
    for S in (1, 2):
        timesteps = step_list("trailing", S, SCHEDULE.T)
        ddim = end_of(SOLVERS["ddim"], timesteps, x_T)
        assert torch.allclose(end_of(SECOND_ORDER, timesteps, x_T), ddim, rtol=0, atol=1e-5)


def test_the_picture_is_the_last_x0_hat_clipped_where_asked(x_T):
    plan = SECOND_ORDER.plan(SCHEDULE, step_list("trailing", 5, SCHEDULE.T), 0.0, False)
    for clip_range in (None, 0.1):
        last = list(walk(exact_eps, x_T, plan, lambda t: None, clip_range=clip_range, solver=SECOND_ORDER))[-1]
        assert torch.allclose(last.x_next, last.x0_hat, rtol=0, atol=1e-6)
        assert clip_range is None or float(last.x_next.abs().max()) <= clip_range + 1e-6


@pytest.mark.parametrize("noise", [{"eta": 0.5}, {"sigma_hat": True}])
def test_noise_is_refused_with_the_remedy(noise):
    settings = SamplerSettings(steps=5, solver="dpm-solver++", **noise)
    with pytest.raises(RequestError, match="set eta to 0"):
        solver_named(settings.solver).plan(SCHEDULE, (900, 0), settings.eta, settings.sigma_hat)


@pytest.mark.parametrize("name", ["euler", "", 3, None])
def test_an_unknown_solver_is_refused_naming_the_known_ones(name):
    with pytest.raises(RequestError, match=r"solver must be one of ddim, dpm-solver\+\+"):
        SamplerSettings(solver=name)


def test_a_record_says_the_solver_and_an_older_one_means_ddim():
    for solver in SOLVERS:
        request = Request((4,), SamplerSettings(steps=7, solver=solver))
        kept = json.loads(json.dumps({"request": asdict(request)}))
        assert request_of(kept) == request
    del kept["request"]["settings"]["solver"]
    assert request_of(kept).settings.solver == "ddim"
