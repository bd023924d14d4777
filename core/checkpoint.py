"""Checkpoint folders in diffusers' layouts, opened strictly and written atomically.

Flat (ours, and the published DDPMs): config.json, scheduler_config.json, model_index.json and
diffusion_pytorch_model.safetensors beside each other. Subfolders (``DDIMPipeline.save_pretrained``):
unet/ and scheduler/. Weights are read from safetensors only: a pickle can run code when opened.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.atomic import write_atomically
from core.errors import CheckpointError
from core.schedule import NoiseSchedule
from core.unet import UNet
from core.unet_config import UNetConfig

WEIGHTS = "diffusion_pytorch_model.safetensors"
PREDICTION_TYPES = ("epsilon", "sample", "v_prediction")

# Attention keys as diffusers wrote them before 0.18; the published Google DDPMs still carry these.
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


@dataclass(frozen=True)
class SamplingDefaults:
    """What scheduler_config.json says about sampling.

    prediction_type: "epsilon", "sample" (x0) or "v_prediction". clip_range: x̂0 is clipped to
    [−clip_range, clip_range], or None. spacing: the step list to use when none is asked for.
    diffusers' set_alpha_to_one and steps_offset are not read: the last step always lands on ᾱ = 1
    (paper eq. 12), and a step list is exactly what its spacing says.
    """

    prediction_type: str = "epsilon"
    clip_range: float | None = 1.0
    spacing: str = "leading"


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: network on the CPU in fp32 and eval mode, schedule, defaults, identity.

    sha256 covers the weights file and both configs, so equal hashes mean equal sampling.
    """

    path: Path
    network: UNet
    schedule: NoiseSchedule
    defaults: SamplingDefaults
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one picture."""
        c = self.network.config
        return c.in_channels, c.sample_size, c.sample_size


def read_json(path: Path) -> dict[str, object]:
    """A JSON object from a file, or a CheckpointError naming the file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing: point to a folder in diffusers' layout.") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON ({error}): restore it from its source.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} must hold one JSON object.")
    return value


def _locate(folder: Path) -> tuple[Path, Path]:
    """(config.json, scheduler_config.json) of either layout."""
    if not folder.is_dir():
        raise CheckpointError(f"No checkpoint folder at {folder}: give the path of a folder with a config.json.")
    for unet, scheduler in ((folder, folder), (folder / "unet", folder / "scheduler")):
        if (unet / "config.json").is_file() and (scheduler / "scheduler_config.json").is_file():
            return unet / "config.json", scheduler / "scheduler_config.json"
    raise CheckpointError(
        f"{folder} is no checkpoint: it needs config.json and scheduler_config.json, "
        "side by side or under unet/ and scheduler/."
    )


def _defaults(config: Mapping[str, object]) -> SamplingDefaults:
    kind = str(config.get("prediction_type", "epsilon"))
    if kind not in PREDICTION_TYPES:
        raise CheckpointError(f"scheduler_config.json predicts {kind!r}; this engine knows {PREDICTION_TYPES}.")
    if config.get("thresholding"):
        raise CheckpointError("scheduler_config.json asks for dynamic thresholding, which this engine does not do.")
    spacing = str(config.get("timestep_spacing", "leading"))
    if spacing not in ("leading", "trailing", "linspace"):
        raise CheckpointError(f"scheduler_config.json names the unknown timestep_spacing {spacing!r}.")
    clip = float(config.get("clip_sample_range", 1.0)) if config.get("clip_sample", True) else None  # type: ignore[arg-type]
    return SamplingDefaults(prediction_type=kind, clip_range=clip, spacing=spacing)


def _modern_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for key, value in state.items():
        if ".attentions." in key:
            for old, new in _OLD_ATTENTION.items():
                key = key.replace(old, new)
        renamed[key] = value
    return renamed


