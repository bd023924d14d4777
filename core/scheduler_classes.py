"""The schedulers of diffusers whose networks are trained as a DDPM, and what each one's settings mean. Without torch.

They differ in how they sample, not in what they ask of the network: all take x_n = √ᾱ_n x_0 + √(1 − ᾱ_n) ε at the
index t = n − 1. So a folder of any of them can be sampled by DDIM, on the ᾱ, the step list and the last ᾱ that its own
class would use. Any other class (flow matching, EDM, distilled ones) asks its network something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_BETAS: dict[str, object] = {
    "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
    "trained_betas": None, "prediction_type": "epsilon",
}  # fmt: skip

ABSENT: dict[str, object] = {
    "clip_sample": False, "clip_sample_range": 1.0, "timestep_spacing": "linspace", "steps_offset": 0,
    "set_alpha_to_one": True, "variance_type": "fixed_small", "final_sigmas_type": "zero",
}  # fmt: skip
"""Settings that only some classes have, and what lacking one comes to: no clipping, no shift, down to clean data."""

ONLY: dict[str, tuple[object, ...]] = {
    "thresholding": (False, None),
    "rescale_betas_zero_snr": (False, None),
    "use_karras_sigmas": (False, None),
    "use_exponential_sigmas": (False, None),
    "use_beta_sigmas": (False, None),
    "use_lu_lambdas": (False, None),
    "use_flow_sigmas": (False, None),
    "use_dynamic_shifting": (False, None),
    "lambda_min_clipped": (float("-inf"), None),
    "sigma_min": (None,),
    "sigma_max": (None,),
    "shift_terminal": (None,),
    "interpolation_type": ("linear",),
    "timestep_type": ("discrete",),
}
"""Settings that move the noise levels or the answer: at any other value the class samples as this engine cannot."""

HARMLESS = frozenset({
    "algorithm_type", "disable_corrector", "dynamic_thresholding_ratio", "euler_at_final", "flow_shift",
    "lower_order_final", "predict_x0", "sample_max_value", "skip_prk_steps", "solver_order", "solver_p", "solver_type",
    "time_shift_type",
})  # fmt: skip
"""Settings of a class's own solver, which is not the one that runs here, or of what ONLY has switched off."""


@dataclass(frozen=True)
class SchedulerClass:
    """own: the honoured settings that this class has, with its defaults. refused_if: those of ONLY that it has.
    drops_zero: it takes a list of S + 1 indices from noise to 0 and leaves out the 0 (but for ``trailing``).
    lands_above: it always ends on the ᾱ of index 0, never on clean data."""

    own: Mapping[str, object]
    refused_if: frozenset[str] = frozenset()
    drops_zero: bool = False
    lands_above: bool = False

    @property
    def defaults(self) -> dict[str, object]:
        """Every honoured setting: what this class has by default, and what lacking one comes to."""
        return {**_BETAS, **ABSENT, **self.own}


_DDPM = SchedulerClass(
    {"clip_sample": True, "clip_sample_range": 1.0, "timestep_spacing": "leading", "steps_offset": 0,
     "variance_type": "fixed_small"},
    frozenset({"thresholding", "rescale_betas_zero_snr"}),
)  # fmt: skip
_DDIM = SchedulerClass(
    {"clip_sample": True, "clip_sample_range": 1.0, "timestep_spacing": "leading", "steps_offset": 0,
     "set_alpha_to_one": True},
    frozenset({"thresholding", "rescale_betas_zero_snr"}),
)  # fmt: skip
_LISTED: dict[str, object] = {"timestep_spacing": "linspace", "steps_offset": 0}
_SIGMAS = frozenset({"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"})
_FAST = _SIGMAS | {"thresholding", "use_flow_sigmas", "use_dynamic_shifting"}
_KDPM2 = SchedulerClass({**_LISTED, "beta_start": 0.00085, "beta_end": 0.012}, _SIGMAS)

CLASSES: dict[str, SchedulerClass] = {
    "DDPMScheduler": _DDPM,
    "DDPMParallelScheduler": _DDPM,
    "DDIMScheduler": _DDIM,
    "DDIMParallelScheduler": _DDIM,
    "PNDMScheduler": SchedulerClass({"timestep_spacing": "leading", "steps_offset": 0, "set_alpha_to_one": False}),
    "DPMSolverMultistepScheduler": SchedulerClass(
        {**_LISTED, "final_sigmas_type": "zero", "variance_type": None},
        _FAST | {"use_lu_lambdas", "lambda_min_clipped", "rescale_betas_zero_snr"}, drops_zero=True,
    ),
    "DPMSolverSinglestepScheduler": SchedulerClass(
        {"final_sigmas_type": "zero", "variance_type": None}, _FAST | {"lambda_min_clipped"}, drops_zero=True
    ),
    "UniPCMultistepScheduler": SchedulerClass(
        {**_LISTED, "final_sigmas_type": "zero"},
        _FAST | {"rescale_betas_zero_snr", "sigma_min", "sigma_max", "shift_terminal"}, drops_zero=True,
    ),
    "DEISMultistepScheduler": SchedulerClass(_LISTED, _FAST, drops_zero=True, lands_above=True),
    "EulerDiscreteScheduler": SchedulerClass(
        {**_LISTED, "final_sigmas_type": "zero"},
        _SIGMAS | {"rescale_betas_zero_snr", "sigma_min", "sigma_max", "interpolation_type", "timestep_type"},
    ),
    "EulerAncestralDiscreteScheduler": SchedulerClass(_LISTED, frozenset({"rescale_betas_zero_snr"})),
    "LMSDiscreteScheduler": SchedulerClass(_LISTED, _SIGMAS),
    "HeunDiscreteScheduler": SchedulerClass(
        {**_LISTED, "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False, "clip_sample_range": 1.0}, _SIGMAS
    ),
    "KDPM2DiscreteScheduler": _KDPM2,
    "KDPM2AncestralDiscreteScheduler": _KDPM2,
}  # fmt: skip

KNOWN = frozenset({*_BETAS, *ABSENT, *ONLY, *HARMLESS})
"""Every setting that some class has. diffusers passes over those that a folder's own class lacks; so is done here."""
