"""How many pictures at once: as many as there is memory for, and the same pictures however many."""

from dataclasses import replace

import pytest
import torch
from wishes import Tab, host_of

from core import Engine, Request, SamplerSettings
from core.cost import cost_of
from core.fitting import AT_ONCE, SHARE, batch_that_fits, free_memory, needs
from core.pixels import to_pixels


@pytest.fixture(scope="module")
def large(tiny_config):
    return replace(tiny_config, sample_size=128)


@pytest.mark.parametrize(("room", "batch"), [(9, 8), (8, 8), (7.9, 4), (3.9, 2), (1.9, 1), (0.1, 1)])
def test_a_batch_is_as_large_as_the_memory_that_is_free(large, room, batch):
    cost = cost_of(large)
    free = (4 * cost.parameters + room * cost.activations) / SHARE
    assert batch_that_fits(large, round(free)) == batch
    assert SHARE == 0.5


def test_small_networks_and_systems_that_do_not_tell_have_all(large, tiny_config):
    assert batch_that_fits(tiny_config, 1) == batch_that_fits(large, None) == AT_ONCE


def test_this_system_tells_what_is_free(monkeypatch):
    told = "MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:  7 kB\n"
    monkeypatch.setattr("core.fitting.Path.read_text", lambda *_, **__: told)
    assert free_memory(torch.device("cpu")) == 7 * 1024
    monkeypatch.setattr("core.fitting.Path.read_text", lambda *_, **__: "MemTotal: 1 kB\n")
    assert free_memory(torch.device("cpu")) is None


def test_what_it_needs_is_said(tiny_config, large):
    assert needs(tiny_config).endswith(" MB for eight.")
    cost = cost_of(large)
    assert f"{cost.parameters:,} parameters" in needs(large)
    assert f"{cost.memory(8) / 1e6:.0f} MB for eight" in needs(large)


@pytest.mark.parametrize("backend", ["torch", "onnxruntime"])
def test_the_page_makes_no_more_at_once_than_fit(tiny_folder, tmp_path, monkeypatch, backend):
    monkeypatch.setattr("core.engine.batch_that_fits", lambda *_: 2)
    host = host_of(tmp_path, tiny_folder)
    host.backend = backend
    tab = Tab(host, steps=2, count=8)
    tab.want()
    run = tab.session.last["samples"]
    assert run.timing.batch == 2
    want = Engine.open(tiny_folder, "cpu", backend=backend).sample(Request(tuple(range(3, 11)), SamplerSettings(2)))
    assert abs(run.pixels.astype(int) - to_pixels(want.images)).max() <= 1
