"""``model_index.json``: which pipeline a folder says it is. Only one network and a scheduler make a picture here."""

from __future__ import annotations

from pathlib import Path

from core.errors import CheckpointError
from core.json_files import read_json, shown
from core.layouts.diffusers import beside
from core.layouts.layout import INDEX, is_file
from core.unet_config import NETWORK

PIPELINES = ("DDPMPipeline", "DDIMPipeline", "PNDMPipeline")


def check_index(path: Path, scheduler: object) -> None:
    """Raises CheckpointError, naming it, for a pipeline or a part that this engine has not; and where the index names
    another scheduler class than its config does. A folder may do without the file."""
    if extra := beside(path):
        raise CheckpointError(
            f"{path.parent.name} also holds the network {shown(extra[0])}: what its unet makes is no picture yet, "
            "and this engine samples pictures only."
        )
    if not is_file(path):
        return
    values = read_json(path)
    pipeline = values.get("_class_name")
    if pipeline not in PIPELINES:
        raise CheckpointError(
            f"{INDEX} is of {shown(pipeline)}; this engine samples {', '.join(PIPELINES[:-1])} and {PIPELINES[-1]}."
        )
    for part, value in values.items():
        if part.startswith("_") or value is None or value == [None, None]:
            continue
        if part not in ("unet", "scheduler"):
            raise CheckpointError(f"{INDEX} has the part {shown(part)}, which this engine lacks: it runs a unet alone.")
        name = value[1] if isinstance(value, list) and len(value) == 2 else value
        if part == "unet" and name != NETWORK:
            raise CheckpointError(f"{INDEX} names the network {shown(name)}; this engine builds {NETWORK} only.")
        if part == "scheduler" and name != scheduler:
            raise CheckpointError(
                f"{INDEX} names {shown(name)} and scheduler_config.json {shown(scheduler)}: make the two agree."
            )
