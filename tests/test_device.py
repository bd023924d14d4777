"""Which device and precision a run really uses."""

from types import SimpleNamespace

import pytest
import torch

from core import Engine, RequestError
from core.device import bf16_cost, resolve_device, resolve_precision

CPU = torch.device("cpu")


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


def test_auto_is_the_cpu_where_there_is_nothing_else(no_accelerator):
    assert resolve_device("auto") == CPU


def test_auto_prefers_cuda_to_mps_to_cpu(monkeypatch):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert resolve_device("auto").type == "mps"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert resolve_device("auto").type == "cuda"


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps"])
def test_a_device_this_machine_lacks_is_refused_with_the_remedy(no_accelerator, device):
    with pytest.raises(RequestError, match=rf"no usable '{device}': use --device cpu"):
        resolve_device(device)


def test_a_gpu_beyond_the_last_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert resolve_device("cuda:1").index == 1
    with pytest.raises(RequestError, match="cuda:2"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("device", ["gpu", "", "cuda:x", "xpu", "meta"])
def test_anything_else_is_refused(no_accelerator, device):
    with pytest.raises(RequestError, match="use"):
        resolve_device(device)


def test_precision_auto_is_fp32_on_every_device():
    for kind in ("cpu", "cuda", "mps"):
        assert resolve_precision("auto", torch.device(kind)) == "fp32"


def test_an_unknown_precision_is_refused():
    with pytest.raises(RequestError, match="auto, fp32, bf16 or fp16"):
        resolve_precision("fp64", CPU)


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(RequestError, match="fp16"):
        resolve_precision("fp16", CPU)


def test_the_engine_refuses_them_as_it_opens(tiny_folder, no_accelerator):
    for device, precision in (("cuda", "auto"), ("cpu", "fp16"), ("cpu", "half")):
        with pytest.raises(RequestError):
            Engine.open(tiny_folder, device, precision)


def test_the_cost_of_bf16_is_the_ratio_of_the_least_times(monkeypatch):
    took = {torch.float32: iter([9, 2, 3, 2, 2, 5]), torch.bfloat16: iter([90, 3, 4, 5, 6, 7])}
    clock = SimpleNamespace(now=0.0)

    def convolved(x, weight, padding):
        assert x.dtype == weight.dtype
        clock.now += next(took[x.dtype])

    monkeypatch.setattr("core.device.conv2d", convolved)
    assert bf16_cost(CPU, lambda: clock.now) == 1.5
    assert bf16_cost(torch.device("cuda")) == 1


def test_the_cost_of_bf16_is_measured_here():
    assert 0.05 < bf16_cost(CPU) < 5000
