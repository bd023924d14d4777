"""One Run for everybody: an iterator of steps that has pictures, film, timing and record at its end."""

from contextlib import closing

import numpy as np
import pytest
import torch

from core import SOLVERS, Engine, Request, RequestError, SamplerSettings, walk
from core.pixels import to_pixels
from core.trajectory import Trajectory


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def settings(**options):
    return SamplerSettings(**{"steps": 6, **options})


def test_iterated_it_ends_with_what_sample_gives(engine):
    request = Request((4, 9, 2), settings(eta=0.5))
    run = engine.run(request, max_batch=2)
    steps = list(run)
    result = engine.sample(request, max_batch=2)
    assert run.finished
    assert (run.done, run.evaluations, len(steps)) == (12, 12, 12)
    assert torch.equal(run.images, result.images)
    assert np.array_equal(run.pixels, to_pixels(result.images))
    same = ("checkpoint", "request", "latents_sha256", "versions")
    assert {k: run.record[k] for k in same} == {k: result.record[k] for k in same}
    assert run.timing.evaluations == 12
    assert run.timing.batch == 2


def test_time_goes_on_from_batch_to_batch(engine):
    run = engine.run(Request((1, 2, 3), settings()), max_batch=1)
    elapsed = [step.elapsed_s for step in run]
    assert elapsed == sorted(elapsed)
    assert run.timing.total_s == elapsed[-1]


def test_a_film_is_the_trajectory_of_the_steps(engine):
    run = engine.run(Request((5,), settings(steps=9)), film=True)
    kept = Trajectory(9)
    for step in run:
        kept.add(step)
    assert [frame.t for frame in run.film.frames] == [frame.t for frame in kept.frames]
    for ours, theirs in zip(run.film.frames, kept.frames, strict=True):
        assert np.array_equal(ours.x_t, theirs.x_t)
        assert np.array_equal(ours.x0_hat, theirs.x0_hat)
    assert engine.run(Request((5,), settings())).film is None


def test_a_film_of_several_batches_is_refused(engine):
    with pytest.raises(RequestError, match="max_batch to 2"):
        engine.run(Request((1, 2), settings()), max_batch=1, film=True)


@pytest.mark.parametrize("what", ["images", "pixels", "timing", "record"])
def test_before_its_end_a_run_has_no_result(engine, what):
    run = engine.run(Request((1,), settings()))
    next(run)
    with pytest.raises(RequestError, match="has not finished"):
        getattr(run, what)


def test_a_closed_run_stays_unfinished(engine):
    with closing(engine.run(Request((1,), settings()))) as run:
        next(run)
    assert list(run) == []
    assert not run.finished


def test_the_solver_is_the_requests(engine):
    request = Request((3,), settings(solver="dpm-solver++"))
    result, ddim = engine.sample(request), engine.sample(Request((3,), settings()))
    by_hand = walk(
        engine.network, engine.x_T(request), engine.plan(request), lambda t: None, "v_prediction", 1.0,
        SOLVERS["dpm-solver++"],
    )  # fmt: skip
    assert torch.allclose(result.images, list(by_hand)[-1].x_next, rtol=0, atol=1e-6)
    assert not torch.allclose(result.images, ddim.images, atol=1e-3)
    assert result.record["request"]["settings"]["solver"] == "dpm-solver++"


def test_engines_of_one_checkpoint_do_not_share_a_network(tiny_folder):
    """Once an engine in bf16 turned the module of an fp32 engine beside it into bf16, which went on saying fp32."""
    request = Request((1, 2), settings())
    alone = Engine.open(tiny_folder, "cpu").sample(request)
    checkpoint = Engine.open(tiny_folder, "cpu").checkpoint
    full = Engine(checkpoint, "cpu", "fp32")
    half = Engine(checkpoint, "cpu", "bf16")
    assert torch.equal(full.sample(request).images, alone.images)
    assert not torch.equal(half.sample(request).images, alone.images)
    assert full.sample(request).record["timing"]["precision"] == "fp32"


def test_the_timing_names_the_backend(engine):
    assert engine.sample(Request((1,), settings())).timing.backend == "torch"


def test_an_unknown_backend_is_refused(tiny_folder):
    with pytest.raises(RequestError, match="backend must be auto"):
        Engine.open(tiny_folder, "cpu", backend="tpu")


@pytest.mark.parametrize("kind", ["tensor", "float64 array", "read-only array"])
def test_latents_may_be_a_tensor_or_an_array(engine, kind):
    request = Request((1, 2), settings())
    x_T = engine.x_T(request)
    given = {"tensor": x_T, "float64 array": x_T.numpy().astype(np.float64), "read-only array": x_T.numpy().copy()}[
        kind
    ]
    if kind == "read-only array":
        given.setflags(write=False)
    assert torch.equal(engine.sample(request, x_T=given).images, engine.sample(request).images)


@pytest.mark.parametrize("given", [np.array([["a"]]), [[1.0]], "x_T.npy", torch.ones(2, 3, 8, 8, dtype=torch.bool)])
def test_latents_of_another_kind_are_refused_in_one_sentence(engine, given):
    with pytest.raises(RequestError, match="give a float tensor or a NumPy array"):
        engine.sample(Request((1, 2), settings()), x_T=given)


def test_pictures_to_encode_may_be_an_array(engine):
    images = engine.sample(Request((1, 2), settings(steps=20))).images.clamp(-1, 1)
    same = [engine.encode(x, settings(clip=False)).x_T for x in (images, images.numpy())]
    assert torch.equal(*same)
    with pytest.raises(RequestError, match="give a float tensor"):
        engine.encode([1, 2], settings())
    with pytest.raises(RequestError, match="solver ddim"):
        engine.encode(images, settings(solver="dpm-solver++"))
