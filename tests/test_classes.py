"""Networks with classes: diffusers' pictures for each label, and what is refused."""

import dataclasses
import shlex

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from PIL import Image

from core import Branches, CheckpointError, Engine, Request, RequestError, SamplerSettings
from core.__main__ import main
from core.checkpoint import open_checkpoint
from core.cli.info import rows_of
from core.latent_files import read_latents
from core.record import request_of
from core.reproduce import command_line, python_code
from core.unet_config import UNetConfig
from tests.foreign import latents, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("classes") / "ten", DDIMScheduler(), num_class_embeds=10)


@torch.no_grad()
def theirs(unet, x, label):
    scheduler = DDIMScheduler()
    scheduler.set_timesteps(20)
    for t in scheduler.timesteps:
        out = unet(x, t, class_labels=torch.full((len(x),), label)).sample
        x = scheduler.step(out, t, x, use_clipped_model_output=True).prev_sample
    return x


@pytest.mark.parametrize("backend", ["torch", "onnxruntime"])
@pytest.mark.parametrize("label", [0, 7])
def test_each_label_gives_the_pictures_of_diffusers(folder, label, backend):
    path, unet = folder
    engine = Engine.open(path, device="cpu", backend=backend)
    engine.warm_up(2)
    result = engine.sample(Request((0, 1), SamplerSettings(20, label=label)), latents())
    assert (result.images - theirs(unet, latents(), label)).abs().max() < 1e-4
    assert request_of(result.record).settings.label == label


def test_two_labels_give_different_pictures(folder):
    engine = Engine.open(folder[0], device="cpu")
    one, other = (engine.sample(Request((0,), SamplerSettings(5, label=k))).images for k in (1, 2))
    assert (one - other).abs().max() > 1e-3


def test_an_encoded_picture_comes_back_with_its_label(folder):
    engine = Engine.open(folder[0], device="cpu")
    settings = SamplerSettings(50, clip=False, label=4)
    images = engine.sample(Request((0, 1), settings), latents()).images
    x_T = engine.encode(images, settings, refine=3).x_T
    assert (engine.sample(Request((0, 1), settings), x_T).images - images).abs().max() < 1e-2 * images.abs().max()


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (None, "ten has 10 classes: choose one with label, 0 to 9."),
        (10, "ten has 10 classes, and label 10 is not one of them: choose one with label, 0 to 9."),
    ],
)
def test_a_label_that_is_missing_or_too_large_is_refused(folder, label, said):
    with pytest.raises(RequestError) as refused:
        Engine.open(folder[0], device="cpu").sample(Request((0,), SamplerSettings(2, label=label)))
    assert str(refused.value) == said


def test_a_network_without_classes_takes_no_label(tmp_path):
    path, _ = write_folder(tmp_path / "plain", DDIMScheduler())
    with pytest.raises(RequestError) as refused:
        Engine.open(path, device="cpu").plan(Request((0,), SamplerSettings(2, label=0)))
    assert str(refused.value) == "plain has no classes: leave out label."


@pytest.mark.parametrize("value", [0, -1, 10**9, 2.5, "x", True])
def test_a_number_of_classes_that_is_none_is_refused(value):
    with pytest.raises(CheckpointError, match="num_class_embeds"):
        UNetConfig.from_config({"sample_size": 8, "num_class_embeds": value})


def test_the_command_line_takes_a_label_and_prints_it(folder, tmp_path):
    out, settings = tmp_path / "x0.npy", SamplerSettings(5, label=6)
    request = Request((0,), settings)
    words = shlex.split(command_line(request, str(folder[0]), out=str(out)))
    assert words[words.index("--label") + 1] == "6"
    assert "label=6" in python_code(request, str(folder[0]))
    assert main(words[3:]) in (None, 0)
    ours = Engine.open(folder[0]).sample(request).images
    assert (torch.from_numpy(np.load(out)) - ours).abs().max() < 1e-5


