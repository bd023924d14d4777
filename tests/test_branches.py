"""Several ways down from one x_t: the exact posterior, one trunk, noise keyed by seed, branch and t."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from test_sampler_gaussian import ALPHA_BAR, MU, S_DATA, exact_eps

from core import Branches, Engine, Request, RequestError, SamplerSettings, noise, walk
from core.backends.placed import PlacedNetwork
from core.branches import spread
from core.record import request_of

SHAPE = (3, 8, 8)
PINNED = [
    "0x1.aba96a0000000p-1",
    "0x1.c09e440000000p-1",
    "0x1.574a820000000p+0",
]  # by branch 0 of seed 0 at t = 0: published records rely on it
LIST = SamplerSettings(timesteps=(900, 700, 500, 300, 100, 0))


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture(scope="module")
def exact(tiny_folder):
    """An engine whose network knows the data: every pixel N(0.3, 0.5²)."""
    opened = Engine.open(tiny_folder, "cpu")
    defaults = dataclasses.replace(opened.checkpoint.defaults, prediction_type="epsilon")
    opened.checkpoint = dataclasses.replace(opened.checkpoint, defaults=defaults)
    opened.placed = PlacedNetwork(exact_eps, "torch", torch.device("cpu"), "fp32")
    return opened


def branched(at=500, count=4, eta=1.0, seed=4, settings=LIST, **options):
    return Request((seed,), settings, branches=Branches(at, count, eta), **options)


def posterior(x_t, t):
    """(mean, std) of q(x_0 | x_t) for data N(μ, s²): precisions 1/s² and ᾱ/(1 − ᾱ) add up."""
    a = float(ALPHA_BAR[t + 1])
    variance = 1 / (1 / S_DATA**2 + a / (1 - a))
    return variance * (MU / S_DATA**2 + math.sqrt(a) * x_t / (1 - a)), math.sqrt(variance)


@pytest.mark.parametrize("t", [800, 400, 150])
def test_with_every_step_and_eta_1_the_branches_are_the_posterior(exact, t):
    """The chain is linear, so that noise of one pixel gives its mean and spread without any sampling. A step adds the
    spread of q(x_n' | x_n, x_0), without what is not known of x_0: 1.4 % are missing where few steps are left."""
    plan = exact.plan(branched(t, settings=SamplerSettings(1000)))[-t - 1 :]
    sources = torch.eye(len(plan), dtype=torch.float64)[:, None, None, None, :]  # step × one pixel a source
    nothing = torch.zeros(1, dtype=torch.float64)
    for x in (-1.5, 0.0, 2.0):
        x_t = torch.full((1, 1, 1, len(plan)), x, dtype=torch.float64)
        *_, still = walk(exact_eps, x_t, plan, lambda t: nothing)
        *_, moved = walk(exact_eps, x_t, plan, lambda s: sources[t - s])
        mean, std = posterior(x, t)
        assert float(still.x_next[0, 0, 0, 0]) == pytest.approx(mean, abs=0.004)
        assert float((moved.x_next - still.x_next).norm()) == pytest.approx(std, rel=0.015)


@pytest.mark.parametrize("t", [700, 250])
def test_drawn_by_the_engine_they_scatter_about_the_posterior_mean(exact, t):
    count, x_t = 64, torch.randn(1, *SHAPE, generator=torch.Generator().manual_seed(t))
    request = branched(t, count, settings=SamplerSettings(1000, clip=False), start=t)
    images = exact.sample(request, x_t).images.double()
    mean, std = posterior(x_t.double(), t)
    z = ((images - mean) / std).flatten()
    n = z.numel()  # five standard errors, beside what a thousand steps leave of the closed form
    assert float(z.mean()) == pytest.approx(0, abs=5 * n**-0.5 + 0.01)
    assert float(z.std()) == pytest.approx(1, abs=5 * (2 * n) ** -0.5 + 0.01)
    assert float((z * x_t.expand_as(images).flatten()).mean()) == pytest.approx(0, abs=5 * n**-0.5 + 0.01)
    assert spread(images / 3) == pytest.approx(math.sqrt(2) * std / 6, rel=0.05)


def test_the_lower_they_part_the_less_they_differ(exact, engine):
    settings = SamplerSettings(50, clip=False)
    for opened in (exact, engine):
        apart = [spread(opened.sample(branched(t, 8, settings=settings)).images) for t in (980, 700, 400, 200, 20, 0)]
        assert apart == sorted(apart, reverse=True)
        assert apart[0] > 1.2 * apart[3] > 3 * apart[4] > 0
        assert apart[-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("at", [900, 500, 0])
def test_at_eta_0_all_branches_are_the_run_that_does_not_part(engine, at):
    images = engine.sample(branched(at, eta=0.0)).images
    plain = engine.sample(Request((4,), LIST)).images
    assert torch.allclose(images, plain.expand(4, -1, -1, -1), rtol=0, atol=1e-5)
    assert spread(images) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("trunk_eta", [0.0, 1.0])
def test_the_trunk_is_the_plain_run_and_each_branch_a_walk_from_its_x_t(engine, trunk_eta):
    settings = dataclasses.replace(LIST, eta=trunk_eta)
    request = branched(500, 3, 0.7, settings=settings)
    steps = list(engine.run(request))
    plain = list(engine.run(Request((4,), settings)))
    assert [step.t for step in steps] == [step.t for step in plain]
    assert [step.index for step in steps] == list(range(6))
    for step, alone in zip(steps[:2], plain[:2], strict=True):
        assert torch.equal(step.x_t, alone.x_t.expand(3, -1, -1, -1))
        assert torch.equal(step.x0_hat, alone.x0_hat.expand(3, -1, -1, -1))
    x_t = plain[2].x_t.expand(3, -1, -1, -1)
    assert torch.equal(steps[2].x_t, x_t)
    tail = engine.plan(Request((4,), dataclasses.replace(LIST, eta=0.7)))[2:]
    by_hand = walk(
        engine.network, x_t, tail, lambda t: noise.branch_noise(4, range(3), t, SHAPE), "v_prediction", 1.0
    )  # fmt: skip
    *_, end = by_hand
    assert torch.allclose(engine.sample(request).images, end.x_next, rtol=0, atol=1e-5)


def test_a_branch_is_the_same_alone_and_among_others(engine):
    """Bit for bit where the network sees batches of one size; another size rounds the last bits otherwise."""
    few, many = (engine.sample(branched(count=count), max_batch=1).images for count in (2, 5))
    assert torch.equal(few, many[:2])
    together = engine.run(branched(count=5))
    assert torch.allclose(together.result().images, many, rtol=0, atol=1e-5)
    assert torch.pdist(many.flatten(1)).min() > 0.05
    assert (together.evaluations, together.timing.evaluations, together.timing.batch) == (6, 6, 5)
    cut = engine.run(branched(count=5), max_batch=2)
    assert len(list(cut)) == cut.evaluations == cut.timing.evaluations == 2 + 3 * 4
    assert torch.allclose(cut.images, many, rtol=0, atol=1e-5)


def test_the_noise_of_branches_is_keyed_by_seed_branch_and_t():
    drawn = noise.branch_noise(4, (0, 1, 7), 500, SHAPE)
    assert torch.equal(noise.branch_noise(4, (7,), 500, SHAPE)[0], drawn[2])
    others = [
        noise.branch_noise(5, (0,), 500, SHAPE), noise.branch_noise(4, (0,), 499, SHAPE), noise.latents([4], SHAPE),
        noise.step_noise([4], 500, SHAPE), noise.branch_noise(4 + (501 << 32), (0,), 499, SHAPE),
    ]  # fmt: skip
    assert torch.pdist(torch.cat([drawn, *others]).flatten(1)).min() > 1
    many = noise.branch_noise(4, range(64), 9, (1, 64, 64)).double()
    n = many.numel()
    assert abs(float(many.mean())) < 5 * n**-0.5
    assert abs(float(many.var()) - 1) < 5 * (2 / n) ** 0.5
    pinned = noise.branch_noise(0, (0,), 0, (1, 1, 3)).flatten()
    assert [float(v).hex() for v in pinned] == PINNED


def test_a_run_can_start_in_the_middle_from_where_another_stopped(engine):
    settings = dataclasses.replace(LIST, eta=0.6)
    request = Request((4, 9), settings)
    x_t = next(step.x_t for step in engine.run(request) if step.t == 500)
    rest = engine.run(dataclasses.replace(request, start=500), x_t)
    assert [step.t for step in rest] == [500, 300, 100, 0]
    assert torch.equal(rest.images, engine.sample(request).images)
    second_order = dataclasses.replace(LIST, solver="dpm-solver++")  # it remembers nothing of what was before
    began = list(engine.run(Request((4, 9), second_order, start=500), x_t))
    ddim = list(engine.run(Request((4, 9), LIST, start=500), x_t))
    assert torch.allclose(began[0].x_next, ddim[0].x_next, rtol=0, atol=1e-5)
    assert not torch.allclose(began[-1].x_next, ddim[-1].x_next, rtol=0, atol=1e-3)


def test_branches_from_a_given_x_t_are_those_of_the_run_it_comes_from(engine):
    x_t = next(step.x_t for step in engine.run(Request((4,), LIST)) if step.t == 500)
    whole, given = engine.sample(branched(300)), engine.sample(branched(300, start=500), x_t)
    assert torch.equal(whole.images, given.images)
    assert whole.record["latents_sha256"] is None
    assert given.record["latents_sha256"] is not None


def test_a_picture_encoded_up_to_t_comes_back_from_there(engine):
    settings = SamplerSettings(50, clip=False)
    pictures = engine.sample(Request((1, 2), SamplerSettings(50))).images
    for t in (200, 600):
        x_t = engine.encode(pictures, settings, refine=4, until=t).x_T
        again = engine.sample(Request((0, 1), settings, start=t), x_t).images
        assert float((again - pictures).square().mean()) < 1e-4
    to_the_top = engine.encode(pictures, settings, until=980).x_T
    assert torch.equal(to_the_top, engine.encode(pictures, settings).x_T)


def test_a_film_shows_the_trunk_and_then_the_branches(engine):
    run = engine.run(branched(500, 3), film=True)
    run.result()
    frames = run.film.frames
    assert [frame.t for frame in frames] == [900, 700, 500, 300, 100, 0, -1]
    alike = [np.array_equal(frame.x0_hat[0], frame.x0_hat[1]) for frame in frames]
    assert alike == [True, True, True, False, False, False, False]


def test_the_record_repeats_them(engine):
    result = engine.sample(branched(eta=0.4, settings=dataclasses.replace(LIST, eta=0.2)))
    assert result.record["request"]["branches"] == {"at": 500, "count": 4, "eta": 0.4}
    again = request_of(result.record)
    assert again.branches == Branches(500, 4, 0.4)
    assert torch.equal(engine.sample(again).images, result.images)


def test_how_much_they_differ_is_the_root_mean_square_over_all_pairs():
    images = torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)
    pairs = [((images[i] - images[j]) / 2).square().mean() for i in range(5) for j in range(i)]
    assert spread(images) == pytest.approx(math.sqrt(float(torch.stack(pairs).mean())))
    assert spread(images[:1]) == 0
    assert spread(torch.tensor([-9.0, 9.0]).view(2, 1, 1, 1)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Branches(-1), "Branches begin at a t of the step list, a whole number of at least 0, not -1."),
        (lambda: Branches(1.0), "Branches begin at a t of the step list, a whole number of at least 0, not 1.0."),
        (lambda: Branches(1, 0), "The number of branches must be a whole number of at least 1, not 0."),
        (lambda: Branches(1, 2, 1.5), "The eta of branches must lie between 0 (all alike) and 1 (DDPM), not 1.5."),
        (lambda: Request(branches=500), "branches must be Branches or None, not 500."),
        (lambda: Request((1, 2), branches=Branches(1)), "Branches come down from one latent: give one seed, not 2."),
        (lambda: Request((1, 2), frames=3, branches=Branches(1)),
         "Branches come down from one latent: leave out frames, sheet and place."),
        (lambda: Request(start=-1), "A run starts at a t of its step list, a whole number of at least 0, not -1."),
        (lambda: branched(500, start=300),
         "The run starts at t = 300, below its branches: let them begin there or lower."),
        (lambda: branched(settings=SamplerSettings(solver="dpm-solver++")),
         "Branches part by the noise that DDIM adds: take the solver ddim."),
        (lambda: branched(settings=SamplerSettings(sigma_hat=True)),
         "Branches have an eta of their own, without sigma_hat: leave it out."),
    ],
)  # fmt: skip
def test_what_makes_no_branches_is_refused(make, said):
    with pytest.raises(RequestError) as error:
        make()
    assert str(error.value) == said