def load_weights(network: torch.nn.Module, path: Path) -> None:
    """Load safetensors strictly: every key present, none left over, every shape equal."""
    if not path.is_file():
        pickled = path.with_suffix(".bin")
        hint = (
            f"{pickled.name} is a pickle, which this project never opens: convert it with "
            "diffusers' save_pretrained(safe_serialization=True)"
            if pickled.is_file()
            else "copy the file into the folder"
        )
        raise CheckpointError(f"{path} is missing: {hint}.")
    try:
        state = _modern_keys(load_file(path))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a complete safetensors file ({error}): copy it again.") from error
    want = network.state_dict()
    missing, extra = sorted(set(want) - set(state)), sorted(set(state) - set(want))
    odd = [k for k in want if k in state and want[k].shape != state[k].shape]
    for what, keys in (("lacks", missing), ("has the unknown key", extra), ("has another shape for", odd)):
        if keys:
            raise CheckpointError(
                f"{path.name} does not fit config.json: it {what} {keys[0]!r} ({len(keys)} such keys). "
                "Use the config.json that belongs to these weights."
            )
    network.load_state_dict(state)


def open_checkpoint(folder: str | Path) -> Checkpoint:
    """Open a folder in either layout. Raises CheckpointError with the remedy."""
    folder = Path(folder).expanduser().resolve()
    unet_path, scheduler_path = _locate(folder)
    unet_config, scheduler_config = read_json(unet_path), read_json(scheduler_path)
    schedule, defaults = NoiseSchedule.from_config(scheduler_config), _defaults(scheduler_config)
    network = UNet(UNetConfig.from_config(unet_config))
    weights = unet_path.parent / WEIGHTS
    load_weights(network, weights)
    digest = hashlib.sha256(weights.read_bytes())
    for config in (unet_config, scheduler_config):
        kept = {k: v for k, v in config.items() if not k.startswith("_")}
        digest.update(json.dumps(kept, sort_keys=True).encode())
    network.eval().requires_grad_(False)
    return Checkpoint(folder, network, schedule, defaults, digest.hexdigest())


def find_checkpoints(root: str | Path) -> list[Path]:
    """The checkpoint folders directly under root, by name."""
    folders = sorted(p for p in Path(root).glob("*") if p.is_dir())
    return [p for p in folders if (p / "config.json").is_file() or (p / "unet" / "config.json").is_file()]


def scheduler_config(schedule: NoiseSchedule, defaults: SamplingDefaults) -> dict[str, object]:
    """The ``scheduler_config.json`` with which diffusers' DDIMScheduler samples as we do."""
    return {
        "_class_name": "DDIMScheduler",
        "beta_schedule": schedule.beta_schedule,
        "beta_start": schedule.beta_start,
        "beta_end": schedule.beta_end,
        "num_train_timesteps": schedule.num_train_timesteps,
        "trained_betas": None if schedule.trained_betas is None else list(schedule.trained_betas),
        "prediction_type": defaults.prediction_type,
        "clip_sample": defaults.clip_range is not None,
        "clip_sample_range": 1.0 if defaults.clip_range is None else defaults.clip_range,
        "set_alpha_to_one": True,
        "steps_offset": 0,
        "timestep_spacing": defaults.spacing,
        "thresholding": False,
        "rescale_betas_zero_snr": False,
    }


def save_checkpoint(
    folder: str | Path,
    state: Mapping[str, Tensor],
    config: UNetConfig,
    schedule: NoiseSchedule,
    defaults: SamplingDefaults,
) -> None:
    """Write the flat layout that both this engine and ``diffusers.DDIMPipeline.from_pretrained`` open."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / (WEIGHTS + ".part")
    save_file({k: v.detach().float().cpu().contiguous() for k, v in state.items()}, part, metadata={"format": "pt"})
    part.chmod(0o644)  # safetensors writes for its owner only
    os.replace(part, folder / WEIGHTS)
    index = {
        "_class_name": "DDIMPipeline",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
    }
    for name, value in (
        ("config.json", config.to_config()),
        ("scheduler_config.json", scheduler_config(schedule, defaults)),
        ("model_index.json", index),
    ):
        write_atomically(folder / name, (json.dumps(value, indent=2) + "\n").encode())
