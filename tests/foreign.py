"""Folders as others write them: tiny nets by diffusers, with any scheduler, and its own trajectory to compare with."""

import json

import torch
from diffusers import DDPMPipeline, UNet2DModel

NET = {
    "sample_size": 8, "block_out_channels": (8, 16), "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"), "layers_per_block": 1, "norm_num_groups": 4,
    "attention_head_dim": None,
}  # fmt: skip


def tiny_unet(**changes):
    torch.manual_seed(3)
    return UNet2DModel(**{**NET, **changes}).eval()


def write_folder(path, scheduler, **changes):
    """(path, the network) of a pipeline saved by diffusers."""
    unet = tiny_unet(**changes)
    DDPMPipeline(unet=unet, scheduler=scheduler).save_pretrained(path)
    return path, unet


def change_json(path, **changes):
    """Set keys of a JSON file; None of ... removes one."""
    values = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not ...}))


def latents(shape=(2, 3, 8, 8)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


@torch.no_grad()
def their_trajectory(unet, scheduler, x, steps, **options):
    """The picture that diffusers' own scheduler makes from x, which is at noise level √ᾱ_n x_0 + √(1 − ᾱ_n) ε."""
    scheduler.set_timesteps(steps)
    explodes = hasattr(scheduler, "scale_model_input") and "Discrete" in type(scheduler).__name__
    if explodes:
        x = x * (scheduler.sigmas[0] ** 2 + 1) ** 0.5
    for t in scheduler.timesteps:
        out = unet(scheduler.scale_model_input(x, t), t).sample
        x = scheduler.step(out, t, x, **options).prev_sample
    return x


class RunsCode:
    """Whoever unpickles this makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return exec, (f"open({self.path!r}, 'w').close()",)