def test_a_request_with_branches_is_a_value_like_any():
    request = branched()
    assert hash(request) == hash(branched())
    assert (request.count, request.noise_seeds(), request.between) == (4, (4,), False)


@pytest.mark.parametrize(
    ("request_", "x_T", "said"),
    [
        (branched(600), None, "The run does not pass t = 600: take 700 or 500, or steps that it is one of."),
        (branched(950), None, "The run does not pass t = 950: take 900, or steps that it is one of."),
        (branched(100, start=600), (1, *SHAPE), "The run does not pass t = 600: take 700 or 500, or steps"),
        (branched(start=700), None, "A run that starts at t = 700 needs the latents there: give x_T."),
        (branched(), (4, *SHAPE), "The latents are (4, 3, 8, 8); this request needs (1, 3, 8, 8)."),
    ],
)
def test_a_t_that_the_run_does_not_pass_is_refused_before_anything_runs(engine, request_, x_T, said):
    with pytest.raises(RequestError) as error:
        engine.run(request_, None if x_T is None else torch.zeros(x_T))
    assert str(error.value).startswith(said)


def test_encoding_up_to_a_t_that_is_no_step_is_refused(engine):
    with pytest.raises(RequestError, match="does not pass t = 600: take 700 or 500"):
        engine.encode(torch.zeros(1, *SHAPE), LIST, until=600)
