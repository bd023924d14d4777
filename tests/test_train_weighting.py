"""Balanced weighting: what it counts, that it forgets nothing on resume, and that it moves no optimum."""

import pytest
import torch

from core.train.weighting import BINS, Balance

CPU = torch.device("cpu")


def balance(T=1000, size=16, power=1.0, coarse=0.25):
    return Balance(T, size, CPU, power, coarse)


def test_every_level_weighs_the_same_once_its_size_is_known():
    weigh = balance()
    error = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    error[1] = error[0] * 10
    t = torch.tensor([10, 900])  # a hundredfold loss at the second level
    for _ in range(3):
        weigh(error, t)
    error.requires_grad_()
    (gradient,) = torch.autograd.grad(weigh(error, t), error)
    relative = gradient * error.detach()
    assert float(relative[0].sum()) == pytest.approx(float(relative[1].sum()), rel=1e-4)


def test_of_equal_energy_a_wrong_mean_costs_more_than_wrong_pixels():
    weigh = balance()
    noise = torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    t = torch.zeros(64, dtype=torch.long)
    weigh(noise, t)
    flat = torch.ones(1, 3, 16, 16)
    checks = torch.tensor([1.0, -1.0]).repeat(8)
    grain = (checks[:, None] * checks[None, :]).expand(1, 3, 16, 16)
    seen = weigh.mean.clone(), weigh.seen.clone()
    cost = []
    for error in (flat, grain):
        weigh.mean, weigh.seen = seen[0].clone(), seen[1] + 1e6  # so that this one error moves the mean by 2% only
        cost.append(float(weigh(error, t[:1])))
    assert cost[0] > 5 * cost[1]


def test_a_perfect_answer_is_still_the_only_optimum():
    weigh = balance()
    t = torch.tensor([5, 500])
    weigh(torch.randn(2, 1, 16, 16), t)
    assert float(weigh(torch.zeros(2, 1, 16, 16), t)) == 0.0
    error = torch.zeros(2, 1, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(weigh(error, t), error)
    assert torch.count_nonzero(gradient) == 0


def test_the_running_mean_is_a_plain_mean_first_and_each_bin_has_its_own():
    weigh = balance()
    t = torch.tensor([0])
    for size in (1.0, 2.0, 3.0):
        weigh(torch.full((1, 1, 16, 16), size), t)
    assert float(weigh.mean[0, 0]) == pytest.approx((1 + 4 + 9) / 3)
    assert torch.count_nonzero(weigh.mean[:, 1:]) == 0
    assert weigh.seen.tolist() == [3.0] + [0.0] * (BINS - 1)


def test_the_last_step_falls_into_the_last_bin_and_odd_sizes_have_their_own_scales():
    weigh = balance(T=7, size=28)
    assert weigh.scales == (1, 28)
    value = weigh(torch.ones(1, 1, 28, 28), torch.tensor([6]))
    assert float(weigh.mean[0, 6 * BINS // 7]) == 1.0
    assert float(value) == pytest.approx(1 + 0.25)


def test_without_balance_or_coarse_it_is_the_plain_loss():
    weigh = balance(power=0.0, coarse=0.0)
    error = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([3, 400, 999])
    assert float(weigh(error, t)) == pytest.approx(float(error.square().mean()), rel=1e-6)


def test_the_size_of_the_loss_is_kept_so_that_the_learning_rate_means_the_same():
    weigh = balance(power=1.0, coarse=0.0)
    error = torch.randn(40, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    t = torch.arange(40) * 25
    error *= (0.1 + t / 1000)[:, None, None, None]
    assert float(weigh(error, t)) == pytest.approx(float(error.square().mean()), rel=0.05)
