"""scheduler_config.json: every class that is opened is sampled as diffusers has it, and every other one is refused."""

import ast
import inspect
import json
from itertools import pairwise
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from foreign import change_json, latents, their_trajectory, write_folder

from core import CheckpointError, Engine, NoiseSchedule, Request, SamplerSettings, SamplingDefaults, open_checkpoint
from core.noise import step_noise
from core.scheduler_classes import ABSENT, CLASSES, HARMLESS, KNOWN, ONLY
from core.scheduler_config import read_scheduler, scheduler_config
from core.solvers.ddim import coefficients
from core.timesteps import step_list

# diffusers makes arrays of tensors in a way that NumPy 2 is about to drop
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
]

S, SEEDS = 20, (4, 9)
BASE = {"num_train_timesteps": 1000, "prediction_type": "v_prediction"}
PARITY = 1e-4


def engine_of(path):
    return Engine.open(path, device="cpu", backend="torch")


def ours(path, eta=0.0, **settings):
    request = Request(SEEDS, SamplerSettings(S, eta, **settings))
    return engine_of(path).sample(request, latents()).images


def difference(a, b):
    return float((a - b).abs().max() / b.abs().max().clamp_min(1))


def with_our_noise(monkeypatch, module):
    """diffusers draws each step's noise; let it draw ours, which belongs to seed and t."""
    asked = {}

    def drawn(*_, **__):
        return step_noise(SEEDS, asked["t"], (3, 8, 8))

    monkeypatch.setattr(module, "randn_tensor", drawn)
    return asked


@torch.no_grad()
def noisy_trajectory(unet, scheduler, asked, **options):
    scheduler.set_timesteps(S)
    x = latents()
    for t in scheduler.timesteps:
        asked["t"] = int(t)
        x = scheduler.step(unet(x, t).sample, t, x, **options).prev_sample
    return x


# --- whole trajectories -----------------------------------------------------------------------------------------


DDIM_FOLDERS = [
    ({}, 0.5),
    ({"set_alpha_to_one": False}, 1.0),
    ({"steps_offset": 1}, 0.5),
    ({"steps_offset": 1, "set_alpha_to_one": False}, 0.0),
    ({"steps_offset": 1, "set_alpha_to_one": False}, 1.0),
    ({"steps_offset": 7, "clip_sample": False}, 0.0),
    ({"timestep_spacing": "trailing"}, 0.5),
    ({"clip_sample_range": 0.4, "beta_schedule": "scaled_linear"}, 0.0),
    ({"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample"}, 0.5),
    ({"prediction_type": "epsilon"}, 0.0),
]


@pytest.mark.parametrize(
    ("name", "settings", "eta"),
    [*(("DDIMScheduler", *case) for case in DDIM_FOLDERS), ("DDIMParallelScheduler", *DDIM_FOLDERS[4])],
    ids=str,
)
def test_a_ddim_folder_is_sampled_as_diffusers_does(name, settings, eta, tmp_path, monkeypatch):
    scheduler = getattr(diffusers, name)(**{**BASE, **settings})
    path, unet = write_folder(tmp_path / "net", scheduler)
    asked = with_our_noise(monkeypatch, inspect.getmodule(type(scheduler)))
    clips = scheduler.config.clip_sample
    theirs = noisy_trajectory(unet, scheduler, asked, eta=eta, use_clipped_model_output=clips)
    assert difference(ours(path, eta), theirs) < PARITY


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_small_log", "fixed_large"])
@pytest.mark.parametrize("name", ["DDPMScheduler", "DDPMParallelScheduler"])
def test_a_ddpm_folder_is_sampled_with_its_own_variance(name, variance, tmp_path, monkeypatch):
    scheduler = getattr(diffusers, name)(**BASE, variance_type=variance)
    path, unet = write_folder(tmp_path / "net", scheduler)
    theirs = noisy_trajectory(unet, scheduler, with_our_noise(monkeypatch, inspect.getmodule(type(scheduler))))
    result = engine_of(path).sample(Request(SEEDS, SamplerSettings(S, 1.0)), latents())
    assert difference(result.images, theirs) < PARITY
    assert result.record["request"]["settings"]["sigma_hat"] is (variance == "fixed_large")
    other = Request(SEEDS, SamplerSettings(S, 1.0, sigma_hat=True))
    assert (difference(engine_of(path).sample(other, latents()).images, theirs) < PARITY) is (variance == "fixed_large")


