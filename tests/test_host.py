"""Engines come into memory when they are asked for, and leave it when nobody does."""

import gc
import weakref

import pytest
from wishes import host_of

from core import Request
from demo.host import IDLE_S


@pytest.fixture
def host(tiny_folder, tmp_path):
    host = host_of(tmp_path, tiny_folder)
    (tmp_path / "other").symlink_to(tiny_folder, target_is_directory=True)
    host.now = 0.0
    host.clock = lambda: host.now
    return host


def test_an_engine_that_nobody_asks_for_leaves_once_another_comes(host):
    gone = weakref.ref(host.engine("tiny"))
    host.now = IDLE_S + 1
    assert host.loaded("tiny")  # alone it is in nobody's way
    host.engine("other")
    assert not host.loaded("tiny")
    gc.collect()
    assert gone() is None
    assert host.engine("tiny").sample(Request(seeds=(3,))).images.shape[0] == 1  # and it comes back


def test_an_idle_engine_leaves_without_another_opening_but_the_last_one_used_stays(host):
    gone, stays = weakref.ref(host.engine("tiny")), weakref.ref(host.engine("other"))
    host.now = IDLE_S - 1
    host.let_go()
    assert host.loaded("tiny")
    host.engine("other")
    host.now = 3 * IDLE_S
    host.let_go()
    gc.collect()
    assert gone() is None
    assert stays() is host.engine("other")


def test_an_engine_that_is_used_now_and_then_stays(host):
    engine = host.engine("tiny")
    host.now = IDLE_S - 1
    assert host.engine("tiny") is engine
    host.now += IDLE_S - 1
    for _ in host.compute.steps(host.opened("tiny")):  # as a tab does
        pass
    host.now += IDLE_S - 1
    host.engine("other")
    assert host.engine("tiny") is engine
