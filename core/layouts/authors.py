"""The DDIM authors' own weights (``ermongroup/ddim`` and its ports): one ``.ckpt`` or ``ckpt.pth``, and no config.

What the file does not say is the same in all of the authors' configs: 32 groups, ε predicted, β linear over T = 1000,
attention where the picture is 16 pixels wide. The rest follows from names and shapes. Without torch.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.errors import CheckpointError
from core.json_files import shown
from core.layouts.layout import CONFIG, INDEX, Layout, is_file, is_folder

SUFFIXES = (".ckpt", ".pth", ".pt")
ATTENTION_AT = 16  # pixels: attn_resolutions of every config of the authors

# Other projects' networks, told by a name that only they have.
_OTHERS = {
    "input_blocks.0.0.weight": "improved-diffusion or guided-diffusion",
    "init_conv.weight": "lucidrains' denoising-diffusion-pytorch",
    "model.init_conv.weight": "lucidrains' denoising-diffusion-pytorch",
    "model.diffusion_model.input_blocks.0.0.weight": "latent diffusion",
    "all_modules.0.weight": "score_sde",
}
_TOP = {"temb.dense.0": "time_embedding.linear_1", "temb.dense.1": "time_embedding.linear_2", "conv_in": "conv_in",
        "norm_out": "conv_norm_out", "conv_out": "conv_out"}  # fmt: skip
_RESNET = {"norm1": "norm1", "conv1": "conv1", "temb_proj": "time_emb_proj", "norm2": "norm2", "conv2": "conv2",
           "nin_shortcut": "conv_shortcut"}  # fmt: skip
_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
_MID = {"block_1": ("resnets.0", _RESNET), "block_2": ("resnets.1", _RESNET), "attn_1": ("attentions.0", _ATTENTION)}
_LEVEL = re.compile(r"(down|up)\.(\d{1,2})\.(block|attn)\.(\d{1,2})\.(\w+)\.(weight|bias)", re.ASCII)
_RESAMPLE = re.compile(r"(down|up)\.(\d{1,2})\.(downsample|upsample)\.conv\.(weight|bias)", re.ASCII)


def find(path: Path) -> Layout | None:
    """A file of these weights, or a folder with one of them and no config.json."""
    if path.suffix in SUFFIXES and is_file(path):
        return Layout(None, None, path, path.parent / INDEX)
    if not is_folder(path) or is_file(path / CONFIG):
        return None
    try:
        inside = [path / name for name in sorted(os.listdir(path)) if name.endswith(SUFFIXES)]
    except (OSError, ValueError):
        return None
    return Layout(None, None, inside[0], path / INDEX) if len(inside) == 1 and is_file(inside[0]) else None


def names(keys: Iterable[str], file: str) -> dict[str, str]:
    """diffusers' name of every key. Raises CheckpointError for another project's network, by its name where it can be
    told, and for a key that these networks do not have."""
    keys = list(keys)
    refuse_others(keys, file)
    bare = {key: key.removeprefix("module.") for key in keys}  # of a network that was trained on several devices
    levels = 1 + max((int(m[2]) for m in map(_LEVEL.fullmatch, bare.values()) if m), default=-1)
    found = {key: _name(name, levels) for key, name in bare.items()}
    for key, name in found.items():
        if name is None:
            raise CheckpointError(
                f"{file} holds {shown(key)}, which the DDIM authors' networks do not have: "
                "open a folder in diffusers' layout, or the authors' own file."
            )
    return {key: str(name) for key, name in found.items()}


def refuse_others(keys: Iterable[str], file: str) -> None:
    """Raises CheckpointError for another project's network, by its name."""
    bare = {key.removeprefix("module.").removeprefix("ema_model.") for key in keys}
    for mark, project in _OTHERS.items():
        if mark in bare:
            raise CheckpointError(
                f"{file} is of {project}, which this engine does not build: "
                "convert it with diffusers' scripts and open the folder that they write."
            )