FIRST_ORDER = {
    "DPMSolverMultistepScheduler": {"solver_order": 1},
    "DPMSolverSinglestepScheduler": {"solver_order": 1},
    "DEISMultistepScheduler": {"solver_order": 1},
    "EulerDiscreteScheduler": {},
}


@pytest.mark.parametrize("name", FIRST_ORDER)
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_a_solver_of_first_order_is_ddim_on_its_own_steps(name, spacing, tmp_path):
    # T = 399·k + … so that every list is of whole indices there too: 20 and 21 divide 420, 19 divides 399
    T = {"leading": 420, "trailing": 400, "linspace": 400}[spacing]
    own = {"timestep_spacing": spacing} if "Singlestep" not in name else {}
    if own and spacing == "leading":
        own["steps_offset"] = 1
    scheduler = getattr(diffusers, name)(**{**BASE, "num_train_timesteps": T}, **own, **FIRST_ORDER[name])
    path, unet = write_folder(tmp_path / "net", scheduler)
    assert difference(ours(path), their_trajectory(unet, scheduler, latents(), S)) < PARITY


@pytest.mark.parametrize("final", ["zero", "sigma_min"])
def test_a_dpm_solver_folder_is_sampled_by_dpm_solver_where_that_is_asked_for(final, tmp_path):
    scheduler = diffusers.DPMSolverMultistepScheduler(**BASE, final_sigmas_type=final)
    path, unet = write_folder(tmp_path / "net", scheduler)
    if (
        final == "zero"
    ):  # there diffusers takes the last step to first order, as is done here; the other: test_solvers.py
        theirs = their_trajectory(unet, scheduler, latents(), S)
        assert difference(ours(path, solver="dpm-solver++"), theirs) < PARITY
    defaults = open_checkpoint(path).defaults
    assert (defaults.lands_on, defaults.drops_zero) == (int(final == "sigma_min"), True)


@pytest.mark.parametrize("skips", [False, True])
def test_a_pndm_folder_is_sampled_as_the_ddim_that_diffusers_makes_of_it(skips, tmp_path):
    scheduler = diffusers.PNDMScheduler(**BASE, steps_offset=1, skip_prk_steps=skips)
    path, unet = write_folder(tmp_path / "net", scheduler)
    same = DDIMScheduler.from_config(scheduler.config, clip_sample=False, set_alpha_to_one=False)
    assert difference(ours(path), their_trajectory(unet, same, latents(), S)) < PARITY
    assert open_checkpoint(path).defaults.lands_on == 1


# --- tables: ᾱ, step list and end, for every class ----------------------------------------------------------------


def signature(name):
    """{setting: default} of a class, from its source."""
    for path in (Path(diffusers.__file__).parent / "schedulers").glob("scheduling_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                init = next(f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__")
                names = [argument.arg for argument in init.args.args[1:]]
                values = [eval(ast.unparse(d), {"float": float}) for d in init.args.defaults]
                return dict(zip(names, values, strict=True))
    raise AssertionError(f"diffusers has no {name}")


def their_list(scheduler):
    """Its indices, each once: some classes ask the network twice or in between."""
    return tuple(dict.fromkeys(int(t) for t in scheduler.timesteps if float(t) == int(t)))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("written", [True, False], ids=["as written", "left out"])
def test_the_schedule_is_the_class_own_whether_its_settings_stand_there_or_not(name, written, tmp_path):
    scheduler = getattr(diffusers, name)()
    config = json.loads(scheduler.to_json_string()) if written else {"_class_name": name}
    found = read_scheduler(config)
    np.testing.assert_allclose(found.schedule.alpha_bar[1:], scheduler.alphas_cumprod.numpy(), rtol=2e-4)
    assert found.defaults.spacing == scheduler.config.get("timestep_spacing", "linspace")
    assert (found.defaults.clip_range is not None) is bool(scheduler.config.get("clip_sample", False))
    assert not any("left aside" in note for note in found.notes)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler"}))
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
def test_the_step_list_is_the_class_own(name, spacing):
    T = {"leading": 420, "trailing": 400, "linspace": 400}[spacing]
    own = {"timestep_spacing": spacing, "steps_offset": 1} if "timestep_spacing" in CLASSES[name].own else {}
    scheduler = getattr(diffusers, name)(
        num_train_timesteps=T, **own, **({"skip_prk_steps": True} if "PNDM" in name else {})
    )
    scheduler.set_timesteps(S)
    d = read_scheduler(json.loads(scheduler.to_json_string())).defaults
    assert step_list(d.spacing, S, T, d.offset, d.drops_zero) == their_list(scheduler)


