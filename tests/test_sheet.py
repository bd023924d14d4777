"""Sheets and places between four seeds, and the noise of what lies between seeds."""

from dataclasses import replace

import pytest
import torch

from core import Engine, Request, RequestError, SamplerSettings
from core.latents import between_corners, sheet, slerp
from core.noise import latents
from core.record import request_of

SEEDS = (3, 8, 12, 20)
NOISY = SamplerSettings(4, eta=1.0)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def test_the_corners_of_a_sheet_are_the_seeds_own_latents():
    corners = latents(SEEDS, (3, 8, 8))
    grid = sheet(corners, 5)
    assert grid.shape == (25, 3, 8, 8)
    for place, corner in zip((0, 4, 20, 24), corners, strict=True):
        assert torch.equal(grid[place], corner)


def test_slerp_runs_within_the_pairs_then_across():
    corners = latents(SEEDS, (3, 8, 8))
    want = slerp(slerp(corners[0], corners[1], 0.25), slerp(corners[2], corners[3], 0.25), 0.75)
    assert torch.equal(between_corners(corners, 0.25, 0.75), want)
    assert torch.equal(sheet(corners, 5)[3 * 5 + 1], want)


def test_every_latent_of_a_sheet_has_the_norm_of_noise():
    grid = sheet(latents(SEEDS, (3, 64, 64)), 4)
    norms = grid.flatten(1).norm(dim=1) / (3 * 64 * 64) ** 0.5
    assert norms.min() > 0.97
    assert norms.max() < 1.03


def test_a_place_is_the_cell_of_the_sheet_there(engine):
    whole = engine.sample(Request(SEEDS, SamplerSettings(4), sheet=3)).images
    one = engine.sample(Request(SEEDS, SamplerSettings(4), place=(0.5, 1.0))).images
    assert torch.allclose(one[0], whole[2 * 3 + 1], atol=1e-4)


def test_pictures_between_seeds_share_their_noise_unless_they_have_their_own(engine):
    same = Request((5, 5), NOISY, frames=3)  # one latent throughout: only the noise can differ
    shared, own = (engine.sample(replace(same, own_noise=flag)).images for flag in (False, True))
    assert torch.allclose(shared[0], shared[2], atol=1e-5)
    assert not torch.allclose(own[0], own[2], atol=1e-2)
    assert torch.allclose(own[0], shared[0], atol=1e-5)
    assert Request((5, 9), NOISY, frames=3, own_noise=True).noise_seeds() == (5, 6, 7)
    assert Request((5, 9), NOISY, frames=3).noise_seeds() == (5, 5, 5)
    assert Request((5, 9), NOISY).noise_seeds() == (5, 9)


def test_own_noise_does_not_depend_on_how_pictures_are_batched(engine):
    request = Request(SEEDS, NOISY, sheet=3, own_noise=True)
    once, parts = engine.sample(request).images, engine.sample(request, max_batch=4).images
    assert torch.allclose(once, parts, atol=1e-4)


@pytest.mark.parametrize(
    "request_",
    [Request(SEEDS, sheet=3), Request(SEEDS, place=(0.25, 1.0)), Request((1, 2), frames=4, own_noise=True)],
)
def test_records_of_sheets_and_places_give_the_request_back(engine, request_):
    settings = SamplerSettings(2)
    result = engine.sample(replace(request_, settings=settings))
    found = request_of(result.record)
    assert replace(found, settings=settings) == replace(request_, settings=settings)


def test_records_from_before_there_were_sheets_are_still_read(engine):
    record = engine.sample(Request((1, 2), SamplerSettings(2), frames=3)).record
    for new in ("sheet", "place", "own_noise"):
        del record["request"][new]
    assert request_of(record).frames == 3


@pytest.mark.parametrize(
    "bad",
    [{"sheet": 1}, {"sheet": 2.0}, {"place": (0.5,)}, {"place": (0.5, 1.2)}, {"sheet": 3, "frames": 5},
     {"place": (0, 0), "sheet": 3}],
)  # fmt: skip
def test_odd_sheets_are_refused(bad):
    with pytest.raises(RequestError):
        Request(SEEDS, **bad)


@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3), (1, 2, 3, 4, 5)])
def test_a_sheet_needs_four_seeds(seeds):
    with pytest.raises(RequestError, match="four corner seeds"):
        Request(seeds, sheet=3)
