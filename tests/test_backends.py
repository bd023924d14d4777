"""The engine on each backend: the same pictures, said by name, and torch where nothing else can be had."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core import Engine, Request, RequestError, SamplerSettings
from core.__main__ import main
from core.backends import BACKENDS, instead_of
from core.errors import BackendError

pytest.importorskip("onnxruntime")
ROOT = Path(__file__).resolve().parents[1]
CPU = torch.device("cpu")
WANTED = 1e-4  # of a whole trajectory


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DDIM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def free_choice(monkeypatch):
    monkeypatch.delenv("DDIM_BACKEND")


def opened(folder, backend, precision="auto"):
    return Engine.open(folder, "cpu", precision, backend)


@pytest.mark.parametrize("options", [{"eta": 0.0}, {"eta": 1.0}, {"solver": "dpm-solver++"}])
def test_a_whole_run_is_the_same_on_every_backend(tiny_folder, options):
    request = Request((4, 9, 2), SamplerSettings(steps=20, **options))
    results = {name: opened(tiny_folder, name).sample(request) for name in BACKENDS}
    for name, result in results.items():
        assert torch.allclose(result.images, results["torch"].images, rtol=0, atol=WANTED), name
        assert result.timing.backend == name
        assert result.record["timing"]["backend"] == name
    assert set(results) == {"torch", "onnxruntime"}


@pytest.mark.parametrize("name", ["fashion-mnist", "toon-faces"])
def test_the_shipped_networks_make_the_same_pictures(name):
    request = Request((3, 8), SamplerSettings(steps=10))
    images = [opened(ROOT / "checkpoints" / name, backend).sample(request).images for backend in BACKENDS]
    assert torch.allclose(*images, rtol=0, atol=WANTED)


def test_auto_takes_onnx_runtime_for_fp32_on_a_cpu_and_torch_for_all_else(tiny_folder, free_choice):
    assert opened(tiny_folder, "auto").backend == "onnxruntime"
    assert opened(tiny_folder, "auto", "bf16").backend == "torch"
    with pytest.raises(RequestError, match="computes in fp32 here, not bf16: use the torch backend"):
        opened(tiny_folder, "onnxruntime", "bf16")


def test_without_onnx_runtime_auto_is_torch_and_says_why(tiny_folder, free_choice, monkeypatch):
    assert instead_of(CPU, "fp32") is None
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert opened(tiny_folder, "auto").backend == "torch"
    assert "ONNX Runtime is not installed: pip install" in instead_of(CPU, "fp32")
    assert instead_of(CPU, "bf16") is None  # nothing faster was to be had
    with pytest.raises(RequestError, match="not installed"):
        opened(tiny_folder, "onnxruntime")


def test_a_network_that_cannot_be_exported_is_computed_by_torch(tiny_folder, free_choice, monkeypatch):
    def too_large(*_):
        raise BackendError("too large")

    monkeypatch.setattr("core.backends.onnx_backend.export", too_large)
    assert opened(tiny_folder, "auto").backend == "torch"


def test_the_environment_says_what_auto_means(tiny_folder, monkeypatch):
    for name in BACKENDS:
        monkeypatch.setenv("DDIM_BACKEND", name)
        assert opened(tiny_folder, "auto").backend == name


def test_another_backend_serves_the_next_run_and_not_the_one_under_way(tiny_folder):
    engine = opened(tiny_folder, "torch")
    run = engine.run(Request((1,), SamplerSettings(steps=4)))
    next(run)
    engine.use_backend("onnxruntime")
    assert run.result().timing.backend == "torch"
    assert engine.sample(Request((1,), SamplerSettings(steps=4))).timing.backend == "onnxruntime"


def test_encoding_and_decoding_work_alike(tiny_folder):
    images = opened(tiny_folder, "torch").sample(Request((1,), SamplerSettings(steps=20))).images.clamp(-1, 1)
    settings = SamplerSettings(steps=10, clip=False)
    found = [opened(tiny_folder, name).encode(images, settings, refine=1).x_T for name in BACKENDS]
    assert torch.allclose(*found, rtol=0, atol=1e-3)  # refinement ends early where it does not contract
    assert float(found[0].std()) > 0.1


def test_the_number_of_threads_is_the_networks_own(tiny_folder, monkeypatch):
    engine, there = opened(tiny_folder, "onnxruntime"), torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: there + 6)  # set for torch after the network was opened
    assert engine.sample(Request((1,), SamplerSettings(steps=2))).timing.threads == there


def test_the_command_line_takes_and_names_a_backend(tiny_folder, tmp_path, capsys):
    arrays = []
    for name in BACKENDS:
        out = tmp_path / f"{name}.npy"
        assert main(["sample", str(tiny_folder), "--steps", "5", "--seeds", "0,1", "--backend", name, "--device", "cpu",
                     "--out", str(out)]) == 0  # fmt: skip
        assert capsys.readouterr().out.rstrip().endswith(name)
        arrays.append(np.load(out))
    assert np.abs(arrays[0] - arrays[1]).max() < WANTED


def test_the_command_line_says_what_it_has_to_do_without(tiny_folder, tmp_path, capsys, free_choice, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["sample", str(tiny_folder), "--steps", "2", "--seeds", "0", "--out", str(tmp_path / "x.npy")]) == 0
    assert "ONNX Runtime is not installed" in capsys.readouterr().err


def test_nothing_is_exported_into_the_repository(tiny_folder, tmp_path):
    opened(tiny_folder, "onnxruntime")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".onnx"]
    asked = ["git", "status", "--short", "--ignored", "*.onnx"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
