"""Networks of other shapes than ours: learned variances, wide pictures, other numbers of channels, published ones."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel
from foreign import latents, their_trajectory, write_folder
from PIL import Image
from safetensors.torch import save_file
from test_unet import loud_state
from test_unet_config import CIFAR10

from core import CheckpointError, Engine, Request, RequestError, SamplerSettings, UNetConfig, open_checkpoint
from core.__main__ import main
from core.weights import load_network

V = {"prediction_type": "v_prediction"}
CELEBA_256 = {
    **CIFAR10, "sample_size": 256, "block_out_channels": [128, 128, 256, 256, 512, 512],
    "down_block_types": ["DownBlock2D"] * 4 + ["AttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "AttnUpBlock2D"] + ["UpBlock2D"] * 4,
}  # fmt: skip  # as published: google/ddpm-ema-celebahq-256/config.json


def engine_of(path):
    return Engine.open(path, device="cpu", backend="torch")


@pytest.mark.parametrize("variance", ["learned", "learned_range", "fixed_small"])
def test_of_a_learned_variance_the_mean_is_sampled_and_that_is_said(variance, tmp_path):
    path, unet = write_folder(tmp_path / "net", DDPMScheduler(variance_type=variance, **V), out_channels=6)
    engine = engine_of(path)
    checkpoint = engine.checkpoint
    assert (checkpoint.shape, checkpoint.config.out_channels) == ((3, 8, 8), 3)
    assert checkpoint.notes == (
        "It learned the variance too: the first 3 of its 6 channels are sampled, and η sets the noise.",
    )

    class Mean(torch.nn.Module):
        def forward(self, x, t):
            out = unet(x, t)
            out.sample = out.sample[:, :3]
            return out

    from diffusers import DDIMScheduler

    theirs = their_trajectory(Mean(), DDIMScheduler(**V), latents(), 20, use_clipped_model_output=True)
    ours = engine.sample(Request((1, 2), SamplerSettings(20)), latents()).images
    assert float((ours - theirs).abs().max()) < 1e-4


@pytest.mark.parametrize(("variance", "out"), [("learned", 3), ("fixed_small", 4), ("fixed_small", 1), ("learned", 9)])
def test_other_numbers_of_answers_are_refused_when_opened(variance, out, tmp_path):
    path, _ = write_folder(tmp_path / "net", DDPMScheduler(variance_type=variance), out_channels=out)
    with pytest.raises(CheckpointError, match=f"has {out} out_channels for 3 in_channels"):
        open_checkpoint(path)


@pytest.mark.parametrize("size", [(8, 16), (24, 8)])
def test_a_wide_or_high_picture_is_sampled_as_diffusers_does_and_keeps_its_shape(size, tmp_path):
    scheduler = DDPMScheduler(**V)
    path, unet = write_folder(tmp_path / "net", scheduler, sample_size=size)
    engine = engine_of(path)
    assert engine.checkpoint.shape == (3, *size)
    x = engine.x_T(Request((4, 9)))
    assert tuple(x.shape) == (2, 3, *size)
    from diffusers import DDIMScheduler

    theirs = their_trajectory(unet, DDIMScheduler(**V), x, 20, use_clipped_model_output=True)
    result = engine.sample(Request((4, 9), SamplerSettings(20)))
    assert float((result.images - theirs).abs().max()) < 1e-4
    strip = engine.sample(Request((4, 9), SamplerSettings(2), frames=3))
    assert tuple(strip.images.shape) == (3, 3, *size)
    for name in ("a.png", "a.gif", "a.webp", "a.npy"):
        strip.save(tmp_path / name)
    assert np.load(tmp_path / "a.npy").shape == (3, 3, *size)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.width / gif.height == size[1] / size[0]


# --- the published configurations, at full width


@pytest.mark.parametrize(("config", "parameters"), [(CIFAR10, 35_746_307), (CELEBA_256, 113_673_219)])
def test_a_published_config_has_the_keys_and_shapes_of_diffusers(config, parameters):
    with torch.device("meta"):
        theirs = UNet2DModel(**{k: v for k, v in config.items() if not k.startswith("_")}).state_dict()
    from core.weights import check_fit

    check_fit({key: tuple(value.shape) for key, value in theirs.items()}, UNetConfig.from_config(config), "theirs")
    assert sum(value.numel() for value in theirs.values()) == parameters


@pytest.mark.parametrize("side", [8])
def test_the_cifar10_network_at_full_width_answers_as_diffusers_does(side, tmp_path):
    config = replace(UNetConfig.from_config(CIFAR10), sample_size=side)
    state = loud_state(config)
    save_file(state, tmp_path / "w.safetensors")
    ours = load_network(config, tmp_path / "w.safetensors")
    theirs = UNet2DModel(**{**{k: v for k, v in CIFAR10.items() if not k.startswith("_")}, "sample_size": side})
    theirs.load_state_dict(state)
    x, t = latents((1, 3, side, side)), torch.tensor([420])
    with torch.no_grad():
        want = theirs.eval()(x, t).sample
        assert float((ours(x, t) - want).abs().max() / want.abs().max()) < 1e-4


# --- other numbers of channels


@pytest.mark.parametrize("channels", [2, 4])
def test_channels_that_are_no_colours_give_numbers_and_no_picture(channels, tmp_path, capsys):
    path, _ = write_folder(tmp_path / "net", DDPMScheduler(**V), in_channels=channels, out_channels=channels)
    engine = engine_of(path)
    result = engine.sample(Request((1, 2), SamplerSettings(3)))
    result.save(tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").shape == (2, channels, 8, 8)
    sentence = f"These pictures have {channels} channels, and only 1 \\(grey\\) or 3 \\(colour\\) can be shown"
    with pytest.raises(RequestError, match=sentence):
        result.save(tmp_path / "a.png")
    with pytest.raises(RequestError, match=sentence):
        _ = engine.run(Request((1,), SamplerSettings(1)), film=True).result()
    assert main(["sample", str(path), "--steps", "2", "--seeds", "1", "--out", str(tmp_path / "b.png")]) == 2
    assert f"These pictures have {channels} channels" in capsys.readouterr().err
    assert main(["sample", str(path), "--steps", "2", "--seeds", "1", "--out", str(tmp_path / "b.npy")]) == 0
    assert not (tmp_path / "b.png").exists()
