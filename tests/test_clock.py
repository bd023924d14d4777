"""What counts as time: the sampler's own, never the consumer's. A made-up clock, so nothing here is timed."""

import pytest
import torch

from core import NetworkError, NoiseSchedule, clock, coefficients, walk


@pytest.fixture
def now(monkeypatch):
    """A clock that moves only when told."""
    hands = {"s": 100.0}
    monkeypatch.setattr("core.clock.time.perf_counter", lambda: hands["s"])
    return hands


def test_a_slow_consumer_does_not_count(now):
    def network(x, t):
        now["s"] += 2
        return torch.zeros_like(x)

    def noise(t):
        now["s"] += 0.5
        return torch.zeros(1, 1, 2, 2)

    times = []
    for step in walk(network, torch.zeros(1, 1, 2, 2), coefficients(NoiseSchedule(), (900, 500, 0), 1.0), noise):
        times.append((step.elapsed_s, step.network_s))
        now["s"] += 1000
    assert times == [(2.5, 2), (5, 4), (7, 6)]  # the last step draws no noise


def test_time_between_making_the_run_and_its_first_step_does_not_count(now):
    run = walk(lambda x, t: x, torch.zeros(1, 1, 2, 2), coefficients(NoiseSchedule(), (900,), 0.0), None)
    now["s"] += 1000
    assert next(run).elapsed_s == 0


def test_the_cpu_is_timed_by_the_host():
    assert isinstance(clock.make_clock(torch.device("cpu")), clock.HostClock)


def test_a_step_that_is_not_finite_ends_the_run_with_the_remedy():
    host = clock.make_clock(torch.device("cpu"))
    host.start()
    host.network_done()
    with pytest.raises(NetworkError, match="t = 7: try precision fp32"):
        host.stop(torch.tensor(False), 7, last=False)
