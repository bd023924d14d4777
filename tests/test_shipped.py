"""The checkpoints in the repository: whole, light, and the same in diffusers as on our command line."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMPipeline
from PIL import Image

from core.__main__ import main
from core.checkpoint import find_checkpoints, open_checkpoint
from core.evaluate.feature_net import open_feature_net
from core.layouts import training_steps
from demo.page import recorded
from demo.settings import first_settings

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = find_checkpoints(ROOT / "checkpoints")


def test_there_is_a_checkpoint_to_start_with():
    assert "fashion-mnist" in [path.name for path in SHIPPED]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_each_is_light_and_has_a_card_that_names_its_hash(folder):
    assert sum(file.stat().st_size for file in folder.iterdir()) < 30e6
    assert open_checkpoint(folder).sha256 in (folder / "README.md").read_text(encoding="utf-8")


def drawn(shown):
    """The values of a recorded run that have pictures."""
    return [shown["duel"]["a"], shown["duel"]["b"], shown["samples"], shown["strip"]]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_the_run_that_the_page_opens_with_was_recorded_from_these_weights(folder):
    values = drawn(recorded(folder.name))
    assert {value["weights"] for value in values} == {open_checkpoint(folder).sha256[:8]}
    assert {value["checkpoint"] for value in values} == {folder.name}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_the_run_that_the_page_opens_with_is_of_its_first_settings_and_says_that_it_was_recorded(folder):
    shown, page = recorded(folder.name), first_settings(folder.name, training_steps(folder))
    assert set(shown) == {"curve", "duel", "samples", "strip", "hero", "sweep"}
    a, b, samples, strip = drawn(shown)
    assert {(v["steps"], v["eta"], v["spacing"]) for v in (a, samples, strip)} == {(page.steps, page.eta, page.spacing)}
    assert (b["steps"], b["eta"]) == (page.steps_b, page.eta_b)
    assert a["seeds"] == b["seeds"] == [page.seed]
    assert samples["seeds"] == list(range(page.seed, page.seed + page.count))
    assert strip["seeds"] == [page.seed, page.seed_to]
    assert {value["state"] for value in (*drawn(shown), shown["duel"])} == {"recorded"}
    assert all(value["tiles"].startswith("data:image/webp") for value in (samples, strip))
    assert all(value["film"].startswith("data:image/webp") for value in (a, b))
    assert not any(shown[panel]["files"] for panel in ("duel", "samples", "strip"))  # there is no run to make them of


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_the_opening_race_and_the_sweep_are_of_these_weights_and_the_first_seed(folder):
    shown, page = recorded(folder.name), first_settings(folder.name, training_steps(folder))
    weights = open_checkpoint(folder).sha256[:8]
    lanes, sweep = shown["hero"]["lanes"], shown["sweep"]
    assert [(lane["steps"], lane["eta"]) for lane in lanes] == [(lane.steps, lane.eta) for lane in page.lanes]
    for lane in lanes:
        assert (lane["state"], lane["weights"], lane["seeds"]) == ("recorded", weights, [page.seed])
        assert len(lane["t"]) == len(lane["at_s"]) > 4
        assert lane["at_s"] == sorted(lane["at_s"])
    assert lanes[0]["total_s"] < lanes[1]["total_s"] < lanes[2]["total_s"]
    assert (sweep["weights"], sweep["seed"], sweep["checkpoint"]) == (weights, page.seed, folder.name)
    with Image.open(io.BytesIO(base64.b64decode(sweep["tiles"].partition(",")[2]))) as sheet:
        side = open_checkpoint(folder).shape[1]
        assert sheet.size == (len(sweep["steps"]) * side, side)
    assert f";tiles={len(sweep['steps'])}x1;" in sweep["tiles"]
    assert all(f";tiles={len(lane['t'])}x2;" in lane["film"] for lane in lanes)


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
@pytest.mark.parametrize("steps", [5, 20])
def test_diffusers_makes_the_pictures_of_our_command_line(folder, steps, tmp_path):
    shape = open_checkpoint(folder).shape
    x_T = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    np.save(tmp_path / "x_T.npy", x_T.numpy())
    out = tmp_path / "ours.npy"
    arguments = ["sample", str(folder), "--steps", str(steps), "--seeds", "0,1", "--latents", str(tmp_path / "x_T.npy")]
    assert main([*arguments, "--device", "cpu", "--precision", "fp32", "--out", str(out)]) == 0

    pipeline = DDIMPipeline.from_pretrained(folder)
    scheduler, x = pipeline.scheduler, x_T
    scheduler.set_timesteps(steps)
    with torch.no_grad():
        for t in scheduler.timesteps:
            answer = pipeline.unet(x, t).sample  # ε or v
            x = scheduler.step(answer, t, x, eta=0.0, use_clipped_model_output=True).prev_sample
    assert np.abs(np.load(out) - x.numpy()).max() < 1e-4


@pytest.mark.parametrize(
    "path", sorted((ROOT / "checkpoints" / "features").glob("*.safetensors")), ids=lambda p: p.stem
)
def test_feature_nets_are_small_and_their_card_states_their_accuracy(path):
    net, accuracy = open_feature_net(path)
    assert path.stat().st_size < 3_000_000
    assert net.config.features <= 64
    assert net.config.name == path.stem
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    for name, score in accuracy.items():
        stated = f"{100 * score:.2f} %" if name == "class" else f"{score:.4f}"
        assert stated in card, name
    size, channels = net.config.size, net.config.channels
    assert net.measure_pixels(np.zeros((2, channels, size, size), np.uint8)).shape == (2, net.config.features)


def test_the_fashion_classifier_is_good_enough_to_measure_with():
    _, accuracy = open_feature_net(ROOT / "checkpoints" / "features" / "fashion-mnist.safetensors")
    assert accuracy["class"] > 0.92
