"""A checkpoint with classes on the page and over the API: every view samples the class that is chosen."""

import numpy as np
import pytest
from diffusers import DDIMScheduler
from gradio_client import Client
from test_given_pictures import drop, noise
from wishes import Tab, host_of, served

from core import Engine, Request, SamplerSettings
from core.pixels import to_pixels
from demo.settings import VIEWS, PageSettings
from demo.views.reproduce.code import request_here
from tests.foreign import write_folder

QUICK = {"lanes": [{"steps": 2}, {"steps": 3}], "grid_steps": [2], "branch_at": [500], "branch_count": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, _ = write_folder(tmp_path_factory.mktemp("classes") / "ten", DDIMScheduler(), num_class_embeds=10)
    return path


@pytest.fixture(scope="module")
def host(folder, tmp_path_factory):
    return host_of(tmp_path_factory.mktemp("host"), folder)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_samples_the_class_that_is_chosen(host, view):
    tab = Tab(host, checkpoint="ten", view="learn", label=7, picture="none", picture_to="none", **QUICK)
    tab.want()
    name = drop(tab, noise(8, 8))
    answer = tab.want(view=view, picture=name, picture_to=name)
    assert answer.status[0] == "done", answer.status
    if view != "learn":
        assert {"classes": 10} in answer.messages
    computes = view not in ("tradeoff", "reproduce", "learn")
    assert {run.job.request.settings.label for run in tab.session.last.values()} == ({7} if computes else set())


def test_another_class_is_another_picture_and_the_engine_s_own(host, folder):
    tab = Tab(host, checkpoint="ten", view="explore")
    engine = Engine.open(folder, "cpu")
    shown = []
    for label in (7, 2):
        tab.want(label=label, count=1)
        shown.append(tab.session.last["samples"].pixels)
        want = engine.sample(Request((3,), SamplerSettings(3, label=label))).images
        assert np.array_equal(shown[-1], to_pixels(want))
    assert not np.array_equal(*shown)
    assert tab.want().panels["samples"]["label"] == "S = 3 · η = 0 · class 2"
    assert "class 2 · " in tab.want(view="grid", grid_steps=[2]).panels["grid"]["label"]


def test_a_class_that_is_not_there_is_refused_with_those_that_are(host):
    state, said = Tab(host, checkpoint="ten", view="explore", label=10).want().status
    assert (state, said) == (
        "error", "ten has 10 classes, and label 10 is not one of them: choose one with label, 0 to 9."
    )  # fmt: skip


@pytest.mark.parametrize("what", ["samples", "branches"])
def test_the_command_of_a_run_has_its_class(folder, what):
    engine = Engine.open(folder, "cpu")
    assert request_here(what, PageSettings("ten", label=4), engine).settings.label == 4


def test_a_checkpoint_without_classes_has_none(tiny_folder, tmp_path):
    tab = Tab(host_of(tmp_path, tiny_folder), view="explore", label=7)
    assert {"classes": 0} in tab.want().messages
    assert {run.job.request.settings.label for run in tab.session.last.values()} == {None}


def test_the_api_samples_a_class(host, folder):
    with served(host) as address:
        client = Client(address, verbose=False)
        got = client.predict(checkpoint="ten", seeds=[1, 2], steps=3, label=6, api_name="/sample")
    want = Engine.open(folder, "cpu").sample(Request((1, 2), SamplerSettings(3, label=6))).images
    assert np.array_equal(np.load(got["files"]["npy"]), want.numpy())
