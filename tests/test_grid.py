"""The S × η matrix: its jobs, its panel, its picture with a legend."""

import numpy as np
import pytest
from PIL import Image
from test_views import final, values

from core import RequestError
from core.files.legend import FOOT, MARGIN, legend_sheet, wrapped
from core.record import read_record
from demo import runs
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.panels_of import cell_name, grid_value
from demo.settings import PageSettings

PAGE = PageSettings("tiny", view="grid", grid_steps=(2, 3), grid_etas=(0.0, 1.0))


@pytest.fixture
def handlers(tiny_folder, tmp_path):
    (tmp_path / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return Handlers(EngineHost(tmp_path, device="cpu"))


def test_every_cell_is_a_run_of_its_own_from_one_seed_the_short_ones_first():
    jobs = runs.jobs(PAGE)
    assert [job.name for job in jobs] == ["cell 2 0", "cell 2 1", "cell 3 0", "cell 3 1"]
    assert {job.request.seeds for job in jobs} == {(PAGE.seed,)}
    assert not any(job.film for job in jobs)


def test_the_panel_fills_as_cells_finish():
    shown = {cell_name(2, 0.0): {"state": "done"}}
    value = grid_value(shown, (2, 3), (0.0, 1.0), "plan")
    assert value["grid"]["cells"] == [[{"state": "done"}, None], [None, None]]
    assert (value["state"], value["progress"], value["label"]) == ("running", 0.25, "plan")
    assert grid_value({}, (2,), (0.5,), "")["state"] == "waiting"
    assert grid_value({cell_name(2, 0.5): {"state": "done"}}, (2,), (0.5,), "")["state"] == "done"


def grid_run(handlers, **changes):
    sent = values(**{"view": "grid", "grid_steps": (2, 3), "grid_etas": (0.0, 1.0), **changes})
    handlers.want("tab", sent)
    updates = list(handlers.run("tab", sent))
    return updates, final(updates)[0]["grid"]


def test_a_grid_says_what_it_takes_before_it_starts_and_times_each_cell(handlers):
    updates, grid = grid_run(handlers)
    planned = next(u.panels["grid"] for u in updates if "grid" in u.panels)
    assert planned["grid"]["cells"] == [[None, None], [None, None]]
    assert planned["label"].startswith("4 cells · 10 network evaluations · estimated")
    assert updates[-1].status[0] == "done"
    cells = [cell for row in grid["grid"]["cells"] for cell in row]
    assert all(cell["state"] == "done" and cell["total_s"] > 0 for cell in cells)
    before = dict(handlers.sessions.get("tab").finished)
    grid_run(handlers, grid_steps=(2, 3, 4))  # one more column: the others are not run again
    after = handlers.sessions.get("tab").finished
    assert all(after[name] is before[name] for name in before)
    assert len(after) == 6


def test_cells_of_another_seed_never_stand_beside_new_ones(handlers):
    _, first = grid_run(handlers)
    updates, second = grid_run(handlers, seed=99)
    planned = next(u.panels["grid"] for u in updates if "grid" in u.panels)
    assert planned["grid"]["cells"] == [[None, None], [None, None]]
    assert first["grid"]["cells"][0][0]["tiles"] != second["grid"]["cells"][0][0]["tiles"]


def test_a_long_grid_asks_first(handlers, monkeypatch):
    monkeypatch.setattr(handlers.host, "expected_ms", lambda name, batch: 1e4)
    updates, grid = grid_run(handlers)
    assert updates[-1].ask
    assert grid["grid"]["cells"] == [[None, None], [None, None]]


def test_the_picture_carries_the_legend_and_every_cells_record(handlers):
    with pytest.raises(ValueError, match="nothing to download"):
        handlers.export("tab", "grid-png")
    grid_run(handlers)
    path = handlers.export("tab", "grid-png")
    record = read_record(path)
    settings = [(r["request"]["settings"]["steps"], r["request"]["settings"]["eta"]) for r in record["runs"]]
    assert settings == [(2, 0.0), (3, 0.0), (2, 1.0), (3, 1.0)]
    with Image.open(path) as image:
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
