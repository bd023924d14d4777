"""Inversion: undone by sampling, against exact flows; refinement helps where it contracts and harms nowhere."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from test_sampler_gaussian import ALPHA_BAR, MU, ORACLES, S_DATA, plan_of

from core import Engine, NetworkError, Request, RequestError, SamplerSettings, walk
from core.__main__ import main
from core.inversion import inverting, run_through, step_up
from core.sampler import ddim_step


def data(n=4):
    return MU + S_DATA * torch.randn(n, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def invert(*given, **more):
    return run_through(inverting(*given, **more))


def decoded(network, x_T, plan, kind="epsilon"):
    *_, last = walk(network, x_T, plan, lambda t: None, kind)
    return last.x_next


def two_modes(at, std):
    """Exact ε of data at ±``at``, each mode with std ``std``: a network whose answer bends."""

    def eps(x, t):
        a = float(ALPHA_BAR[t + 1])
        variance = a * std**2 + 1 - a
        mean = at * math.sqrt(a) * torch.tanh(at * math.sqrt(a) * x / variance)
        return math.sqrt(1 - a) * (x - mean) / variance

    return eps


SHARP, SOFT = two_modes(0.8, 0.15), two_modes(0.5, 0.35)


def mse(a, b):
    return float((a - b).square().mean())


@pytest.mark.parametrize("kind", ORACLES)
def test_a_step_up_undoes_a_step_down(kind):
    for c in plan_of(10, "0"):
        x = data()
        eps = ORACLES["epsilon"](x, c.t)
        below, _ = ddim_step(x, ORACLES[kind](x, c.t), c, None, kind)
        assert torch.allclose(step_up(below, eps, c), x, atol=1e-9)


@pytest.mark.parametrize("kind", ORACLES)
def test_refined_to_the_end_it_is_undone_exactly(kind):
    plan = plan_of(50, "0")
    found = invert(ORACLES[kind], data(), plan, kind, refine=60)
    assert mse(decoded(ORACLES[kind], found.x_T, plan, kind), data()) < 1e-20


def test_plain_inversion_gains_with_the_number_of_steps():
    errors = []
    for S in (10, 50, 250):
        plan = plan_of(S, "0")
        errors.append(mse(decoded(SHARP, invert(SHARP, data(), plan).x_T, plan), data()))
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_the_latent_of_data_under_the_exact_flow_is_the_closed_form():
    """For N(μ, s²) the ODE maps x_0 to (x_0 − μ)/s · √(ᾱ s² + 1 − ᾱ) + √ᾱ μ; S = T leaves first-order error only."""
    plan = plan_of(1000, "0")
    a = float(ALPHA_BAR[-1])
    exact = (data() - MU) / S_DATA * math.sqrt(a * S_DATA**2 + 1 - a) + math.sqrt(a) * MU
    found = invert(ORACLES["epsilon"], data(), plan).x_T
    assert mse(found, exact) < 3e-5


def test_refinement_removes_most_of_the_error_where_it_contracts():
    plan = plan_of(50, "0")
    plain, refined = (invert(SOFT, data(64), plan, refine=k) for k in (0, 3))
    assert (plain.evaluations, refined.evaluations) == (50, 200)
    errors = [mse(decoded(SOFT, f.x_T, plan), data(64)) for f in (plain, refined)]
    assert errors[1] < errors[0] / 20


@pytest.mark.parametrize("S", [5, 10, 15, 20, 30, 50])
def test_where_it_does_not_contract_refinement_does_little_harm(S):
    """Between sharp modes the map is steep: unguarded, the error at S = 30 grows from 0.033 to 0.13."""
    plan = plan_of(S, "0")
    plain, refined = (invert(SHARP, data(64), plan, refine=k) for k in (0, 8))
    errors = [mse(decoded(SHARP, f.x_T, plan), data(64)) for f in (plain, refined)]
    assert errors[1] <= errors[0] * 1.25
    assert refined.held_back > 0.01


def test_a_picture_that_does_not_contract_does_not_hold_up_the_others():
    def stiff(x, t):  # the second picture's answer runs away, the first one's is mild
        gain = torch.tensor([0.2, 80.0], dtype=x.dtype).view(2, 1, 1, 1)
        return torch.sin(gain * x)

    plan = plan_of(20, "0")
    alone = invert(lambda x, t: torch.sin(0.2 * x), data(1), plan, refine=5)
    both = invert(stiff, torch.cat([data(1), data(1)]), plan, refine=5)
    assert torch.allclose(both.x_T[:1], alone.x_T, atol=1e-12)
    assert 0 < both.held_back <= 1
    assert bool(torch.isfinite(both.x_T).all())


def test_noise_cannot_be_inverted_and_nan_is_said():
    with pytest.raises(RequestError, match="Only η = 0"):
        invert(SHARP, data(), plan_of(10, "0.5"))
    with pytest.raises(RequestError, match="refine"):
        invert(SHARP, data(), plan_of(10, "0"), refine=-1)
    with pytest.raises(NetworkError, match="NaN"):
        invert(lambda x, t: x * math.nan, data(), plan_of(10, "0"))


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def test_the_engine_encodes_in_batches_as_at_once(engine):
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(3)) * 2 - 1
    settings, calls = SamplerSettings(20, clip=False), []
    once = engine.encode(images, settings, refine=2)
    parts = engine.encode(images, settings, refine=2, max_batch=2, on_step=lambda *at: calls.append(at))
    assert torch.allclose(once.x_T, parts.x_T, atol=1e-4)
    assert calls[-1] == (60, 60)
    back = engine.sample(Request(tuple(range(5)), settings), once.x_T)
    assert mse(back.images, images) < 1e-4


def test_the_engine_refuses_other_shapes(engine):
    for bad in (torch.zeros(2, 1, 8, 8), torch.zeros(3, 8, 8), torch.zeros(0, 3, 8, 8)):
        with pytest.raises(RequestError, match="The images are"):
            engine.encode(bad, SamplerSettings(5))


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


def test_encode_then_sample_from_the_command_line_gives_the_picture_back(tiny_folder, pictures, tmp_path, capsys):
    out, images = tmp_path / "x_T.npy", tmp_path / "back.npy"
    assert main(["encode", str(tiny_folder), *pictures, "--steps", "50", "--refine", "4", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "2 latents" in said
    x_T = np.load(out)
    assert (x_T.shape, x_T.dtype) == ((2, 3, 8, 8), np.float32)
    assert main(["sample", str(tiny_folder), "--latents", str(out), "--seeds", "0,1", "--steps", "50", "--no-clip",
                 "--out", str(images)]) == 0  # fmt: skip
    from core.cli.encode import read_images

    wanted = read_images([tmp_path / "a.png", tmp_path / "b.jpg"], (3, 8, 8)).numpy()
    assert float(np.square(np.load(images) - wanted).mean()) < 1e-4


@pytest.mark.parametrize(
    ("change", "words"),
    [(["--out", "x.png"], ".npy"), (["--batch", "0"], "--batch"), (["--out", "/nowhere/x.npy"], "does not exist"),
     (["--refine", "-1"], "refine"), (["--steps", "0"], "steps")],
)  # fmt: skip
def test_bad_options_are_one_sentence(tiny_folder, pictures, tmp_path, capsys, change, words):
    assert main(["encode", str(tiny_folder), *pictures, "--out", str(tmp_path / "x.npy"), *change]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_picture_is_named(tiny_folder, tmp_path, capsys):
    (tmp_path / "text.png").write_text("no")
    Image.new("RGB", (4, 4)).save(tmp_path / "small.png")
    for name, why in (("text.png", "no readable picture"), ("small.png", "smaller than 8×8")):
        assert main(["encode", str(tiny_folder), str(tmp_path / name), "--out", str(tmp_path / "x.npy")]) == 2
        err = capsys.readouterr().err
        assert name in err
        assert why in err
