"""The matrix of two settings: its jobs, its panel, its picture with a legend."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from wishes import Tab, host_of

from core import RequestError
from core.axes import value_of
from core.files.legend import FOOT, MARGIN, labelled, wrapped
from core.record import read_record
from demo.settings import PageSettings
from demo.views.grid import cell_jobs, jobs

PAGE = PageSettings("tiny", view="grid", grid_steps=(2, 3), grid_etas=(0.0, 1.0))
EMPTY = [[None, None], [None, None]]


@pytest.fixture
def tab(tiny_folder, tmp_path):
    return Tab(host_of(tmp_path, tiny_folder), view="grid", grid_steps=[2, 3], grid_etas=[0, 1])


def grids(answer):
    """The panel's values, in the order in which they came."""
    return [message["value"] for message in answer.messages if message.get("panel") == "grid"]


def flat(value):
    return [cell for row in value["grid"]["cells"] for cell in row]


def test_every_cell_is_a_run_of_its_own_from_one_seed_the_short_ones_first():
    made = jobs(PAGE)
    assert [(job.request.settings.steps, job.request.settings.eta) for job in made] == [(2, 0), (2, 1), (3, 0), (3, 1)]
    assert {job.request.seeds for job in made} == {(PAGE.seed,)}
    assert all(job.alone and not job.film for job in made)  # its time is its own


AXES = [
    ("steps", "eta", [{"steps": S, "eta": eta} for eta in (0.0, 1.0) for S in (2, 3)]),
    ("seed", "steps", [{"seed": seed, "steps": S} for S in (2, 3) for seed in (4, 9)]),
    ("spacing", "seed", [{"spacing": name, "seed": seed} for seed in (4, 9) for name in ("leading", "quadratic")]),
    ("steps", "solver", [{"steps": S, "solver": name} for name in ("ddim", "dpm-solver++") for S in (2, 3)]),
]


@pytest.mark.parametrize(("x", "y", "varied"), AXES)
def test_any_two_settings_are_axes_and_all_else_is_what_the_page_is_set_to(x, y, varied):
    page = replace(
        PAGE, grid_x=x, grid_y=y, grid_seeds=(4, 9), grid_spacings=("leading", "quadratic"), steps=7, spacing="trailing"
    )
    common = {"steps": 7, "eta": 0.0, "seed": PAGE.seed, "spacing": "trailing", "solver": "ddim"}
    asked = [{name: value_of(job.request, name) for name in common} for job in cell_jobs(page)]
    assert asked == [common | values for values in varied]
    assert len({job.name for job in cell_jobs(page)}) == 4


def test_what_the_cells_have_in_common_is_said_and_opens_in_explore(tab):
    value = tab.want(grid_x="seed", grid_y="spacing", grid_seeds=[4, 9], grid_spacings=["linspace"], eta=0.5).panels[
        "grid"
    ]
    assert value["label"].startswith("S = 3, η = 0.5 · 2 cells · 6 network evaluations")
    grid = value["grid"]
    assert (grid["title"], grid["columns"], grid["rows"]) == (
        "Seed across, spacing down", ["seed 4", "seed 9"], ["linspace"]
    )  # fmt: skip
    assert grid["settings"][0][1] == {"steps": 3, "eta": 0.5, "seed": 9, "spacing": "linspace", "solver": "ddim"}
    (cells,) = grid["cells"]
    assert [(cell["seeds"], cell["state"]) for cell in cells] == [([4], "done"), ([9], "done")]
    assert cells[0]["tiles"] != cells[1]["tiles"]
    ((name, data),) = tab.files(tab.want(), "grid").items()
    assert (name, data[:4]) == ("tiny_seed4-9_grid.png", b"\x89PNG")


def test_where_the_solver_varies_eta_is_0_and_where_eta_varies_the_solver_is_ddim():
    at = {"grid_x": "solver", "grid_y": "seed", "eta": 0.5}
    assert {job.request.settings.eta for job in cell_jobs(replace(PAGE, **at))} == {0.0}
    solvers = {job.request.settings.solver for job in cell_jobs(replace(PAGE, solver="dpm-solver++"))}
    assert solvers == {"ddim"}
    third = cell_jobs(replace(PAGE, grid_y="seed", solver="dpm-solver++"))
    assert {job.request.settings.solver for job in third} == {"dpm-solver++"}


def test_a_grid_says_what_it_takes_before_it_starts_and_fills_as_cells_finish(tab):
    answer = tab.want()
    values = grids(answer)
    assert (values[0]["grid"]["cells"], values[0]["state"], values[0]["progress"]) == (EMPTY, "waiting", 0)
    assert values[0]["label"].startswith("seed 3, leading · 4 cells · 10 network evaluations · estimated")
    done = [sum(cell is not None and cell["state"] == "done" for cell in flat(value)) for value in values]
    assert done == sorted(done)
    assert set(done) == {0, 1, 2, 3, 4}
    assert [value["progress"] for value in values] == [n / 4 for n in done]
    assert {value["state"] for value, n in zip(values, done, strict=True) if 0 < n < 4} == {"running"}
    assert (values[-1]["state"], answer.status[0]) == ("done", "done")


