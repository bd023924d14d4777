"""Branches in the page: its jobs at the checkpoint's own steps, its panel, its files."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from wishes import Tab, host_of

from core import Branches, Engine, Request, SamplerSettings
from core.branches import spread
from core.pixels import to_pixels
from core.record import read_record, recorded
from demo.settings import PageSettings
from demo.views.branches import fitted, jobs

FIND = {}.get  # no pictures are given
PAGE = PageSettings("tiny", view="branches", steps=4, branch_at=(260, 740), branch_count=2)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture
def tab(tiny_folder, tmp_path):
    at = {"branch_at": [260, 740], "branch_count": 2}
    return Tab(host_of(tmp_path, tiny_folder), view="branches", steps=4, **at)


def places(made):
    return [job.request.branches.at for job in made]


def test_each_row_parts_at_the_nearest_step_the_noisiest_first(engine):
    made = jobs(PAGE)
    assert places(made) == [740, 260]
    assert places(fitted(made, engine, FIND)) == [750, 250]  # of 750, 500, 250, 0
    assert [job.name for job in fitted(made, engine, FIND)] == ["row 0", "row 1"]
    one_step = fitted(jobs(replace(PAGE, steps=1)), engine, FIND)
    assert places(one_step) == [0]  # where rows meet the first stays
    assert {job.request.settings for job in made} == {SamplerSettings(4, 0.0, "leading")}


def test_the_rows_are_what_the_engine_gives(tab, engine):
    answer = tab.want(eta=0.5, branch_eta=1)
    value = answer.panels["tree"]
    assert (value["state"], value["progress"]) == ("done", 1.0)
    assert value["label"] == "S = 4 · seed 3, at η = 0.5 down to t, then at η = 1"
    for row, t in zip(value["rows"], (750, 250), strict=True):
        want = engine.sample(Request((3,), SamplerSettings(4, 0.5), branches=Branches(t, 2, 1.0))).images
        assert (row["at"], row["count"], row["apart"]) == (t, 2, round(spread(want), 4))
        assert np.array_equal(tab.session.last[f"row {0 if t == 750 else 1}"].pixels, to_pixels(want))
        assert row["total_s"] > 0
    assert value["rows"][0]["fork"] != value["rows"][1]["fork"]


def test_without_noise_the_branches_are_said_to_be_alike(tab):
    value = tab.want(branch_eta=0).panels["tree"]
    assert "all alike" in value["said"]
    assert [row["apart"] for row in value["rows"]] == [0.0, 0.0]
    assert "decided" in tab.want(branch_eta=1).panels["tree"]["said"]


def test_a_row_of_other_settings_never_stands_beside_new_ones(tab):
    tab.want()
    answer = tab.want(seed=99)
    first = next(m["value"] for m in answer.messages if m.get("panel") == "tree")
    assert [row["state"] for row in first["rows"]] == ["waiting", "waiting"]
    assert first["files"] == []


def test_what_was_computed_before_is_not_computed_again(tab):
    tab.want()
    assert [row["cached"] for row in tab.want(branch_at=[260, 500, 740]).panels["tree"]["rows"]] == [True, False, True]


def test_a_stopped_run_keeps_its_whole_rows(tab):
    answer, messages = tab.begin()
    while answer.panels.get("tree", {}).get("rows", [{}])[0].get("state") != "done":
        next(messages)
    tab.stop()
    for _ in messages:
        pass
    assert answer.status[0] == "stopped"
    assert [row["state"] for row in answer.panels["tree"]["rows"]] == ["done", "stopped"]


def test_its_files_carry_every_row_and_the_film_comes_down_together(tab, tmp_path):
    files = tab.files(tab.want(), "tree")
    suffixes = [name.rpartition("_")[2] for name in files]
    assert suffixes[:3] == ["branches.gif", "branches.png", "branches.webp"]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        if name.endswith(".mp4"):
            continue
        found = recorded(read_record(tmp_path / name))
        assert (found.kind, found.at) == ("branches", (750, 250))
        with Image.open(tmp_path / name) as image:
            assert getattr(image, "n_frames", 1) == (1 if name.endswith(".png") else 5)  # four steps and the end
