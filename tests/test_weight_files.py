"""Weights however they are stored: they sample the same, and no file runs code, grows or leads elsewhere."""

import json
import os
import pickle
import shutil
import zipfile

import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.training_utils import EMAModel
from foreign import RunsCode, change_json, latents, tiny_unet, write_folder
from safetensors.torch import load_file, save_file

from core import CheckpointError, Engine, Request, SamplerSettings, find_checkpoints, open_checkpoint
from core.layouts import find_layout

ST, BIN = "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"


@torch.no_grad()
def answer(network):
    out = network(latents(), torch.tensor([10, 700]))
    return out if isinstance(out, torch.Tensor) else out.sample


@pytest.fixture
def made(tmp_path):
    """(folder, its unet folder, the network that diffusers wrote)."""
    path, unet = write_folder(tmp_path / "net", DDPMScheduler())
    return path, path / "unet", unet


def opens_as(path, unet, atol=1e-5):
    opened = open_checkpoint(path)
    assert torch.allclose(answer(opened.load_network()), answer(unet), atol=atol)
    return opened


def refused(path, why):
    with pytest.raises(CheckpointError, match=why) as error:
        open_checkpoint(path).load_network()
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


def rewritten(made, **options):
    """The network saved anew by diffusers, with these options of save_pretrained."""
    path, folder, unet = made
    (folder / ST).unlink()
    unet.save_pretrained(folder, **options)
    return path


def test_a_bin_file_of_diffusers_opens(made):
    path = rewritten(made, safe_serialization=False)
    assert (path / "unet" / BIN).is_file()
    assert opens_as(path, made[2]).weights.name == BIN


def test_a_bin_file_in_torchs_old_format_opens(made):
    path, folder, unet = made
    (folder / ST).unlink()
    torch.save(unet.state_dict(), folder / BIN, _use_new_zipfile_serialization=False)
    opens_as(path, unet)


@pytest.mark.parametrize("safe", [True, False])
def test_half_precision_files_open_and_are_said(made, safe):
    made[2].half()
    path = rewritten(made, safe_serialization=safe, variant="fp16")
    made[2].float()
    opened = opens_as(path, made[2], 1e-4)
    assert opened.notes == ("The weights are stored in half precision (fp16).",)
    assert {p.dtype for p in opened.load_network().parameters()} == {torch.float32}


def test_full_precision_comes_before_half(made):
    path, folder, unet = made
    unet.half().save_pretrained(folder, variant="fp16")
    unet.float()
    assert open_checkpoint(path).weights.name == ST


@pytest.mark.parametrize("safe", [True, False])
def test_shards_open(made, safe):
    path = rewritten(made, safe_serialization=safe, max_shard_size="20KB")
    opened = opens_as(path, made[2])
    assert opened.weights.name.endswith(".index.json")
    assert len(list((path / "unet").glob("*-of-*"))) > 2
    before = opened.sha256
    shard = sorted((path / "unet").glob("*-of-*"))[1]
    if safe:
        state = load_file(shard)
        next(iter(state.values())).add_(1.0)
        save_file(state, shard)
        assert open_checkpoint(path).sha256 != before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../../etc/passwd", "names the shard '../../../etc/passwd': shards are .safetensors files beside it"),
        ("/etc/passwd", "names the shard"),
        ("..\\x.safetensors", "names the shard"),
        ("sub/x.safetensors", "names the shard"),
        ("..", "names the shard"),
        ("x.bin", "shards are .safetensors files"),
        ("gone.safetensors", r"gone\.safetensors is missing"),
    ],
)
def test_an_index_leads_nowhere_else(made, name, why):
    path = rewritten(made, max_shard_size="20KB")
    index = path / "unet" / f"{ST}.index.json"
    where = json.loads(index.read_text())["weight_map"]
    change_json(index, weight_map={**where, next(iter(where)): name})
    refused(path, why)


