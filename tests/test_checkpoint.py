"""Folders: what is written opens again bit for bit, here and in diffusers; what does not fit is refused by name."""

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

from core import (
    CheckpointError,
    NoiseSchedule,
    SamplingDefaults,
    UNet,
    find_checkpoints,
    open_checkpoint,
    save_checkpoint,
)
from core.atomic import write_atomically
from core.layouts import WEIGHTS


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny checkpoint to be spoilt."""
    return shutil.copytree(tiny_folder, tmp_path / "copy")


def change_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_weights(folder, change):
    state = load_file(folder / WEIGHTS)
    change(state)
    save_file(state, folder / WEIGHTS)


@torch.no_grad()
def answer(network):
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(4))
    out = network(x, torch.tensor([10, 700]))
    return out if isinstance(out, torch.Tensor) else out.sample


def test_saved_and_opened_again_is_the_same_bit_for_bit(tiny_config, tmp_path):
    torch.manual_seed(1)
    network = UNet(tiny_config)
    schedule, defaults = NoiseSchedule("squaredcos_cap_v2", 500), SamplingDefaults("v_prediction", None, "trailing")
    save_checkpoint(tmp_path / "made" / "here", network.state_dict(), tiny_config, schedule, defaults)
    opened = open_checkpoint(tmp_path / "made" / "here")
    assert opened.config == tiny_config
    assert (opened.schedule, opened.defaults) == (schedule, defaults)
    assert (opened.name, opened.shape) == ("here", (3, 8, 8))
    for key, value in network.state_dict().items():
        assert torch.equal(opened.load_network().state_dict()[key], value), key


def test_a_custom_table_of_betas_and_clip_range_survive(tiny_folder, tiny_config, tmp_path):
    schedule = NoiseSchedule(num_train_timesteps=3, trained_betas=(0.1, 0.2, 0.3))
    state = open_checkpoint(tiny_folder).load_network().state_dict()
    save_checkpoint(tmp_path / "a", state, tiny_config, schedule, SamplingDefaults(clip_range=2.5))
    opened = open_checkpoint(tmp_path / "a")
    assert opened.schedule == schedule
    assert opened.defaults.clip_range == 2.5


def test_an_opened_network_is_ready_to_sample(tiny_folder):
    network = open_checkpoint(tiny_folder).load_network()
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_our_folder_opens_in_diffusers_and_answers_the_same(tiny_folder):
    pipeline = DDIMPipeline.from_pretrained(tiny_folder, local_files_only=True)
    assert isinstance(pipeline.scheduler, DDIMScheduler)
    assert torch.allclose(answer(pipeline.unet), answer(open_checkpoint(tiny_folder).load_network()), atol=1e-5)
    ours = open_checkpoint(tiny_folder).schedule.alpha_bar[1:]
    assert torch.allclose(pipeline.scheduler.alphas_cumprod.double(), torch.tensor(ours), rtol=1e-4)


@pytest.mark.parametrize(("pipeline", "scheduler"), [(DDIMPipeline, DDIMScheduler), (DDPMPipeline, DDPMScheduler)])
def test_a_folder_written_by_diffusers_opens_here_and_answers_the_same(pipeline, scheduler, tiny_config, tmp_path):
    torch.manual_seed(2)
    unet = UNet2DModel(**asdict(tiny_config)).eval()
    settings = {"num_train_timesteps": 400, "beta_schedule": "scaled_linear", "prediction_type": "sample"}
    pipeline(unet=unet, scheduler=scheduler(**settings, clip_sample_range=1.5)).save_pretrained(tmp_path / "theirs")
    opened = open_checkpoint(tmp_path / "theirs")
    assert torch.allclose(answer(opened.load_network()), answer(unet), atol=1e-5)
    assert opened.schedule == NoiseSchedule("scaled_linear", 400)
    assert opened.defaults == SamplingDefaults("sample", 1.5, "leading")


def test_old_attention_names_load(folder):
    before = answer(open_checkpoint(folder).load_network())
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}

    def rename(state):
        for key in list(state):
            for new, name in old.items():
                if new in key:
                    state[key.replace(new, name)] = state.pop(key)

    change_weights(folder, rename)
    assert any(".proj_attn." in key for key in load_file(folder / WEIGHTS))
    assert torch.equal(answer(open_checkpoint(folder).load_network()), before)


def test_a_missing_key_is_named(folder):
    change_weights(folder, lambda state: state.pop("mid_block.resnets.0.conv1.bias"))
    with pytest.raises(CheckpointError, match=r"lacks 'mid_block\.resnets\.0\.conv1\.bias'"):
        open_checkpoint(folder)


def test_a_key_too_many_is_named(folder):
    change_weights(folder, lambda state: state.update(extra_conv=torch.zeros(1)))
    with pytest.raises(CheckpointError, match="unknown key 'extra_conv'"):
        open_checkpoint(folder)


def test_a_key_of_another_shape_is_named(folder):
    change_weights(folder, lambda state: state.update({"conv_out.bias": torch.zeros(4)}))
    with pytest.raises(CheckpointError, match=r"another shape for 'conv_out\.bias'"):
        open_checkpoint(folder)


def test_missing_weights_are_named(folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=WEIGHTS.replace(".", r"\.") + " is missing: copy the file"):
        open_checkpoint(folder)


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, -1])
def test_truncated_weights_are_refused(folder, keep):
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(CheckpointError, match="not a complete safetensors file"):
        open_checkpoint(folder)


@pytest.mark.parametrize("name", ["config.json", "scheduler_config.json"])
@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_broken_config_is_named(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        open_checkpoint(folder)


@pytest.mark.parametrize("name", ["config.json", "scheduler_config.json"])
def test_a_missing_config_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        open_checkpoint(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        open_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"prediction_type": "flow"}, "flow"),
        ({"thresholding": True}, "thresholding"),
        ({"timestep_spacing": "karras"}, "karras"),
        ({"rescale_betas_zero_snr": True}, "rescale_betas_zero_snr"),
    ],
)
def test_sampling_this_engine_does_not_do_is_refused(folder, changes, why):
    change_json(folder / "scheduler_config.json", **changes)
    with pytest.raises(CheckpointError, match=why):
        open_checkpoint(folder)


def test_the_hash_is_the_same_wherever_the_folder_lies(folder, tiny_folder):
    assert open_checkpoint(folder).sha256 == open_checkpoint(tiny_folder).sha256
    assert len(open_checkpoint(folder).sha256) == 64


def test_the_hash_ignores_who_wrote_the_configs_and_their_order(folder):
    before = open_checkpoint(folder).sha256
    for name in ("config.json", "scheduler_config.json"):
        value = json.loads((folder / name).read_text())
        value["_diffusers_version"] = "9.9"
        (folder / name).write_text(json.dumps(dict(reversed(value.items()))))
    assert open_checkpoint(folder).sha256 == before


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"norm_eps": 1e-4}),
        ("config.json", {"attention_head_dim": 8}),
        ("config.json", {"freq_shift": 1}),
        ("scheduler_config.json", {"beta_end": 0.03}),
        ("scheduler_config.json", {"clip_sample": False}),
        ("scheduler_config.json", {"prediction_type": "sample"}),
    ],
)
def test_the_hash_changes_with_any_config_value(folder, name, changes):
    before = open_checkpoint(folder).sha256
    change_json(folder / name, **changes)
    assert open_checkpoint(folder).sha256 != before


def test_the_hash_changes_with_one_weight(folder):
    before = open_checkpoint(folder).sha256
    change_weights(folder, lambda state: state["conv_out.bias"].add_(1e-3))
    assert open_checkpoint(folder).sha256 != before


def test_checkpoints_are_found_by_name_in_either_layout(folder, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(folder, root / "b-flat")
    for part, file in (("unet", "config.json"), ("scheduler", "scheduler_config.json")):
        (root / "a-split" / part).mkdir(parents=True)
        shutil.copy(folder / file, root / "a-split" / part / file)
    (root / "notes").mkdir()
    (root / "config.json").write_text("{}")
    assert [p.name for p in find_checkpoints(root)] == ["a-split", "b-flat"]
    assert find_checkpoints(tmp_path / "nowhere") == []


def test_writing_replaces_whole_files_and_leaves_no_parts(tmp_path):
    path = tmp_path / "x.bin"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_weights(folder, tiny_config, monkeypatch):
    before = (folder / WEIGHTS).read_bytes()

    def half_written(state, path, **_):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("core.checkpoint.save_file", half_written)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(folder, {}, tiny_config, NoiseSchedule(), SamplingDefaults())
    assert (folder / WEIGHTS).read_bytes() == before
    open_checkpoint(folder)


def test_others_may_read_the_weights(tiny_folder):
    assert (tiny_folder / WEIGHTS).stat().st_mode & 0o444 == 0o444


@pytest.fixture
def other(tiny_config):
    """What save_checkpoint takes, for a checkpoint that differs from the tiny one in every file."""
    torch.manual_seed(8)
    config = replace(tiny_config, norm_eps=1e-3)
    return UNet(config).state_dict(), config, NoiseSchedule(num_train_timesteps=50), SamplingDefaults()


def test_nobody_takes_new_weights_with_old_configs(folder, other, monkeypatch):
    """A reader comes between any two of the files that are replaced."""
    monkeypatch.setattr("core.checkpoint.PATIENCE_S", 0.0)
    between, move = [], os.replace

    def watched(part, path):
        move(part, path)
        with pytest.raises(CheckpointError, match="is being replaced"):
            open_checkpoint(folder)
        between.append(Path(path).name)

    before = open_checkpoint(folder)
    with monkeypatch.context() as patch:
        patch.setattr("core.checkpoint.os.replace", watched)
        save_checkpoint(folder, *other)
    assert len(between) == 4
    after = open_checkpoint(folder)
    assert after.sha256 != before.sha256
    assert (after.config, after.schedule.T) == (other[1], 50)


def test_a_checkpoint_that_is_replaced_while_it_is_read_is_read_again(folder, other, monkeypatch):
    import core.checkpoint as module

    fit, saves = module.check_fit, []

    def replaced_meanwhile(*args):
        fit(*args)
        if not saves:
            saves.append(save_checkpoint(folder, *other))

    monkeypatch.setattr(module, "check_fit", replaced_meanwhile)
    found = open_checkpoint(folder)
    monkeypatch.setattr(module, "check_fit", fit)
    assert found == open_checkpoint(folder)
    assert (found.config, found.schedule.T) == (other[1], 50)


def test_a_save_that_was_cut_short_is_said_and_saving_again_mends_it(folder, tiny_config, monkeypatch):
    monkeypatch.setattr("core.checkpoint.PATIENCE_S", 0.05)
    (folder / ".saving").touch()
    with pytest.raises(CheckpointError, match="cut short there: wait and open it again, save it again"):
        open_checkpoint(folder)
    save_checkpoint(folder, UNet(tiny_config).state_dict(), tiny_config, NoiseSchedule(), SamplingDefaults())
    assert open_checkpoint(folder).config == tiny_config


def test_a_save_that_fails_leaves_the_old_checkpoint_whole(folder, tiny_config, monkeypatch):
    before, files = open_checkpoint(folder), sorted(path.name for path in folder.iterdir())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.checkpoint.save_file", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(folder, UNet(tiny_config).state_dict(), tiny_config, NoiseSchedule(), SamplingDefaults())
    assert open_checkpoint(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == files
