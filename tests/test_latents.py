"""slerp and the strips made of it."""

import math

import pytest
import torch

from core import RequestError, noise
from core.latents import slerp, strip

SHAPE = (3, 8, 8)
WEIGHTS = (0.01, 0.25, 0.5, 0.7, 0.99)


def pair():
    return noise.latents([3, 8], SHAPE)


def angle(a, b):
    """By the half-angle formula, which is exact at both extremes where acos is not."""
    u, v = (x.double().flatten() / x.double().norm() for x in (a, b))
    return 2 * math.atan2(float((u - v).norm()), float((u + v).norm()))


def test_the_ends_are_exact():
    a, b = pair()
    assert torch.equal(slerp(a, b, 0.0), a)
    assert torch.equal(slerp(a, b, 1.0), b)


def test_the_ends_are_copies():
    a, b = pair()
    slerp(a, b, 0.0).zero_()
    slerp(a, b, 1.0).zero_()
    assert torch.equal(torch.stack([a, b]), pair())


@pytest.mark.parametrize("w", WEIGHTS)
def test_between_equal_norms_the_norm_is_kept(w):
    a, b = pair()
    b = b * (a.norm() / b.norm())
    assert float(slerp(a, b, w).norm()) == pytest.approx(float(a.norm()), rel=1e-5)


@pytest.mark.parametrize("w", WEIGHTS)
def test_the_angle_from_the_first_end_is_w_of_the_whole(w):
    a, b = pair()
    b = b * (a.norm() / b.norm())
    assert angle(a, slerp(a, b, w)) == pytest.approx(w * angle(a, b), rel=1e-5)


@pytest.mark.parametrize("w", WEIGHTS)
def test_it_is_the_same_from_either_end(w):
    a, b = pair()
    assert torch.allclose(slerp(a, b, w), slerp(b, a, 1 - w), rtol=0, atol=1e-6)


def test_a_quarter_turn_by_hand():
    a, b = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    want = torch.tensor([[[math.cos(math.pi / 6), math.sin(math.pi / 6)]]])
    assert torch.allclose(slerp(a, b, 1 / 3), want, atol=1e-7)


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-7, 1e-5, 1e-3])
def test_nearly_equal_latents_give_something_between_them(gap):
    a = pair()[0].double()
    b = a + gap * pair()[1].double()
    middle = slerp(a, b, 0.5)
    assert torch.allclose(middle, (a + b) / 2, rtol=0, atol=max(1e-12, gap**2))


ANTIPODAL = {
    "random": noise.latents([3], SHAPE)[0],
    "constant": torch.ones(SHAPE),
    "constant, negative": torch.full(SHAPE, -0.3),
    "one pixel": torch.zeros(SHAPE).index_fill_(0, torch.tensor([1]), 1.0),
    "alternating": torch.tensor([1.0, -1.0]).repeat(96).view(SHAPE),
}


@pytest.mark.parametrize("name", ANTIPODAL)
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_opposite_latents_still_turn_evenly_along_one_arc(name, scale):
    a = ANTIPODAL[name]
    path = [slerp(a, -scale * a, w) for w in (0.0, *WEIGHTS, 1.0)]
    for w, x in zip((0.0, *WEIGHTS, 1.0), path, strict=True):
        assert torch.isfinite(x).all()
        assert min(1, scale) * 0.999 <= float(x.norm() / a.norm()) <= max(1, scale) * 1.001
        assert angle(a, x) == pytest.approx(w * math.pi, abs=1e-3)


@pytest.mark.parametrize("gap", [1e-9, 1e-7, 1e-6, 2e-6, 1e-5, 1e-3])
def test_nearly_opposite_latents_keep_a_sane_norm(gap):
    a, b = pair().double()
    b = b - (a * b).sum() / (a * a).sum() * a
    end = gap * a.norm() / b.norm() * b - a  # π − gap away from a
    for w in WEIGHTS:
        x = slerp(a, end, w)
        assert torch.isfinite(x).all()
        assert float(x.norm() / a.norm()) == pytest.approx(1, abs=0.02)  # acos costs most just above the guard


def test_zero_latents_are_no_division_by_zero():
    zero, a = torch.zeros(SHAPE), pair()[0]
    assert torch.equal(slerp(zero, zero, 0.5), zero)
    assert torch.allclose(slerp(zero, a, 0.5), a / 2)


def test_unequal_shapes_are_refused():
    with pytest.raises(RequestError, match="equal shapes"):
        slerp(torch.zeros(2), torch.zeros(1), 0.5)  # would broadcast


def test_a_strip_starts_and_ends_on_its_keys_and_is_evenly_spaced():
    keys = pair()
    path = strip(keys, 7)
    assert path.shape == (7, *SHAPE)
    assert torch.equal(path[0], keys[0])
    assert torch.equal(path[-1], keys[1])
    for i in range(7):
        assert torch.equal(path[i], slerp(keys[0], keys[1], i / 6))


def test_a_strip_through_three_keys_passes_exactly_through_the_middle_one():
    keys = noise.latents([3, 8, 5], SHAPE)
    path = strip(keys, 5)
    assert torch.equal(path[::2], keys)
    assert torch.allclose(path[3], slerp(keys[1], keys[2], 0.5))


def test_a_loop_comes_back_to_its_first_key_without_repeating_it():
    keys = noise.latents([3, 8, 5], SHAPE)
    path = strip(keys, 6, loop=True)
    assert torch.equal(path[::2], keys)
    assert torch.allclose(path[5], slerp(keys[2], keys[0], 0.5))


def test_two_keys_there_and_back():
    path = strip(pair(), 4, loop=True)
    assert torch.equal(path[0], pair()[0])
    assert torch.equal(path[2], pair()[1])
    assert torch.allclose(path[1], path[3], atol=1e-6)


@pytest.mark.parametrize(("keys", "frames"), [(1, 5), (2, 1), (2, 0)])
def test_too_little_for_a_strip_is_refused(keys, frames):
    with pytest.raises(RequestError, match="at least two"):
        strip(pair()[:keys], frames)