def _name(key: str, levels: int) -> str | None:
    head, _, leaf = key.rpartition(".")
    if head in _TOP:
        return f"{_TOP[head]}.{leaf}"
    if match := _LEVEL.fullmatch(key):
        side, level, kind, j, part, leaf = match.groups()
        parts, group = (_RESNET, "resnets") if kind == "block" else (_ATTENTION, "attentions")
        return f"{_stage(side, level, levels)}.{group}.{j}.{parts[part]}.{leaf}" if part in parts else None
    if match := _RESAMPLE.fullmatch(key):
        side, level, what, leaf = match.groups()
        return f"{_stage(side, level, levels)}.{what}rs.0.conv.{leaf}" if what.startswith(side) else None
    first, _, rest = head.partition(".")
    block, _, part = rest.partition(".")
    if first == "mid" and block in _MID and part in _MID[block][1]:
        return f"mid_block.{_MID[block][0]}.{_MID[block][1][part]}.{leaf}"
    return None


def _stage(side: str, level: str, levels: int) -> str:
    """The authors count the levels of both sides from the widest picture; diffusers counts in the order of running."""
    return f"down_blocks.{int(level)}" if side == "down" else f"up_blocks.{levels - 1 - int(level)}"


def is_flat(name: str) -> bool:
    """Whether a weight is a 1×1 convolution for the authors (C, C, 1, 1) and linear in diffusers (C, C)."""
    return ".attentions." in name and name.endswith(".weight") and "group_norm" not in name


def describe(
    shapes: Mapping[str, tuple[int, ...]], file: str
) -> tuple[dict[str, object], dict[str, object], tuple[str, ...]]:
    """(config.json, scheduler_config.json, notes) of weights by diffusers' names. Raises CheckpointError where the
    shapes do not say it."""
    levels = [k for k in range(len(shapes)) if f"down_blocks.{k}.resnets.0.conv2.bias" in shapes]
    attends = [k for k in levels if f"down_blocks.{k}.attentions.0.to_q.bias" in shapes]
    layers = sum(f"down_blocks.0.resnets.{j}.conv2.bias" in shapes for j in range(len(shapes)))
    wanted = ("conv_in.weight", "conv_out.bias")
    if not levels or any(not shapes.get(key) for key in wanted) or len(shapes["conv_in.weight"]) != 4:
        raise CheckpointError(f"{file} is no network of the DDIM authors: open a folder in diffusers' layout.")
    if len(attends) != 1:
        raise CheckpointError(
            f"{file} attends at {len(attends)} levels, from which the size of its pictures does not follow: "
            "convert it to diffusers' layout with a config.json."
        )
    side = ATTENTION_AT * 2 ** attends[0]
    up = len(levels) - 1
    config: dict[str, object] = {
        "_class_name": "UNet2DModel",
        "sample_size": side,
        "in_channels": shapes["conv_in.weight"][1],
        "out_channels": shapes["conv_out.bias"][0],
        "block_out_channels": [sum(shapes[f"down_blocks.{k}.resnets.0.conv2.bias"]) for k in levels],
        "down_block_types": ["AttnDownBlock2D" if k in attends else "DownBlock2D" for k in levels],
        "up_block_types": [
            "AttnUpBlock2D" if f"up_blocks.{k}.attentions.0.to_q.bias" in shapes else "UpBlock2D" for k in range(up + 1)
        ],
        "layers_per_block": layers,
        "downsample_padding": 0,
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "norm_eps": 1e-6,
        "norm_num_groups": 32,
        "attention_head_dim": None,
    }
    scheduler: dict[str, object] = {"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "clip_sample": False}
    said = (
        f"The DDIM authors' file says neither: pictures of {side} × {side}, β linear from 0.0001 to 0.02 and T = 1000 "
        "are those of their configs; x̂0 is not clipped, as in their sampler.",
    )
    return config, scheduler, said
