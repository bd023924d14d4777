"""What a training run leaves behind to be taken up again: network, average, optimisers, and what they belong to."""

from __future__ import annotations

import json
import pickle
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from core.atomic import write_atomically
from core.errors import DataError
from core.train.settings import TrainSettings

if TYPE_CHECKING:
    from core.train.loop import Trainer

STATE = "state.pt"


def save(trainer: Trainer, folder: Path) -> None:
    """Write the whole state atomically: a kill in the middle leaves the previous one."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        "network": trainer.network.state_dict(),
        "ema": trainer.ema,
        "optimizer": trainer.optimizer.state_dict(),
        "muon": trainer.muon.state_dict() if trainer.muon else None,
        "balance": trainer.balance.state_dict() if trainer.balance else None,
        "step": trainer.step,
        "settings": json.dumps(asdict(trainer.settings)),
        "config": json.dumps(trainer.config.to_config()),
        "schedule": json.dumps(asdict(trainer.schedule)),
        "data": trainer.data_sha256,
    }
    write_atomically(folder / STATE, lambda file: torch.save(state, file))


def resume(trainer: Trainer, folder: Path) -> bool:
    """Take up the state in ``folder``; False if there is none. Raises DataError if it is another net's."""
    path = folder / STATE
    if not path.is_file():
        return False
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        needed = ("config", "settings", "step", "network", "ema", "optimizer")
        if not isinstance(state, dict) or any(name not in state for name in needed):
            raise EOFError("it is incomplete")
    except (RuntimeError, EOFError, ValueError, LookupError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is damaged: remove it to start again, or restore a copy.") from error
    if json.loads(state["config"]) != json.loads(json.dumps(trainer.config.to_config())):
        raise DataError(f"{path} belongs to another network: give another --state folder or the same sizes.")
    for key, mine, what in (
        ("schedule", json.dumps(asdict(trainer.schedule)), "noise schedule"),
        ("data", trainer.data_sha256, "set of images"),
    ):
        if state.get(key, mine) != mine:  # states of the first version do not say
            raise DataError(f"{path} was trained with another {what}: name another --state folder.")
    _check_settings(trainer, json.loads(state["settings"]), int(state["step"]), path)
    trainer.network.load_state_dict(state["network"])
    trainer.ema = {k: v.to(trainer.device) for k, v in state["ema"].items()}
    trainer.optimizer.load_state_dict(state["optimizer"])
    if trainer.muon:
        trainer.muon.load_state_dict(state["muon"])
    if trainer.balance:
        trainer.balance.load_state_dict(state["balance"])
    trainer.step = int(state["step"])
    return True


def _check_settings(trainer: Trainer, old: dict[str, object], step: int, path: Path) -> None:
    """A resumed run must mean the same as an uninterrupted one; only its length may change, before the decay."""
    unsaid = {field.name: field.default for field in fields(TrainSettings) if field.default is not MISSING}
    new, old = asdict(trainer.settings), {**unsaid, **old}  # a state from before a setting was trained with its default
    for name in sorted(set(old) - {"steps"}):
        if old[name] != new.get(name):
            raise DataError(
                f"{path} was trained with {name} {old[name]}, not {new.get(name)}: "
                "resume with the same, or start in another --state folder."
            )
    was, now = int(str(old["steps"])), trainer.settings.steps
    if now < step or (now > was and step > was * (1 - trainer.settings.decay)):
        raise DataError(
            f"{path} is at step {step} of {was}: --steps {now} would "
            + ("end before that." if now < step else "raise the learning rate again after its decay began.")
        )