@pytest.mark.parametrize("S_", [1, 7, 333, 999, 1000])
@pytest.mark.parametrize("drops_zero", [False, True])
@pytest.mark.parametrize("offset", [0, 1, 50, 999, 100_000])
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace", "quadratic"])
def test_every_list_keeps_exactly_s_indices_that_fall(spacing, offset, drops_zero, S_):
    steps = step_list(spacing, S_, 1000, offset, drops_zero)
    assert len(steps) == S_
    assert all(a > b for a, b in pairwise(steps))
    assert steps[-1] >= 0
    assert steps[0] < 1000


def test_the_last_step_lands_on_index_0_where_the_scheduler_says_so():
    schedule = NoiseSchedule()
    last = coefficients(schedule, (50, 1), 1.0, lands_on=1)[-1]
    assert last.signal_next == pytest.approx(schedule.alpha_bar[1] ** 0.5)
    assert last.noise > 0  # diffusers' DDIM adds it there too
    last = coefficients(schedule, (50, 0), 1.0, lands_on=1)[-1]  # from n = 1 to n = 1: nothing is left to do
    assert (last.signal_next, last.noise) == (last.signal, 0.0)
    assert last.direction == pytest.approx(last.spread)


def test_encoding_ends_where_sampling_begins(tmp_path):
    path, _ = write_folder(tmp_path / "net", DDIMScheduler(**BASE, set_alpha_to_one=False, steps_offset=1))
    engine = engine_of(path)
    pictures = latents().clamp(-1, 1)
    found = engine.encode(pictures, SamplerSettings(S), refine=4)
    again = engine.sample(Request(SEEDS, SamplerSettings(S, clip=False)), found.x_T).images
    assert float((again - pictures).abs().mean()) < 1.6e-3  # 2.2e-3 where the way up begins at another index


# --- the table of classes against diffusers itself ------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSES)
def test_every_setting_of_every_class_is_known_with_its_default(name):
    parameters, kind = signature(name), CLASSES[name]
    assert set(parameters) <= KNOWN
    for key, default in parameters.items():
        if key in kind.defaults and (key in kind.own or key not in ABSENT):
            assert kind.defaults[key] == default, key
        elif key in ONLY:
            assert key in kind.refused_if, key
            assert default in ONLY[key], key
        else:
            assert key in HARMLESS, key
    assert set(kind.own) <= set(parameters)
    assert kind.refused_if <= set(parameters)


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler", "EDMEulerScheduler", "LCMScheduler",
     "TCDScheduler", "ScoreSdeVeScheduler", "CosineDPMSolverMultistepScheduler", "CMStochasticIterativeScheduler",
     "IPNDMScheduler", "RePaintScheduler", "NoSuchScheduler", 7, ["DDPMScheduler"]],
)  # fmt: skip
def test_any_other_process_is_refused_by_name(name):
    with pytest.raises(CheckpointError, match="a process this engine does not sample") as error:
        read_scheduler({"_class_name": name, "num_train_timesteps": 1000, "shift": 3.0})
    assert str(name).strip("[]'") in str(error.value)
    assert len(str(error.value)) < 300


def test_a_flow_matching_folder_written_by_diffusers_is_refused(tmp_path):
    path, _ = write_folder(tmp_path / "net", diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0))
    with pytest.raises(CheckpointError, match="FlowMatchEulerDiscreteScheduler"):
        open_checkpoint(path)


