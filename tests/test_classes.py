"""Networks with classes: diffusers' pictures for each label, and what is refused."""

import dataclasses

import pytest
import torch
from diffusers import DDIMScheduler

from core import Engine, Request, RequestError, SamplerSettings
from core.record import request_of
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
        x = scheduler.step(out, t, x).prev_sample
    return x


@pytest.mark.parametrize("label", [0, 7])
def test_each_label_gives_the_pictures_of_diffusers(folder, label):
    path, unet = folder
    engine = Engine.open(path, device="cpu")
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
    images = latents().clamp(-1, 1)
    x_T = engine.encode(images, settings, refine=3).x_T
    assert (engine.sample(Request((0, 1), settings), x_T).images - images).abs().max() < 1e-2


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


def test_a_record_of_earlier_versions_has_no_label():
    settings = dataclasses.asdict(SamplerSettings())
    del settings["label"]
    assert request_of({"request": {"seeds": [0], "settings": settings}}).settings.label is None
