"""The error at single noise levels: closed forms for networks whose answer is known, and the trainer's own loss."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from evaluate_small import make_files, make_setup
from test_train_loop import SETTINGS

from core import NoiseSchedule
from core.evaluate import denoising
from core.evaluate.cells import SNRS, cells
from core.evaluate.denoising import Level, errors, levels
from core.evaluate.parts import load
from core.evaluate.tables import denoising_table
from core.noise import latents
from core.pixels import from_pixels
from core.train.loop import Trainer


@pytest.fixture(scope="module")
def files(tmp_path_factory, tiny_config):
    return make_files(tmp_path_factory.mktemp("denoising"), tiny_config)


def finished(setup, n):
    (cell,) = cells(["denoising"], setup.engine.T, n, 4)
    for part in denoising.parts(setup, cell):
        ticks = []
        part.finish(ticks.append)
        assert sum(ticks) == part.evaluations
    return cell, denoising.figures(setup, cell)


def test_levels_are_the_nearest_to_each_ratio_and_a_short_schedule_has_each_once():
    schedule = NoiseSchedule()
    found = levels(schedule)
    assert len(found) == len(SNRS)
    assert [at.t for at in found] == sorted(at.t for at in found)
    for at, snr in zip(found, SNRS, strict=True):
        assert at.signal**2 == pytest.approx(schedule.alpha_bar[at.t + 1])
        assert at.signal**2 + at.spread**2 == pytest.approx(1)
        assert at.snr == pytest.approx(snr, rel=0.15)  # t is a whole number
        neighbours = schedule.alpha_bar[[max(1, at.t), min(1000, at.t + 2)]]
        off = np.abs(np.log(neighbours / (1 - neighbours)) - np.log(snr))
        assert (off >= abs(np.log(at.snr / snr)) - 1e-9).all()
    few = [at.t for at in levels(NoiseSchedule(num_train_timesteps=4, beta_start=0.1, beta_end=0.9))]
    assert len(few) == len(set(few)) < len(SNRS)


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_a_network_that_answers_zero_has_the_error_of_its_target(kind):
    """‖v − v̂‖² is ‖ε − ε̂‖² / ᾱ and (SNR + 1) ‖x_0 − x̂_0‖², so with an answer of zero it is the target's own size."""
    rng = torch.Generator().manual_seed(0)
    x_0, eps = torch.rand(3, 1, 8, 8, generator=rng) * 2 - 1, torch.randn(3, 1, 8, 8, generator=rng)
    a = 0.3
    at = Level(500, a**0.5, (1 - a) ** 0.5)
    asked = []

    def network(x_t, t):
        asked.append((x_t, t))
        return torch.zeros_like(x_t)

    placed = SimpleNamespace(network=network, to_device=lambda x: x)
    engine = SimpleNamespace(placed=placed, checkpoint=SimpleNamespace(defaults=SimpleNamespace(prediction_type=kind)))
    v = a**0.5 * eps - (1 - a) ** 0.5 * x_0
    wanted = {"epsilon": eps.square() / a, "sample": x_0.square() / (1 - a), "v_prediction": v.square()}[kind]
    assert errors(engine, x_0, eps, at).tolist() == pytest.approx(wanted.mean(dim=(1, 2, 3)).tolist(), rel=1e-5)
    ((x_t, t),) = asked
    assert t == 500
    assert torch.allclose(x_t, a**0.5 * x_0 + (1 - a) ** 0.5 * eps, atol=1e-6)


def test_it_is_the_trainers_loss_at_one_noise_level(files, tmp_path):
    setup = make_setup(files, tmp_path)
    _, found = finished(setup, 12)
    checkpoint = setup.engine.checkpoint
    trainer = Trainer(checkpoint.config, checkpoint.schedule, setup.training, replace(SETTINGS, prediction="v"))
    trainer.start_from(checkpoint)
    trainer.network.eval()
    eps = latents(setup.seeds(range(12)), checkpoint.shape)
    assert len(found["rows"]) == len(levels(checkpoint.schedule)) > 3
    for row in found["rows"]:
        for which in ("training", "held_out"):
            x_0 = from_pixels(getattr(setup, which)[:12])
            with torch.no_grad():
                loss, _ = trainer.loss(x_0, torch.full((12,), row["t"]), eps)
            assert row[which] == pytest.approx(float(loss), rel=1e-4)


def test_the_figures_do_not_depend_on_batches_and_parts_and_say_how_sure_they_are(files, tmp_path):
    one = make_setup(files, tmp_path / "one", batch=4, chunk=6)
    other = make_setup(files, tmp_path / "other", batch=5, chunk=100)
    (cell, a), (_, b) = finished(one, 13), finished(other, 13)
    assert (a["n"], len(denoising.parts(one, cell)), len(denoising.parts(other, cell))) == (13, 3, 1)
    for mine, theirs in zip(a["rows"], b["rows"], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4)
    every = load(denoising.parts(one, cell), "held_out")
    assert every.shape == (13, len(a["rows"]))
    assert a["rows"][0]["held_out_spread"] == pytest.approx(np.std(every[:, 0], ddof=1) / 13**0.5)
    assert one.conditions(cell) == {
        "n": 13, "precision": "fp32", "seeds_from": 100_000, "data_sha256": one.digests[0],
        "held_out_sha256": one.digests[1],
    }  # fmt: skip


def test_the_table_says_how_far_the_guess_of_the_picture_is_off():
    row = {"t": 400, "snr": 3.0, "held_out": 0.16, "held_out_spread": 0.01, "training": 0.15, "training_spread": 0.02}
    page = denoising_table({"cells": {"denoising/levels": {"figures": {"n": 5, "rows": [row]}}}})
    assert "| 400 | 3 | 0.160 ± 0.010 | 0.150 ± 0.020 | 0.1 |" in page  # √(0.16 / (3 + 1)) / 2: [−1, 1] is two wide
    assert "not run" in denoising_table({"cells": {}})