def test_a_config_that_does_not_say_what_it_is_is_refused_with_the_remedy():
    with pytest.raises(
        CheckpointError, match='add "_class_name": "DDPMScheduler" if the network was trained as a DDPM'
    ):
        read_scheduler({"num_train_timesteps": 1000})


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [(name, key, {"lambda_min_clipped": -5.1, "interpolation_type": "log_linear", "timestep_type": "continuous",
                  "sigma_min": 0.1, "sigma_max": 80.0, "shift_terminal": 0.1}.get(key, True))
     for name, kind in CLASSES.items() for key in sorted(kind.refused_if)],
)  # fmt: skip
def test_a_setting_that_moves_the_noise_levels_is_refused_by_name_and_value(name, key, value):
    with pytest.raises(CheckpointError, match=f"sets {key} to {value!r}, which this engine does not do: set it to"):
        read_scheduler({"_class_name": name, key: value})


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"shift": 3.0}, "unknown setting 'shift'"),
        ({"prediction_type": "flow_prediction"}, "sets prediction_type to 'flow_prediction'"),
        ({"beta_schedule": "laplace"}, "sets beta_schedule to 'laplace'"),
        ({"timestep_spacing": "karras"}, "sets timestep_spacing to 'karras'"),
        ({"steps_offset": -1}, "sets steps_offset to -1"),
        ({"steps_offset": 0.5}, "sets steps_offset to 0.5"),
        ({"clip_sample": "yes"}, "sets clip_sample to 'yes'"),
        ({"clip_sample_range": 0}, "sets clip_sample_range to 0"),
        ({"clip_sample_range": float("nan")}, "sets clip_sample_range to nan"),
        ({"variance_type": "huge"}, "sets variance_type to 'huge'"),
        ({"num_train_timesteps": 0}, "num_train_timesteps to 0"),
        ({"num_train_timesteps": 10**9}, "num_train_timesteps to 1000000000"),
        ({"num_train_timesteps": 1000.0}, "num_train_timesteps to 1000.0"),
        ({"num_train_timesteps": True}, "num_train_timesteps to True"),
        ({"num_train_timesteps": 100_000}, "stay above 1e-30"),
        ({"beta_start": "low"}, "beta_start to 'low'"),
        ({"beta_end": float("inf")}, "beta_end to inf"),
        ({"beta_end": 10**400}, "beta_end to 10000"),
        ({"trained_betas": []}, "sets trained_betas to"),
        ({"trained_betas": [0.1, float("nan")], "num_train_timesteps": 2}, "sets trained_betas"),
        ({"trained_betas": [0.1, 10**400], "num_train_timesteps": 2}, "sets trained_betas"),
        ({"trained_betas": [0.1, 0.2], "num_train_timesteps": 1000}, "2 trained_betas for num_train_timesteps 1000"),
        ({"trained_betas": [1e-18, 0.2], "num_train_timesteps": 2}, "ᾱ must fall at every step"),
        ({"trained_betas": "none"}, "sets trained_betas to 'none'"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_the_key(config, why):
    with pytest.raises(CheckpointError, match=why) as error:
        read_scheduler({"_class_name": "DDPMScheduler", **config})
    assert len(str(error.value)) < 300


def test_euler_that_stops_at_its_smallest_sigma_is_refused_because_it_leaves_the_picture_scaled():
    with pytest.raises(CheckpointError, match="sets final_sigmas_type to 'sigma_min': it must be zero"):
        read_scheduler({"_class_name": "EulerDiscreteScheduler", "final_sigmas_type": "sigma_min"})


# --- what is said, and what is kept ---------------------------------------------------------------------------------


def test_what_another_class_had_is_left_aside_as_diffusers_does_and_said():
    stable = {"_class_name": "EulerDiscreteScheduler", "set_alpha_to_one": False, "skip_prk_steps": True,
              "clip_sample": True, "steps_offset": 1, "timestep_spacing": "leading"}  # fmt: skip
    found = read_scheduler(stable)
    assert found.defaults == SamplingDefaults(clip_range=None, offset=1)
    assert (
        found.notes[0] == "EulerDiscreteScheduler has no clip_sample, set_alpha_to_one: left aside, as diffusers does."
    )


def test_what_is_special_is_said():
    found = read_scheduler({"_class_name": "DDPMScheduler", "variance_type": "fixed_large_log", "steps_offset": 2})
    assert found.defaults.sigma_hat
    assert "η = 1 is sampled with σ̂" in found.notes[0]
    assert "raised by 2 (steps_offset)" in found.notes[1]
    found = read_scheduler({"_class_name": "DDIMScheduler", "set_alpha_to_one": False})
    assert "not on clean data" in found.notes[0]
    assert read_scheduler({"_class_name": "DDPMScheduler"}).notes == ()
    assert read_scheduler({"_class_name": "DDPMScheduler", "variance_type": "learned_range"}).learned_variance


def test_eta_below_one_is_the_papers_whatever_the_variance_of_ddpm(tmp_path):
    path, _ = write_folder(tmp_path / "net", DDPMScheduler(**BASE, variance_type="fixed_large"))
    engine = engine_of(path)
    plan = engine.plan(Request((0,), SamplerSettings(S, 0.5)))
    assert plan == coefficients(NoiseSchedule(), step_list("leading", S, 1000), 0.5)
    larger = engine.plan(Request((0,), SamplerSettings(S, 1.0)))
    assert larger == engine.plan(Request((0,), SamplerSettings(S, sigma_hat=True)))
    assert larger != coefficients(NoiseSchedule(), step_list("leading", S, 1000), 1.0)


@pytest.mark.parametrize(
    "defaults",
    [
        SamplingDefaults(),
        SamplingDefaults("sample", 2.0, "trailing"),
        SamplingDefaults(clip_range=None, offset=1, lands_on=1),
        SamplingDefaults(sigma_hat=True, offset=1),
        SamplingDefaults(clip_range=None, spacing="linspace", drops_zero=True),
        SamplingDefaults(clip_range=None, spacing="linspace", drops_zero=True, lands_on=1),
    ],
)
@pytest.mark.parametrize("kind", ["linear", "sigmoid"])
def test_what_is_written_is_read_again(defaults, kind):
    schedule = NoiseSchedule(kind, 500)
    found = read_scheduler(json.loads(json.dumps(scheduler_config(schedule, defaults))))
    assert (found.schedule, found.defaults) == (schedule, defaults)


@pytest.mark.parametrize(
    ("changes", "same"),
    [({"set_alpha_to_one": False}, False), ({"steps_offset": 1}, False), ({"_class_name": "PNDMScheduler"}, False),
     ({"_class_name": "DDPMScheduler"}, True), ({"_diffusers_version": "9"}, True)],
)  # fmt: skip
def test_the_hash_is_of_what_is_sampled(changes, same, tmp_path):
    path, _ = write_folder(tmp_path / "net", DDIMScheduler(**BASE))
    (path / "model_index.json").unlink()
    before = open_checkpoint(path).sha256
    change_json(path / "scheduler" / "scheduler_config.json", **changes)
    assert (open_checkpoint(path).sha256 == before) is same


# --- model_index.json -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"_class_name": "LDMPipeline", "vqvae": ["diffusers", "VQModel"]}, "is of 'LDMPipeline'"),
        ({"_class_name": "ScoreSdeVePipeline"}, "is of 'ScoreSdeVePipeline'"),
        ({"_class_name": ...}, "is of None"),
        ({"vqvae": ["diffusers", "VQModel"]}, "has the part 'vqvae'"),
        ({"text_encoder": ["transformers", "CLIPTextModel"]}, "has the part 'text_encoder'"),
        ({"unet": ["diffusers", "UNet2DConditionModel"]}, "names the network 'UNet2DConditionModel'"),
        ({"scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"]}, "make the two agree"),
        ({"unet": "x" * 9999}, "names the network 'xxx"),
    ],
)
def test_a_pipeline_of_more_than_one_network_is_refused_by_name(changes, why, tmp_path):
    path, _ = write_folder(tmp_path / "net", DDPMScheduler())
    change_json(path / "model_index.json", **changes)
    with pytest.raises(CheckpointError, match=why) as error:
        open_checkpoint(path)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("changes", [{"_class_name": "DDIMPipeline"}, {"safety_checker": [None, None]}, {"vae": None}])
def test_what_changes_no_picture_is_taken(changes, tmp_path):
    path, _ = write_folder(tmp_path / "net", DDPMScheduler())
    change_json(path / "model_index.json", **changes)
    open_checkpoint(path)


def test_a_decoder_beside_the_network_is_refused_though_no_index_names_it(tmp_path):
    path, _ = write_folder(tmp_path / "net", DDPMScheduler())
    (path / "model_index.json").unlink()
    open_checkpoint(path)
    (path / "vqvae").mkdir()
    (path / "vqvae" / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="also holds the network 'vqvae'"):
        open_checkpoint(path)
