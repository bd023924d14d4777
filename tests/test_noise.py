"""Noise depends on its picture's seed and the step alone."""

import pytest
import torch

from core import noise

SHAPE = (3, 8, 8)
PINNED_LATENTS = ["-0x1.fc5f920000000p-3", "-0x1.b68d000000000p-6", "-0x1.f1c5440000000p+0"]
PINNED_STEP = ["-0x1.9326ae0000000p-3", "0x1.27621e0000000p-4", "0x1.e7bd980000000p-2"]
DRAWS = {"latents": noise.latents, "step noise": lambda seeds, shape: noise.step_noise(seeds, 417, shape)}


@pytest.fixture(params=DRAWS)
def draw(request):
    return DRAWS[request.param]


def test_a_picture_has_the_same_noise_alone_and_in_a_batch(draw):
    batch = draw(range(10), SHAPE)
    assert batch.shape == (10, *SHAPE)
    assert batch.dtype == torch.float32
    for seed in range(10):
        assert torch.equal(batch[seed], draw([seed], SHAPE)[0])


def test_order_and_position_do_not_matter(draw):
    forward, backward = draw([5, 2, 9, 5], SHAPE), draw([9, 5, 2], SHAPE)
    assert torch.equal(forward[0], forward[3])
    assert torch.equal(forward[:3], backward[[1, 2, 0]])


def test_drawing_leaves_the_global_generator_alone(draw):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    draw([1], SHAPE)
    assert torch.equal(state, torch.get_rng_state())


def test_seeds_differ(draw):
    pictures = draw([0, 1, 2**53 - 1], SHAPE).flatten(1)
    assert torch.pdist(pictures).min() > 1


def test_x_T_and_the_noise_of_every_step_are_different_streams():
    draws = torch.cat([noise.latents([4], SHAPE), *(noise.step_noise([4], t, SHAPE) for t in (0, 1, 2, 500, 999))])
    assert torch.pdist(draws.flatten(1)).min() > 1


@pytest.mark.parametrize("kind", ["latents", "step"])
def test_noise_is_standard_normal(kind):
    seeds, shape = range(64), (1, 64, 64)
    x = (noise.latents(seeds, shape) if kind == "latents" else noise.step_noise(seeds, 9, shape)).double()
    n = x.numel()  # tolerances are five standard errors of each moment
    assert abs(float(x.mean())) < 5 * n**-0.5
    assert abs(float(x.var()) - 1) < 5 * (2 / n) ** 0.5
    assert abs(float((x**3).mean())) < 5 * (15 / n) ** 0.5
    assert abs(float((x**4).mean()) - 3) < 5 * (96 / n) ** 0.5


def test_neighbouring_seeds_and_steps_are_uncorrelated():
    shape, n = (1, 64, 64), 64 * 64
    a = noise.latents([8], shape).flatten()
    for b in (noise.latents([9], shape), noise.step_noise([8], 0, shape), noise.step_noise([9], 1, shape)):
        assert abs(float(a @ b.flatten()) / n) < 5 * n**-0.5


def test_the_stream_is_the_one_that_published_records_rely_on():
    """Pinned bits: a change of generator would silently change every picture people have saved the seed of."""
    assert [float(v).hex() for v in noise.latents([0], (1, 1, 3)).flatten()] == PINNED_LATENTS
    assert [float(v).hex() for v in noise.step_noise([2**53 - 1], 999, (1, 1, 3)).flatten()] == PINNED_STEP
