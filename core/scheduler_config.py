"""``scheduler_config.json``: read as diffusers' class of that name means it, and written for its DDIMScheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import CheckpointError
from core.json_files import Fields, shown
from core.layouts.layout import MAX_T
from core.schedule import NoiseSchedule
from core.scheduler_classes import ABSENT, CLASSES, KNOWN, ONLY, SchedulerClass

FILE = "scheduler_config.json"
PREDICTION_TYPES = ("epsilon", "sample", "v_prediction")
_SMALL, _LARGE = ("fixed_small", "fixed_small_log"), ("fixed_large", "fixed_large_log")
_LEARNED = ("learned", "learned_range")


@dataclass(frozen=True)
class SamplingDefaults:
    """What scheduler_config.json says about sampling.

    prediction_type: "epsilon", "sample" (x0) or "v_prediction". clip_range: x̂0 is clipped to
    [−clip_range, clip_range], or None. spacing: the step list to use when none is asked for.
    offset and drops_zero: of this checkpoint's step lists, see core.timesteps.step_list (diffusers' steps_offset, and
    what its multistep solvers do).
    lands_on: the time n that the last step lands on: 0, clean data (paper eq. 12), or 1, where diffusers'
    set_alpha_to_one is false. sigma_hat: DDPM is the larger variance here (variance_type "fixed_large"), so η = 1 is
    sampled with σ̂.
    """

    prediction_type: str = "epsilon"
    clip_range: float | None = 1.0
    spacing: str = "leading"
    offset: int = 0
    drops_zero: bool = False
    lands_on: int = 0
    sigma_hat: bool = False


@dataclass(frozen=True)
class SchedulerConfig:
    """A scheduler_config.json, understood. name: its class. learned_variance: its network also answers a variance.
    notes: what was done that its reader may not expect, a sentence each."""

    name: str
    schedule: NoiseSchedule
    defaults: SamplingDefaults
    learned_variance: bool
    notes: tuple[str, ...]


def read_scheduler(config: Mapping[str, object]) -> SchedulerConfig:
    """Raises CheckpointError, naming class or key, for what would be sampled otherwise here than there."""
    name = config.get("_class_name")
    if name is None:
        raise CheckpointError(
            f'{FILE} names no _class_name: add "_class_name": "DDPMScheduler" if the network was trained as a DDPM.'
        )
    if not isinstance(name, str) or name not in CLASSES:
        raise CheckpointError(
            f"{FILE} is of {shown(name)}, a process this engine does not sample: it knows DDPMScheduler, DDIMScheduler "
            f"and {len(CLASSES) - 2} others trained alike (docs/checkpoints.md)."
        )
    kind = CLASSES[name]
    notes = _check_keys(name, kind, config)
    own = {key: value for key, value in config.items() if key in kind.defaults and _has(kind, key)}
    fields = Fields(FILE, own, kind.defaults)
    defaults, learned = _sampling(name, kind, fields)
    if defaults.sigma_hat:
        notes.append("variance_type is fixed_large: η = 1 is sampled with σ̂, which is DDPM for this checkpoint.")
    if defaults.lands_on:
        notes.append("The last step lands on ᾱ of index 0, not on clean data, as its scheduler does.")
    if defaults.offset:
        notes.append(f"Every index of a leading step list is raised by {defaults.offset} (steps_offset).")
    return SchedulerConfig(name, NoiseSchedule.from_config(own, kind.defaults), defaults, learned, tuple(notes))


def _has(kind: SchedulerClass, key: str) -> bool:
    """Whether the class has this honoured setting: all have β and the prediction."""
    return key in kind.own or key not in ABSENT


def _check_keys(name: str, kind: SchedulerClass, config: Mapping[str, object]) -> list[str]:
    foreign = []
    for key, value in config.items():
        if key.startswith("_"):
            continue
        if key not in KNOWN:
            raise CheckpointError(f"{FILE} has the unknown setting {shown(key)}: this engine cannot honour it.")
        if key in ONLY:
            switched = not any(value is good or (type(value) is type(good) and value == good) for good in ONLY[key])
            if switched and key in kind.refused_if:
                raise CheckpointError(
                    f"{FILE} sets {key} to {shown(value)}, which this engine does not do: "
                    f"set it to {_json(ONLY[key][0])} to sample these weights without it."
                )
            if switched:
                foreign.append(key)
        elif key in ABSENT and key not in kind.own and value != kind.defaults[key]:
            foreign.append(key)
    if foreign:
        return [f"{name} has no {', '.join(sorted(foreign))}: left aside, as diffusers does."]
    return []


def _json(value: object) -> str:
    return {None: "null", False: "false"}.get(value, str(value))  # type: ignore[call-overload]


def _sampling(name: str, kind: SchedulerClass, fields: Fields) -> tuple[SamplingDefaults, bool]:
    clips = fields.flag("clip_sample")
    clip_range = fields.number("clip_sample_range", 0, 1e6)
    variance = "fixed_small"
    if fields.value("variance_type") is not None:
        fixed = () if kind.defaults["variance_type"] is None else (*_SMALL, *_LARGE)
        variance = fields.choice("variance_type", (*fixed, *_LEARNED))
    final = fields.choice("final_sigmas_type", ("zero", "sigma_min"))
    if final == "sigma_min" and name == "EulerDiscreteScheduler":  # it would leave the picture divided by √ᾱ
        raise fields.refuse("final_sigmas_type", "zero")
    above = kind.lands_above or final == "sigma_min" or not fields.flag("set_alpha_to_one")
    return SamplingDefaults(
        prediction_type=fields.choice("prediction_type", PREDICTION_TYPES),
        clip_range=clip_range if clips else None,
        spacing=fields.choice("timestep_spacing", ("leading", "trailing", "linspace")),
        offset=fields.whole("steps_offset", 0, MAX_T),
        drops_zero=kind.drops_zero,
        lands_on=1 if above else 0,
        sigma_hat=variance in _LARGE,
    ), variance in _LEARNED


def scheduler_config(schedule: NoiseSchedule, defaults: SamplingDefaults) -> dict[str, object]:
    """The ``scheduler_config.json`` with which diffusers samples as we do: its DDIMScheduler's, or where only another
    class has a setting, that class's."""
    values: dict[str, object] = {
        "_class_name": "DDIMScheduler",
        "beta_schedule": schedule.beta_schedule,
        "beta_start": schedule.beta_start,
        "beta_end": schedule.beta_end,
        "num_train_timesteps": schedule.num_train_timesteps,
        "trained_betas": None if schedule.trained_betas is None else list(schedule.trained_betas),
        "prediction_type": defaults.prediction_type,
        "clip_sample": defaults.clip_range is not None,
        "clip_sample_range": 1.0 if defaults.clip_range is None else defaults.clip_range,
        "set_alpha_to_one": defaults.lands_on == 0,
        "steps_offset": defaults.offset,
        "timestep_spacing": defaults.spacing,
        "thresholding": False,
        "rescale_betas_zero_snr": False,
    }
    if defaults.sigma_hat:
        values.pop("set_alpha_to_one")
        values |= {"_class_name": "DDPMScheduler", "variance_type": "fixed_large"}
    if defaults.drops_zero:
        for key in ("set_alpha_to_one", "clip_sample", "clip_sample_range"):
            values.pop(key, None)
        values |= {
            "_class_name": "DPMSolverMultistepScheduler",
            "final_sigmas_type": "sigma_min" if defaults.lands_on else "zero",
        }
    return values