def test_each_cell_stands_at_its_own_settings_with_its_own_time(tab):
    rows = tab.want().panels["grid"]["grid"]["cells"]
    assert [[(cell["steps"], cell["eta"]) for cell in row] for row in rows] == [[(2, 0), (3, 0)], [(2, 1), (3, 1)]]
    assert len({cell["tiles"] for row in rows for cell in row}) == 4
    assert all(cell["total_s"] > 0 for row in rows for cell in row)


def test_one_more_column_runs_no_other_cell_again(tab):
    tab.want()
    before = dict(tab.session.last)
    answer = tab.want(grid_steps=[2, 3, 4])
    after = tab.session.last
    assert len(before) == 4
    assert all(after[name] is before[name] for name in before)
    assert len(after) == 6
    assert [cell["cached"] for cell in flat(answer.panels["grid"])] == [True, True, False] * 2


def test_cells_of_another_seed_or_spacing_never_stand_beside_new_ones(tab):
    first = flat(tab.want().panels["grid"])
    for change in ({"seed": 99}, {"spacing": "trailing"}):
        answer = tab.want(**change)
        assert grids(answer)[0]["grid"]["cells"] == EMPTY
        assert first[0]["tiles"] != flat(answer.panels["grid"])[0]["tiles"]


def test_a_long_grid_asks_first_and_starts_at_a_word(tab, monkeypatch):
    tab.want(view="learn")
    monkeypatch.setattr(tab.host.pace, "expected_ms", lambda name, batch: 1e5)
    answer = tab.want(view="grid", start=False)
    assert answer.status[0] == "asked"
    assert {cell["state"] for cell in flat(answer.panels["grid"])} == {"asked"}
    assert all(cell["ask"] for cell in flat(answer.panels["grid"]))
    assert tab.session.last == {}
    assert tab.want(start=True).status[0] == "done"


def test_a_stopped_grid_keeps_its_cells_and_does_not_say_that_it_runs(tab):
    answer, messages = tab.begin()
    while answer.panels.get("grid", {}).get("progress", 0) < 0.5:
        next(messages)
    tab.stop()
    for _ in messages:
        pass
    assert answer.status == ("stopped", "Stopped.")
    assert answer.panels["grid"]["state"] not in ("coarse", "running")
    states = [cell and cell["state"] for cell in flat(answer.panels["grid"])]
    assert states.count("done") == 2
    assert "running" not in states
    assert tab.want().status[0] == "done"


def test_the_picture_carries_the_legend_and_every_cells_record(tab, tmp_path):
    answer, messages = tab.begin()
    while "grid" not in answer.panels:
        next(messages)
    assert answer.panels["grid"]["files"] == []
    for _ in messages:
        pass
    ((name, data),) = tab.files(answer, "grid").items()
    assert name == "tiny_seed3_grid.png"
    (tmp_path / name).write_bytes(data)
    record = read_record(tmp_path / name)
    settings = [(r["request"]["settings"]["steps"], r["request"]["settings"]["eta"]) for r in record["runs"]]
    assert settings == [(2, 0.0), (3, 0.0), (2, 1.0), (3, 1.0)]
    with Image.open(tmp_path / name) as image:
        assert image.width > 2 * 112
        left = np.asarray(image.convert("L"))[:, :70]
    assert (left < 128).any()  # η stands beside the rows


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_the_legend_shows_its_whole_note(columns):
    cells = np.zeros((1, columns, 8, 8, 3), np.uint8)
    note = "toon-faces, seed 3, leading; cpu x86_64 (AMD EPYC 7B13), 2 threads, fp32, torch 2.13.0, everything"
    page, bare = (
        labelled(cells, [f"S = {i + 1}" for i in range(columns)], ["η = 0"], [["1 s"] * columns], text)
        for text in (note, "")
    )
    assert " ".join(wrapped(note, page.shape[1] - 2 * MARGIN)) == note
    assert (page[: len(bare) - FOOT] == bare[:-FOOT]).all()
    below = page[len(bare) - FOOT :]
    ink = (below < 240).any(axis=(0, 2))
    assert ink[MARGIN : MARGIN + 20].any()
    assert not ink[:MARGIN].any()
    assert not ink[-MARGIN:].any()
    assert (page[-3:] == page[-1, -1]).all()  # the last line is whole, too


def test_the_legend_moves_no_pixel_of_a_cell():
    cells = np.random.default_rng(0).integers(0, 255, (2, 3, 8, 8, 3), dtype=np.uint8)
    page = labelled(cells, ["1", "2", "3"], ["a", "b"], [["a", "b", "c"]] * 2, "note")
    big = cells[1, 2].repeat(14, 0).repeat(14, 1)
    found = np.lib.stride_tricks.sliding_window_view(page[..., 0], (112, 112))[::1, ::1]
    assert any((window == big[..., 0]).all() for row in found[100:200] for window in row[250:400])
    with pytest.raises(RequestError, match="as many cells"):
        labelled(cells, ["1", "2"], ["a", "b"], [["a", "b"]] * 2, "")