@pytest.mark.parametrize("where", [None, {}, [], {"conv_in.bias": 3}, "x"])
def test_an_index_without_a_map_is_refused(made, where):
    path = rewritten(made, max_shard_size="20KB")
    change_json(path / "unet" / f"{ST}.index.json", weight_map=where)
    refused(path, "has no weight_map")


def test_an_index_that_disagrees_with_its_shards_is_refused(made):
    path = rewritten(made, max_shard_size="20KB")
    index = path / "unet" / f"{ST}.index.json"
    where = json.loads(index.read_text())["weight_map"]
    where.pop("conv_in.bias")
    change_json(index, weight_map=where)
    refused(path, r"disagree about 'conv_in\.bias'")


# --- pickles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", ["alone", "in a state_dict"])
@pytest.mark.parametrize("how", ["pickle", "torch zip", "torch legacy"])
def test_a_pickle_that_would_run_code_is_refused_and_did_not_run(made, how, wrapped, tmp_path):
    path, folder, unet = made
    (folder / ST).unlink()
    trap = RunsCode(tmp_path / "it-ran")
    value = trap if wrapped == "alone" else {**unet.state_dict(), "conv_in.bias": trap}
    if how == "pickle":
        (folder / BIN).write_bytes(pickle.dumps(value))
    else:
        torch.save(value, folder / BIN, _use_new_zipfile_serialization=how == "torch zip")
    refused(path, "holds more than tensors, or none, and such a pickle is never opened")
    assert not (tmp_path / "it-ran").exists()
    pickle.loads(pickle.dumps(trap))
    assert (tmp_path / "it-ran").exists(), "the trap works"


def test_a_number_repeated_to_terabytes_is_refused(made):
    path, folder, unet = made
    (folder / ST).unlink()
    state = unet.state_dict()
    state["conv_in.bias"] = torch.zeros(1).expand(10**12)
    torch.save(state, folder / BIN)
    refused(path, "states tensors larger than the file")


def test_a_compressed_archive_is_refused(made):
    path, folder, unet = made
    (folder / ST).unlink()
    torch.save(unet.state_dict(), folder / "plain")
    with zipfile.ZipFile(folder / "plain") as a, zipfile.ZipFile(folder / BIN, "w", zipfile.ZIP_DEFLATED) as b:
        for name in a.namelist():
            b.writestr(name, a.read(name))
    refused(path, "is compressed, which torch.save never does")


@pytest.mark.parametrize("value", [{}, [1], 3, {"a": 1}, {1: torch.zeros(1)}], ids=str)
def test_a_pickle_of_something_else_is_refused(made, value):
    path, folder, _ = made
    (folder / ST).unlink()
    torch.save(value, folder / BIN)
    refused(path, "state_dict")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("keep", [0, 1, 100, 0.3, 0.99])
def test_truncated_pickles_are_refused(made, keep, zipped):
    path, folder, unet = made
    (folder / ST).unlink()
    torch.save(unet.state_dict(), folder / BIN, _use_new_zipfile_serialization=zipped)
    data = (folder / BIN).read_bytes()
    (folder / BIN).write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    refused(path, "not a complete torch file|holds more than tensors, or none")


@pytest.mark.parametrize(("name", "other"), [(BIN, ST), (ST, BIN)])
def test_mislabelled_files_are_refused(made, name, other):
    path, folder, unet = made
    torch.save(unet.state_dict(), folder / BIN)
    held = (folder / other).read_bytes()
    for file in (folder / ST, folder / BIN):
        file.unlink()
    (folder / name).write_bytes(held)
    refused(path, "not a complete|holds more than tensors, or none")


def test_what_a_header_holds_is_quoted_without_what_moves_a_cursor(made):
    path, folder, _ = made
    head = json.dumps({"a": {"dtype": "\x1b[2J", "shape": [], "data_offsets": [0, 0]}}).encode()
    (folder / ST).write_bytes(len(head).to_bytes(8, "little") + head)
    with pytest.raises(CheckpointError, match="not a complete safetensors file") as error:
        open_checkpoint(path).load_network()
    assert str(error.value).isprintable()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_by_their_key(made, bad):
    path, folder, _ = made
    state = load_file(folder / ST)
    state["mid_block.resnets.0.conv1.bias"][0] = bad
    save_file(state, folder / ST)
    refused(path, r"NaN or infinity in mid_block\.resnets\.0\.conv1\.bias")


