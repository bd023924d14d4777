"""ᾱ against sums written here in float64, a telescoped closed form, and diffusers' fp32 tables."""

import math

import numpy as np
import pytest
from diffusers import DDIMScheduler, DDPMScheduler

from core import CheckpointError, NoiseSchedule, RequestError

KINDS = ("linear", "scaled_linear", "squaredcos_cap_v2")


def beta_by_hand(kind, T, first, last):
    if kind == "linear":
        return [first + (last - first) * i / (T - 1) for i in range(T)]
    if kind == "scaled_linear":
        a, b = math.sqrt(first), math.sqrt(last)
        return [(a + (b - a) * i / (T - 1)) ** 2 for i in range(T)]
    level = [math.cos((i / T + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(T + 1)]
    return [min(1 - level[i + 1] / level[i], 0.999) for i in range(T)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("T", [2, 100, 1000])
def test_alpha_bar_is_the_cumulative_product_in_float64(kind, T):
    table = NoiseSchedule(kind, T).alpha_bar
    product = [1.0]
    for beta in beta_by_hand(kind, T, 1e-4, 0.02):
        product.append(product[-1] * (1 - beta))
    assert table.dtype == np.float64
    np.testing.assert_allclose(table, product, rtol=1e-10)


def test_cosine_alpha_bar_telescopes_to_its_closed_form_below_the_cap():
    T = 1000
    table = NoiseSchedule("squaredcos_cap_v2", T).alpha_bar
    level = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
    np.testing.assert_allclose(table[:T], (level / level[0])[:T], rtol=1e-9)  # only the last β is capped
    assert table[T] == pytest.approx(table[T - 1] * 0.001, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ends", [(1e-4, 0.02), (0.00085, 0.012)])
def test_alpha_bar_equals_diffusers_to_fp32(kind, ends):
    theirs = DDIMScheduler(beta_schedule=kind, beta_start=ends[0], beta_end=ends[1]).alphas_cumprod.numpy()
    ours = NoiseSchedule(kind, beta_start=ends[0], beta_end=ends[1]).alpha_bar
    np.testing.assert_allclose(ours[1:], theirs, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_time_zero_is_clean_data_and_alpha_bar_falls_strictly(kind):
    table = NoiseSchedule(kind).alpha_bar
    assert len(table) == 1001
    assert table[0] == 1
    assert (np.diff(table) < 0).all()
    assert table[-1] > 0


def test_the_table_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        NoiseSchedule().alpha_bar[0] = 0.5


def test_an_explicit_table_of_betas_wins():
    betas = (0.1, 0.2, 0.5)
    schedule = NoiseSchedule.from_config({"trained_betas": list(betas), "beta_schedule": "linear"})
    assert schedule.T == 3
    np.testing.assert_allclose(schedule.alpha_bar, [1, 0.9, 0.72, 0.36], rtol=1e-12)


def test_from_config_reads_what_diffusers_writes():
    config = dict(DDIMScheduler(500, 0.001, 0.01, "scaled_linear").config)
    assert NoiseSchedule.from_config(config) == NoiseSchedule("scaled_linear", 500, 0.001, 0.01)


def test_an_empty_config_means_the_ddpm_schedule():
    assert NoiseSchedule.from_config({}) == NoiseSchedule("linear", 1000, 1e-4, 0.02)


@pytest.mark.parametrize(
    "bad",
    [
        {"num_train_timesteps": 0},
        {"beta_start": 0.0},
        {"beta_end": 1.0},
        {"beta_end": math.nan},
        {"beta_schedule": "laplace"},
        {"trained_betas": (0.1, 1.5), "num_train_timesteps": 2},
    ],
)
def test_an_unusable_schedule_is_refused(bad):
    with pytest.raises(RequestError):
        NoiseSchedule(**bad)


@pytest.mark.parametrize(
    "config",
    [{"beta_start": "low"}, {"num_train_timesteps": None}, {"trained_betas": 3}, {"beta_schedule": "laplace"}],
)
def test_an_unusable_scheduler_config_is_a_checkpoint_error_naming_the_file(config):
    with pytest.raises(CheckpointError, match=r"scheduler_config\.json"):
        NoiseSchedule.from_config(config)


def test_sigmoid_is_that_of_diffusers():
    theirs = DDPMScheduler(500, 1e-4, 0.02, "sigmoid").alphas_cumprod.numpy()
    np.testing.assert_allclose(NoiseSchedule("sigmoid", 500).alpha_bar[1:], theirs, rtol=1e-4)


def test_zero_terminal_snr_is_refused_because_it_would_change_alpha_bar():
    with pytest.raises(CheckpointError, match="rescale_betas_zero_snr"):
        NoiseSchedule.from_config({"rescale_betas_zero_snr": True})
