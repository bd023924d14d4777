"""Checkpoint folders as values: what is in the files, checked, without a network on any device.

Which files there are says core/layouts.py; a network is made from a checkpoint by ``load_network``. Weights are read
from safetensors only: a pickle can run code when opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from core.errors import CheckpointError
from core.layouts import CONFIG, INDEX, SCHEDULER, WEIGHTS, Layout, find_checkpoints, layout_of
from core.schedule import NoiseSchedule
from core.unet import UNet
from core.unet_config import UNetConfig
from core.weights import check_fit, load_network, read_shapes

__all__ = ["Checkpoint", "SamplingDefaults", "find_checkpoints", "open_checkpoint", "save_checkpoint"]

PREDICTION_TYPES = ("epsilon", "sample", "v_prediction")
SAVING = ".saving"
"""A file that is there while files of a folder are being replaced, and stays if that was cut short."""
PATIENCE_S = 2.0  # replacing four files takes milliseconds


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
    """What a checkpoint folder says: values only, equal for equal folders, so any number of engines may share one.

    config: of the network. weights: the safetensors file, whose keys and shapes fit config. sha256 covers the
    weights file and both configs, so equal hashes mean equal sampling.
    """

    path: Path
    weights: Path
    config: UNetConfig
    schedule: NoiseSchedule
    defaults: SamplingDefaults
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one picture."""
        return self.config.in_channels, self.config.sample_size, self.config.sample_size

    def load_network(self) -> UNet:
        """A network of its own with these weights: on the CPU, in fp32 and eval mode. Raises CheckpointError."""
        return load_network(self.config, self.weights)


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


def open_checkpoint(folder: str | Path) -> Checkpoint:
    """Open a folder in either layout: everything is checked but the numbers in the weights. Raises CheckpointError
    with the remedy."""
    folder = Path(folder).expanduser().resolve()
    layout = layout_of(folder)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        before = _state_of(layout)
        found = _read(folder, layout) if before is not None else None
        if found is not None and _state_of(layout) == before:
            return found
        if time.monotonic() > deadline:
            raise CheckpointError(
                f"{folder} is being replaced, or a save was cut short there: wait and open it again, save it again, or "
                f"remove its {SAVING} file if the weights and configs belong together."
            )
        time.sleep(0.02)


def _state_of(layout: Layout) -> tuple[tuple[int, int, int], ...] | None:
    """What changes whenever one of the files is replaced; None while that is going on."""
    if layout.config.with_name(SAVING).exists():
        return None
    there = [path.stat() for path in (layout.config, layout.scheduler, layout.weights) if path.exists()]
    return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in there)


def _read(folder: Path, layout: Layout) -> Checkpoint:
    unet_config, scheduler_config = read_json(layout.config), read_json(layout.scheduler)
    schedule, defaults = NoiseSchedule.from_config(scheduler_config), _defaults(scheduler_config)
    config = UNetConfig.from_config(unet_config)
    check_fit(read_shapes(layout.weights), config, layout.weights.name)
    with layout.weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    for values in (unet_config, scheduler_config):
        kept = {k: v for k, v in values.items() if not k.startswith("_")}
        digest.update(json.dumps(kept, sort_keys=True).encode())
    return Checkpoint(folder, layout.weights, config, schedule, defaults, digest.hexdigest())


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
    """Write the flat layout that both this engine and ``diffusers.DDIMPipeline.from_pretrained`` open.

    All files are written beside the old ones before the first is replaced, and a marker lies there meanwhile, so
    that nobody takes new weights with old configs for a checkpoint (``open_checkpoint``).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = {
        "_class_name": "DDIMPipeline",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
    }
    values = {INDEX: index, SCHEDULER: scheduler_config(schedule, defaults), CONFIG: config.to_config()}
    parts = {name: folder / f"{name}.{os.getpid()}.part" for name in (*values, WEIGHTS)}
    try:
        for name, value in values.items():
            parts[name].write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        tensors = {k: v.detach().float().cpu().contiguous() for k, v in state.items()}
        save_file(tensors, parts[WEIGHTS], metadata={"format": "pt"})
        parts[WEIGHTS].chmod(0o644)  # safetensors writes for its owner only
        marker = folder / SAVING
        marker.touch()
        for name, part in parts.items():
            os.replace(part, folder / name)
        marker.unlink(missing_ok=True)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