def test_whole_numbers_for_weights_are_refused(made):
    path, folder, _ = made
    state = load_file(folder / ST)
    state["conv_in.bias"] = state["conv_in.bias"].to(torch.int8)
    save_file(state, folder / ST)
    refused(path, r"holds conv_in\.bias as torch\.int8")


@pytest.mark.parametrize("name", [ST, BIN])
def test_a_pipe_or_a_folder_in_place_of_weights_is_refused_at_once(made, name):
    path, folder, _ = made
    (folder / ST).unlink()
    os.mkfifo(folder / name)
    refused(path, f"{ST} is (missing|not a file)")
    (folder / name).unlink()
    (folder / name).mkdir()
    refused(path, f"{ST} is (missing|not a file)")


def test_a_sparse_file_of_terabytes_is_refused_at_once(made):
    path, folder, _ = made
    with (folder / ST).open("r+b") as file:
        file.truncate(1 << 42)
    refused(path, "not a complete safetensors file")
    (folder / ST).unlink()
    with (folder / BIN).open("wb") as file:
        file.truncate(1 << 42)
    refused(path, "not a complete torch file|holds more than tensors, or none")


# --- averages and folders saved while training -----------------------------------------------------------------------


def average_of(unet, folder):
    """Write unet_ema as diffusers' trainer does; its weights are not the network's."""
    torch.manual_seed(8)
    other = tiny_unet()
    with torch.no_grad():
        for p in other.parameters():
            p.add_(0.01 * torch.randn_like(p))
    EMAModel(other.parameters(), use_ema_warmup=True, model_cls=UNet2DModel, model_config=unet.config).save_pretrained(
        folder
    )
    return other


def test_the_average_is_taken_before_the_network_and_said(made):
    path, _, unet = made
    other = average_of(unet, path / "unet_ema")
    assert "decay" in json.loads((path / "unet_ema" / "config.json").read_text())
    assert opens_as(path, other).notes == ("The weights are those of unet_ema, the average over training.",)


def test_folders_saved_while_training_open_the_newest_or_the_one_named(made, tmp_path):
    path, _, unet = made
    for step in (100, 20, 9000):
        shutil.copytree(path / "unet", path / f"checkpoint-{step}" / "unet")
    other = average_of(unet, path / "checkpoint-9000" / "unet_ema")
    shutil.rmtree(path / "unet")
    opened = opens_as(path, other)
    assert opened.notes[0] == "It is the newest of 3 saved while training: checkpoint-9000."
    assert "unet_ema" in opened.notes[1]
    assert opens_as(path / "checkpoint-20", unet).notes == ()
    assert [p.name for p in find_checkpoints(tmp_path)] == ["net"]


def test_a_folder_saved_while_training_without_a_scheduler_beside_it_is_none(made):
    path, _, _ = made
    shutil.copytree(path / "unet", path / "checkpoint-1" / "unet")
    shutil.rmtree(path / "scheduler")
    assert find_layout(path) is None
    refused(path / "checkpoint-1", r"needs config\.json and scheduler_config\.json")


def test_an_engine_samples_from_each_way_of_storing_alike(made):
    request = Request((1, 2), SamplerSettings(3))
    x_T = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    want = Engine.open(made[0], device="cpu").sample(request, x_T).images
    ways = ({"safe_serialization": False}, {"max_shard_size": "20KB"},
            {"safe_serialization": False, "max_shard_size": "20KB"})  # fmt: skip
    for options in ways:
        for file in made[1].glob("diffusion_pytorch_model*"):
            file.unlink()
        made[2].save_pretrained(made[1], **options)
        assert torch.equal(Engine.open(made[0], device="cpu").sample(request, x_T).images, want), options
