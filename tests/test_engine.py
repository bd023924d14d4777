"""From a request to pictures: seeds, batches, latents, precision and the record."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
import torch

from core import Engine, NetworkError, Request, RequestError, SamplerSettings, noise, walk
from core.latents import strip
from core.record import request_of

ETAS = [0.0, 1.0]


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def settings(**options):
    return SamplerSettings(**{"steps": 6, **options})


@pytest.mark.parametrize("eta", ETAS)
def test_a_seed_gives_the_same_picture_alone_and_in_a_batch(engine, eta):
    together = engine.sample(Request((4, 9, 2), settings(eta=eta))).images
    for i, seed in enumerate((4, 9, 2)):
        alone = engine.sample(Request((seed,), settings(eta=eta))).images
        assert torch.allclose(together[i : i + 1], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("eta", ETAS)
def test_different_seeds_give_different_pictures_within_the_clip_range(engine, eta):
    images = engine.sample(Request((4, 9, 2), settings(eta=eta))).images
    assert torch.pdist(images.flatten(1)).min() > 0.1
    assert float((images.abs() < 1).float().mean()) > 0.2  # not all saturated, so comparing them means something
    assert float(images.abs().max()) <= 1


def test_every_eta_starts_from_the_same_x_T(engine):
    starts = [next(engine.run(Request((4, 9), settings(eta=eta)))).x_t for eta in (0.0, 0.5, 1.0)]
    for start in starts:
        assert torch.equal(start, noise.latents((4, 9), (3, 8, 8)))


def test_sample_is_the_last_step_of_the_sampler_with_the_seeds_noise(engine):
    request = Request((4, 9), settings(eta=1.0))
    steps = list(
        walk(
            engine.network, noise.latents((4, 9), (3, 8, 8)), engine.plan(request),
            lambda t: noise.step_noise((4, 9), t, (3, 8, 8)), prediction_type="v_prediction", clip_range=1.0,
        )
    )  # fmt: skip
    assert torch.allclose(engine.sample(request).images, steps[-1].x_next, rtol=0, atol=1e-6)


def test_run_yields_the_steps_that_sample_takes(engine):
    request = Request((4, 9), settings(eta=0.5))
    steps = list(engine.run(request))
    assert [s.t for s in steps] == [c.t for c in engine.plan(request)]
    assert torch.allclose(engine.sample(request).images, steps[-1].x_next, rtol=0, atol=1e-6)


@pytest.mark.parametrize("request_", [
    Request((1, 2, 3, 4, 5), settings(eta=1.0)),
    Request((1, 2), settings(eta=1.0), frames=5),
    Request((1, 2), settings(eta=0.0), frames=5, loop=True),
])  # fmt: skip
@pytest.mark.parametrize("max_batch", [1, 2, 5])
def test_cutting_a_request_into_batches_gives_the_same_pictures(engine, request_, max_batch):
    whole, cut = engine.sample(request_), engine.sample(request_, max_batch=max_batch)
    assert torch.allclose(whole.images, cut.images, rtol=0, atol=1e-5)
    assert cut.timing.evaluations == 6 * -(-5 // max_batch)
    assert cut.timing.batch == max_batch


def test_progress_counts_every_evaluation_of_every_batch(engine):
    seen = []
    engine.sample(Request((1, 2, 3), settings()), max_batch=2, on_step=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 12) for i in range(1, 13)]


def test_the_same_request_twice_is_bit_equal(engine):
    request = Request((1, 2), settings(eta=0.7))
    assert torch.equal(engine.sample(request).images, engine.sample(request).images)


def test_images_are_unrounded_float32_on_the_cpu(engine):
    images = engine.sample(Request((1,), settings())).images
    assert (images.dtype, images.device.type, tuple(images.shape)) == (torch.float32, "cpu", (1, 3, 8, 8))
    assert images.is_contiguous()
    levels = (images + 1) * 127.5
    assert float((levels - levels.round()).abs().max()) > 0.01


def test_an_interpolation_ends_on_the_pictures_of_its_seeds(engine):
    images = engine.interpolate(Request((3, 8), settings(), frames=5)).images
    ends = engine.sample(Request((3, 8), settings())).images
    assert images.shape == (5, 3, 8, 8)
    assert torch.allclose(images[[0, -1]], ends, rtol=0, atol=1e-5)


def test_all_frames_of_a_noisy_interpolation_share_the_first_seeds_noise(engine):
    request = Request((3, 8), settings(eta=1.0), frames=4)
    x_T = strip(noise.latents((3, 8), (3, 8, 8)), 4)
    shared = list(
        walk(
            engine.network, x_T, engine.plan(request),
            lambda t: noise.step_noise((3, 3, 3, 3), t, (3, 8, 8)), prediction_type="v_prediction", clip_range=1.0,
        )
    )  # fmt: skip
    assert torch.allclose(engine.interpolate(request).images, shared[-1].x_next, rtol=0, atol=1e-5)


def test_interpolating_without_frames_is_refused(engine):
    with pytest.raises(RequestError, match="frames"):
        engine.interpolate(Request((3, 8), settings()))


@pytest.mark.parametrize("eta", ETAS)
def test_given_latents_replace_the_seeds_own_and_the_added_noise_stays_the_seeds(engine, eta):
    seeds = Request((1, 2), settings(eta=eta))
    given = engine.x_T(seeds)
    assert torch.equal(engine.sample(seeds, x_T=given).images, engine.sample(seeds).images)
    other = engine.sample(seeds, x_T=given.flip(0)).images
    assert not torch.allclose(other, engine.sample(seeds).images, atol=1e-2)


def test_given_latents_are_identified_in_the_record(engine):
    request = Request((1, 2), settings())
    x_T = engine.x_T(Request((7, 8)))
    recorded = engine.sample(request, x_T=x_T).record["latents_sha256"]
    assert recorded == hashlib.sha256(x_T.numpy().tobytes()).hexdigest()
    assert engine.sample(request).record["latents_sha256"] is None


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 1, 8, 8), (2, 3, 8, 4), (3, 8, 8)])
def test_latents_of_another_shape_are_refused_before_anything_runs(engine, shape):
    with pytest.raises(RequestError, match=r"needs \(2, 3, 8, 8\)"):
        engine.run(Request((1, 2), settings()), torch.zeros(shape))


def test_latents_with_nan_are_refused(engine):
    x_T = torch.zeros(1, 3, 8, 8)
    x_T[0, 0, 0, 0] = torch.nan
    with pytest.raises(RequestError, match="NaN"):
        engine.sample(Request((1,), settings()), x_T)


@pytest.mark.parametrize("bad", [{"steps": 1001}, {"timesteps": (1000, 0)}, {"timesteps": (5, 6)}])
def test_a_request_beyond_the_checkpoint_is_refused_before_anything_runs(engine, bad):
    with pytest.raises(RequestError):
        engine.run(Request((1,), settings(**bad)))


def test_clipping_follows_the_checkpoint_unless_told(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    config = json.loads((folder / "scheduler_config.json").read_text())
    for clip_sample, asked, want in (
        (True, None, 0.5), (True, True, 0.5), (True, False, None), (False, None, None), (False, True, 1.0),
    ):  # fmt: skip
        config.update(clip_sample=clip_sample, clip_sample_range=0.5)
        (folder / "scheduler_config.json").write_text(json.dumps(config))
        opened = Engine.open(folder, "cpu")
        result = opened.sample(Request((1,), settings(clip=asked)))
        assert opened.clip_range(Request((1,), settings(clip=asked))) == want
        assert float(result.images.abs().max()) <= (want or 1e9)
        assert result.record["request"]["settings"]["clip"] == (want is not None)


def test_the_checkpoints_spacing_is_used_and_recorded_when_none_is_asked(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    config = json.loads((folder / "scheduler_config.json").read_text())
    (folder / "scheduler_config.json").write_text(json.dumps({**config, "timestep_spacing": "trailing"}))
    opened = Engine.open(folder, "cpu")
    assert opened.plan(Request((1,), settings()))[0].t == 999
    assert opened.sample(Request((1,), settings())).record["request"]["settings"]["spacing"] == "trailing"


def test_the_record_says_all_that_is_needed_to_repeat_the_run(engine):
    request = Request((5, 1), settings(eta=0.3, spacing="quadratic"))
    result = engine.sample(request)
    record = json.loads(json.dumps(result.record))
    assert record["checkpoint"] == {"name": "tiny", "sha256": engine.checkpoint.sha256}
    assert request_of(record) == replace(request, settings=replace(request.settings, clip=True))
    assert record["versions"]["torch"] == torch.__version__
    assert record["timing"] == result.timing.as_dict()
    assert torch.equal(engine.sample(request_of(record)).images, result.images)


def test_timing_adds_up(engine):
    timing = engine.sample(Request((1, 2, 3), settings())).timing
    assert timing.evaluations == 6
    assert 0 < timing.network_s <= timing.total_s
    assert timing.ms_per_evaluation == pytest.approx(1000 * timing.network_s / 6)
    assert timing.images_per_s == pytest.approx(3 / timing.total_s)
    assert (timing.device, timing.threads, timing.batch) == ("cpu", torch.get_num_threads(), 3)


def test_a_new_batch_size_is_warmed_up_once_and_not_counted(tiny_folder):
    opened = Engine.open(tiny_folder, "cpu")
    calls = []
    opened.network.register_forward_hook(lambda *args: calls.append(len(args[1][0])))
    for want in (7, 6):  # one more the first time
        calls.clear()
        result = opened.sample(Request((1, 2), settings()))
        assert calls == [2] * want
        assert result.timing.evaluations == 6


def test_closing_a_run_stops_the_network(tiny_folder):
    opened = Engine.open(tiny_folder, "cpu")
    opened.warm_up(1)
    calls = []
    opened.network.register_forward_hook(lambda *_: calls.append(1))
    run = opened.run(Request((1,), settings(steps=50)))
    next(run), next(run), next(run)
    run.close()
    assert list(run) == []
    assert len(calls) == 3


def test_two_runs_at_once_do_not_disturb_each_other(engine):
    a, b = Request((1,), settings(eta=1.0)), Request((2,), settings(eta=0.0, spacing="trailing"))
    apart = [list(engine.run(r))[-1].x_next for r in (a, b)]
    *_, (last_a, last_b) = zip(engine.run(a), engine.run(b), strict=True)
    assert torch.equal(last_a.x_next, apart[0])
    assert torch.equal(last_b.x_next, apart[1])


def test_sampling_leaves_the_global_generator_alone(engine):
    state = torch.get_rng_state()
    engine.sample(Request((1,), settings(eta=1.0)))
    assert torch.equal(state, torch.get_rng_state())


def test_a_network_gone_wrong_is_an_error_not_a_picture(tiny_folder):
    opened = Engine.open(tiny_folder, "cpu")
    opened.network.conv_out.bias.fill_(torch.nan)
    with pytest.raises(NetworkError, match="NaN"):
        opened.sample(Request((1,), settings()))


def test_precision_auto_is_fp32_and_recorded_so(engine):
    assert engine.precision == "fp32"
    assert engine.sample(Request((1,), settings())).record["timing"]["precision"] == "fp32"


def test_bf16_is_near_fp32_and_recorded_so(engine, tiny_folder):
    request = Request((1, 2), settings())
    half = Engine.open(tiny_folder, "cpu", "bf16").sample(request)
    full = engine.sample(request).images
    assert half.record["timing"]["precision"] == "bf16"
    assert half.images.dtype == torch.float32
    error = float((half.images - full).square().mean().sqrt())
    assert 0 < error < 0.05


def test_a_batch_of_none_is_refused(engine):
    with pytest.raises(RequestError, match="max_batch"):
        engine.sample(Request((1,), settings()), max_batch=0)
