"""The S × η matrix: its jobs, its panel, its picture with a legend."""

import numpy as np
import pytest
from PIL import Image
from wishes import Tab, host_of

from core import RequestError
from core.files.legend import FOOT, MARGIN, legend_sheet, wrapped
from core.record import read_record
from demo.settings import PageSettings
from demo.views.grid import cell_name, jobs

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
    assert [job.name for job in made] == ["cell 2 0", "cell 2 1", "cell 3 0", "cell 3 1"]
    assert {job.request.seeds for job in made} == {(PAGE.seed,)}
    assert all(job.alone and not job.film for job in made)  # its time is its own


def test_every_eta_has_a_cell_of_its_own():
    assert cell_name(5, 0.1234561) != cell_name(5, 0.1234562)
    assert (cell_name(5, 0.5), cell_name(5, 1.0), cell_name(5, 0.0)) == ("cell 5 0.5", "cell 5 1", "cell 5 0")


def test_a_grid_says_what_it_takes_before_it_starts_and_fills_as_cells_finish(tab):
    answer = tab.want()
    values = grids(answer)
    assert (values[0]["grid"]["cells"], values[0]["state"], values[0]["progress"]) == (EMPTY, "waiting", 0)
    assert values[0]["label"].startswith("4 cells · 10 network evaluations · estimated")
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
    monkeypatch.setattr(tab.host, "expected_ms", lambda name, batch: 1e5)
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
    page = legend_sheet(cells, range(1, columns + 1), (0.0,), [["1 s"] * columns], note)
    bare = legend_sheet(cells, range(1, columns + 1), (0.0,), [["1 s"] * columns], "")
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
    page = legend_sheet(cells, (1, 2, 3), (0.0, 1.0), [["a", "b", "c"]] * 2, "note")
    big = cells[1, 2].repeat(14, 0).repeat(14, 1)
    found = np.lib.stride_tricks.sliding_window_view(page[..., 0], (112, 112))[::1, ::1]
    assert any((window == big[..., 0]).all() for row in found[100:200] for window in row[250:400])
    with pytest.raises(RequestError, match="as many cells"):
        legend_sheet(cells, (1, 2), (0.0, 1.0), [["a", "b"]] * 2, "")