def run_of(path, *words):
    assert main([*map(str, words), "--out", str(path)]) in (None, 0)
    return torch.from_numpy(np.load(path))


def test_a_path_on_the_command_line_is_of_its_label(folder, tmp_path):
    words = ("interpolate", folder[0], "--steps", 3, "--seeds", "1,2", "--frames", 3, "--label")
    found = run_of(tmp_path / "x0.npy", *words, 6)
    request = Request((1, 2), SamplerSettings(3, label=6), frames=3)
    assert (found - Engine.open(folder[0]).sample(request).images).abs().max() < 1e-5
    assert (found - run_of(tmp_path / "other.npy", *words, 5)).abs().max() > 1e-3


def test_branches_on_the_command_line_are_of_their_label(folder, tmp_path):
    words = ("branch", folder[0], "--steps", 4, "--seed", 1, "--at", "500", "--count", 2, "--label")
    found = run_of(tmp_path / "x0.npy", *words, 6)
    request = Request((1,), SamplerSettings(4, label=6), branches=Branches(500, 2, 1.0))
    assert (found - Engine.open(folder[0]).sample(request).images).abs().max() < 1e-5
    assert (found - run_of(tmp_path / "other.npy", *words, 5)).abs().max() > 1e-3


def test_pictures_are_encoded_with_their_label_which_their_notes_tell(folder, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    words = ("encode", folder[0], tmp_path / "a.png", "--steps", 5, "--label")
    found = run_of(tmp_path / "x_T.npy", *words, 6)
    assert read_latents(tmp_path / "x_T.npy").notes.settings.label == 6
    assert (found - run_of(tmp_path / "other.npy", *words, 5)).abs().max() > 1e-3
    # what the notes say is what decodes, so the label need not be said again
    back = run_of(tmp_path / "back.npy", "sample", folder[0], "--latents", tmp_path / "x_T.npy")
    settings = SamplerSettings(5, clip=False, label=6)
    assert (back - Engine.open(folder[0]).sample(Request((0,), settings), found).images).abs().max() < 1e-5


@pytest.mark.parametrize("verb", [("evaluate", "--data", "x.npz"), ("bench", "--steps", "2")])
def test_what_measures_pictures_of_no_class_names_a_network_that_has_some(folder, tmp_path, verb, capsys):
    assert main([verb[0], str(folder[0]), *verb[1:], "--out", str(tmp_path / "out.json")]) == 2
    said = capsys.readouterr().err
    assert "ten has 10 classes" in said
    assert f"python -m core {verb[0]}" in said
    assert len(said.splitlines()) == 1


def test_a_training_is_not_begun_with_the_weights_of_classes(folder, tmp_path, capsys):
    np.savez(tmp_path / "x.npz", images=np.zeros((40, 8, 8, 3), np.uint8))
    words = ["train", str(tmp_path / "x.npz"), "--size", "8", "--start-from", str(folder[0]), "--steps", "2"]
    assert main([*words, "--out", str(tmp_path / "net"), "--state", str(tmp_path / "state")]) == 2
    assert "ten has 10 classes" in capsys.readouterr().err


def test_info_counts_the_classes(folder):
    assert ("labels", "10 classes") in rows_of(open_checkpoint(folder[0]))


def test_a_record_of_earlier_versions_has_no_label():
    settings = dataclasses.asdict(SamplerSettings())
    del settings["label"]
    assert request_of({"request": {"seeds": [0], "settings": settings}}).settings.label is None


def test_a_converted_checkpoint_keeps_its_classes(folder, tmp_path):
    assert main(["convert", str(folder[0]), str(tmp_path / "new")]) in (None, 0)
    request = Request((0,), SamplerSettings(3, label=9))
    ours, theirs = (Engine.open(path).sample(request).images for path in (tmp_path / "new", folder[0]))
    assert torch.equal(ours, theirs)
