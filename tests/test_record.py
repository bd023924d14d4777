"""One schema for every export; it reads back to the request it was made from."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import DataError, Engine, Request, SamplerSettings
from core.axes import Axis, cells
from core.files import Made, save
from core.files.encoders import png_bytes
from core.record import (
    MAX_LISTED,
    MAX_RUNS,
    current,
    grid_record,
    race_record,
    read_record,
    recorded,
    request_of,
    to_text,
)

REQUESTS = [
    Request((1, 2), SamplerSettings(3, 0.25, "quadratic", clip=True)),
    Request((3, 8), SamplerSettings(timesteps=(900, 400, 0), spacing="leading", clip=False), frames=4, loop=True),
    Request((2**53 - 1,), SamplerSettings(2, sigma_hat=True, spacing="trailing", clip=True)),
    Request(np.arange(2), SamplerSettings(np.int64(2), np.float32(0.25), "leading", clip=np.True_)),
]


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_a_run_exported_and_read_back_is_the_same_request(tiny_folder, tmp_path, request_, suffix):
    result = Engine.open(tiny_folder, "cpu").sample(request_)
    path = tmp_path / f"run{suffix}"
    save(path, Made(result.record, images=result.images))
    record = read_record(path)
    assert record == json.loads(json.dumps(result.record))
    assert request_of(record) == request_


def test_the_text_is_ascii_for_exif_and_gif_comments():
    assert to_text({"schema": "η"}).isascii()


def picture(path, **options):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("suffix", "why"),
    [(suffix, "not exported by this program") for suffix in (".png", ".gif", ".webp")] + [(".jpg", "saved again")],
)
def test_a_foreign_picture_is_refused_by_name(tmp_path, suffix, why):
    with pytest.raises(DataError, match=f"foreign{suffix}.*{why}"):
        read_record(picture(tmp_path / f"foreign{suffix}"))


@pytest.mark.parametrize("comment", [b"made with love", b"{}", b"[1]", b'{"schema":"other/1"}', b"\xff\xfe"])
def test_a_foreign_comment_is_refused(tmp_path, comment):
    with pytest.raises(DataError, match="carries no run settings"):
        read_record(picture(tmp_path / "x.gif", comment=comment))


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"just text"])
def test_what_is_no_picture_is_refused(tmp_path, data):
    (tmp_path / "x.gif").write_bytes(data)
    with pytest.raises(DataError, match=r"x\.gif is not a picture"):
        read_record(tmp_path / "x.gif")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"x\.png"):
        read_record(tmp_path / "x.png")


SETTINGS = {"steps": 5, "timesteps": None}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"request": None},
        {"request": "abc"},
        {"request": {"seeds": [1]}},
        {"request": {"seeds": [1], "settings": "abc"}},
        {"request": {"seeds": 1, "settings": SETTINGS}},
        {"request": {"seeds": [1], "settings": {**SETTINGS, "temperature": 2}}},
        {"request": {"seeds": [1], "settings": SETTINGS, "prompt": "cat"}},
        {"request": {"seeds": [-1], "settings": SETTINGS}},
        {"request": {"seeds": [1], "settings": {**SETTINGS, "eta": 7}}},
    ],
)
def test_a_record_of_something_else_is_refused(record):
    with pytest.raises(DataError, match="does not describe a run"):
        request_of(record)


# Written before a file of several runs had a schema of its own: the first run's record, and all of them in it.
OLD = Path(__file__).parent / "old_files"


def test_a_race_and_a_grid_of_earlier_versions_are_read_as_today_s():
    race, grid = read_record(OLD / "race.gif"), read_record(OLD / "grid.png")
    assert (race["schema"], race["kind"], set(race)) == ("ddim-runs/1", "race", {"schema", "kind", "runs"})
    found = recorded(race)
    assert [(r.seeds, r.settings.steps, r.settings.eta, r.settings.spacing) for r in found.requests] == [
        ((3,), 2, 0.0, "leading"), ((3,), 3, 1.0, "trailing")
    ]  # fmt: skip
    assert (grid["schema"], grid["kind"], set(grid)) == ("ddim-runs/1", "grid", {*race, "columns", "rows"})
    assert grid["columns"] == {"setting": "steps", "values": [2, 3]}
    assert grid["rows"] == {"setting": "eta", "values": [0.0, 1.0]}
    cells = [(r.settings.eta, r.settings.steps) for r in recorded(grid).requests]
    assert cells == [(0.0, 2), (0.0, 3), (1.0, 2), (1.0, 3)]
    assert all(run["schema"] == "ddim-run/1" and "grid" not in run for run in grid["runs"])


@pytest.fixture(scope="module")
def run():
    """The record of one run, as a file holds it."""
    return read_record(OLD / "race.gif")["runs"][0]


def with_settings(run, **changes):
    return {**run, "request": {**run["request"], "settings": {**run["request"]["settings"], **changes}}}


def axes(steps, etas):
    return Axis("steps", tuple(steps)), Axis("eta", tuple(etas))


def old_grid(runs):
    return {"schema": "ddim-runs/1", "kind": "grid", "steps": [2], "etas": [0.0], "runs": runs}


def cells_of(run, steps, etas):
    return [with_settings(run, steps=S, eta=eta) for eta in etas for S in steps]


@pytest.mark.parametrize(
    ("steps", "etas"), [([5], [0.0]), ([2, 5], [0.0]), ([5], [1.0, 0.0]), ([5, 2, 9], [0.0, 1.0]), ([5, 2, 5], [1, 1])]
)
def test_the_axes_of_an_earlier_grid_come_from_its_cells(run, steps, etas):
    cells = cells_of(run, steps, etas)
    found = recorded({**cells[0], "grid": cells})
    assert [(r.settings.eta, r.settings.steps) for r in found.requests] == [(eta, S) for eta in etas for S in steps]
    assert [(eta, S) for eta in found.rows.values for S in found.columns.values] == [
        (eta, S) for eta in etas for S in steps
    ]


def test_a_record_of_today_is_not_changed_by_reading(run):
    for record in (run, race_record([run]), grid_record([run], *axes([2], [0.0]))):
        assert current(record) == record
    assert recorded(run).runs == (run,)
    assert recorded(race_record([run, run])).kind == "race"
    assert recorded(grid_record([run], *axes([2], [0.0]))).columns == Axis("steps", (2,))


def test_a_grid_whose_axes_were_s_and_eta_by_name_is_read_as_today_s(run):
    cells = cells_of(run, [2, 3], [0.0, 1.0])
    old = {"schema": "ddim-runs/1", "kind": "grid", "steps": [2, 3], "etas": [0.0, 1.0], "runs": cells, "note": 1}
    assert current(old) == {**grid_record(cells, *axes([2, 3], [0.0, 1.0])), "note": 1}


@pytest.mark.parametrize(
    ("columns", "rows"),
    [(Axis("seed", (4, 9)), Axis("spacing", ("leading", "quadratic"))),
     (Axis("solver", ("ddim", "dpm-solver++")), Axis("steps", (9, 2)))],
)  # fmt: skip
def test_a_grid_of_any_two_settings_is_read_back(run, columns, rows):
    asked = cells(request_of(with_settings(run, eta=0.0)), columns, rows)
    record = json.loads(to_text(grid_record([{**run, "request": asdict(one)} for one in asked], columns, rows)))
    found = recorded(record)
    assert (found.columns, found.rows, list(found.requests)) == (columns, rows, asked)
    record["runs"][3]["request"]["settings"]["eta"] = 0.5  # beside its axes a cell differs from the others
    with pytest.raises(DataError, match="does not describe"):
        recorded(record)


def test_of_a_later_version_what_is_new_is_kept(run):
    assert recorded({**run, "note": [1]}).runs[0]["note"] == [1]


@pytest.mark.parametrize(
    "change",
    [
        lambda run: {**run, "schema": "ddim-run/9"},
        lambda run: {**run, "checkpoint": {"name": "x"}},
        lambda run: {**run, "checkpoint": {"name": "x" * 1001, "sha256": "0"}},
        lambda run: {**run, "checkpoint": {"name": "\ud800", "sha256": "0"}},
        lambda run: {**run, "timing": {**run["timing"], "device": ["cpu"]}},
        lambda run: {**run, "timing": {**run["timing"], "threads": "2"}},
        lambda run: {**run, "timing": {**run["timing"], "batch": 0}},
        lambda run: {**run, "timing": {**run["timing"], "batch": True}},
        lambda run: {**run, "timing": {**run["timing"], "total_s": float("nan")}},
        lambda run: {**run, "timing": {**run["timing"], "total_s": "1"}},
        lambda run: {**run, "versions": {"torch": {"of": "another shape"}}},
        lambda run: {**run, "latents_sha256": 7},
        lambda run: with_settings(run, timesteps=["9", 3]),
        lambda run: with_settings(run, timesteps="93"),
        lambda run: {**run, "race": []},
        lambda run: {**run, "race": {}},
        lambda run: {**run, "race": [run], "grid": [run]},
        lambda run: {**run, "race": [{**run, "race": [run]}]},
        lambda run: {**run, "grid": [run, {**run, "request": None}]},
        lambda run: {**run, "grid": cells_of(run, [2, 3], [0.0, 1.0])[:3]},
        lambda run: race_record([]),
        lambda run: race_record(["x"]),
        lambda run: race_record([race_record([run])]),
        lambda run: {**race_record([run]), "kind": "film"},
        lambda run: {**race_record([run]), "kind": ["race"]},
        lambda run: {**race_record([run]), "runs": {"0": run}},
        lambda run: {**old_grid([run]), "steps": [], "etas": []},
        lambda run: {**old_grid([run]), "etas": 0.0},
        lambda run: grid_record([run], *axes([3], [0.0])),
        lambda run: grid_record([run, run], *axes([2], [0.0])),
        lambda run: grid_record(cells_of(run, [2, 3], [0.0, 1.0]), *axes([2, 3, 2, 3], [0.0])),
        lambda run: grid_record([run], Axis("steps", (2,)), Axis("steps", (2,))),
        lambda run: {**grid_record([run], *axes([2], [0.0])), "rows": [0.0]},
        lambda run: {**grid_record([run], *axes([2], [0.0])), "rows": {"setting": "clip", "values": [True]}},
        lambda run: {**grid_record([run], *axes([2], [0.0])), "rows": {"setting": "eta", "values": [[0.0]]}},
        lambda run: {**grid_record([run], *axes([2], [0.0])), "rows": {"setting": ["eta"], "values": [0.0]}},
        lambda run: {**grid_record([run], *axes([2], [0.0])), "columns": None},
    ],
)
def test_what_has_another_shape_is_refused_in_a_sentence(run, change):
    with pytest.raises(DataError, match=r"^This record does not describe a run of this program\.$"):
        recorded(change(run))


def test_what_is_too_long_to_be_looked_at_is_refused_in_a_sentence(run):
    long = {**run, "request": {**run["request"], "seeds": [1] * (MAX_LISTED + 1)}}
    for record, said in (
        (long, "names 10,001 seeds: at most 10,000"),
        (race_record([run, long]), "names 10,001 seeds: at most 10,000"),
        (with_settings(run, timesteps=list(range(MAX_LISTED + 1))), "names 10,001 steps: at most 10,000"),
        (race_record([run] * (MAX_RUNS + 1)), "names 4,097 runs: at most 4,096"),
        ({**run, "grid": [run] * (MAX_RUNS + 1)}, "names 4,097 runs: at most 4,096"),
        (grid_record([run], *axes([2] * (MAX_RUNS + 1), [0.0])), "names 4,097 values: at most 4,096"),
    ):
        with pytest.raises(DataError, match=rf"^This record {said} are read\.$"):
            recorded(record)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"schema":"ddim-run/1","x":' + "9" * 10_000 + "}", "ddim-run/1"])
def test_text_that_is_no_json_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.setattr("core.files.encoders.to_text", str)
    (tmp_path / "x.png").write_bytes(png_bytes(np.zeros((4, 4, 3), np.uint8), text))
    with pytest.raises(DataError, match="carries no run settings"):
        read_record(tmp_path / "x.png")


def test_a_file_is_read_only_with_a_record_that_is_whole(tmp_path, run):
    (tmp_path / "x.png").write_bytes(png_bytes(np.zeros((4, 4, 3), np.uint8), {**run, "timing": None}))
    with pytest.raises(DataError, match="says nothing of its timing"):
        read_record(tmp_path / "x.png")
