"""Each kind of file in each of its suffixes: the pictures it shows, the record it carries, and what it refuses."""

import io

import numpy as np
import pytest
from PIL import Image

from core import Engine, Request, RequestError, SamplerSettings, files
from core.axes import Axis
from core.files import Made
from core.files.film import Runner
from core.files.legend import Legend
from core.pixels import sheet, to_pixels
from core.record import grid_record, race_record, read_record, request_of

STEPS, ETAS = (2, 3), (1.0, 0.0)
AXES = Axis("steps", STEPS), Axis("eta", ETAS)
LEGEND = Legend(["S = 2", "S = 3"], ["η = 1", "η = 0"], [["a", "b"]] * 2, "note")
STRIP, LOOP = Request((3, 8), SamplerSettings(2), frames=4), Request((3, 8), SamplerSettings(2), frames=4, loop=True)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def made(engine, request):
    result = engine.sample(request)
    return Made(result.record, images=result.images)


@pytest.fixture(scope="module")
def cells(engine):
    """Of a grid, row by row."""
    return [made(engine, Request((3,), SamplerSettings(S, eta))) for eta in ETAS for S in STEPS]


@pytest.fixture(scope="module")
def race(cells):
    return [Runner("x", np.repeat(run.pictures, 2, axis=0), (0.0, 0.1 * (i + 1))) for i, run in enumerate(cells[:3])]


def frames(data):
    with Image.open(io.BytesIO(data)) as image:
        return [np.asarray((image.seek(i), image.convert("RGB"))[1]) for i in range(getattr(image, "n_frames", 1))]


def saved_record(tmp_path, suffix, data):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    return read_record(path)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_files_of_one_run_carry_its_record(engine, tmp_path, suffix):
    square = made(engine, Request((1, 2, 3, 4), SamplerSettings(2), sheet=3))
    path = made(engine, STRIP)
    film = path.pictures
    for run, data in (
        (path, files.strip(suffix, path)),
        (path, files.samples(suffix, path)),
        (path, files.of_run(suffix, path)),
        (square, files.sheet(suffix, square)),
        *([(path, files.trajectory(suffix, path.record, film, film[::-1]))] if suffix != ".png" else []),
    ):
        assert request_of(saved_record(tmp_path, suffix, data)) == request_of(run.record)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_a_race_carries_the_record_of_every_runner(cells, race, tmp_path, suffix):
    record = saved_record(tmp_path, suffix, files.race(suffix, race, cells[:3]))
    assert (record["schema"], record["kind"]) == ("ddim-runs/1", "race")
    assert [request_of(run) for run in record["runs"]] == [request_of(run.record) for run in cells[:3]]


def test_a_grid_carries_the_record_of_every_cell_and_its_axes(cells, tmp_path):
    data = files.grid(".png", cells, *AXES, LEGEND)
    record = saved_record(tmp_path, ".png", data)
    assert (record["schema"], record["kind"]) == ("ddim-runs/1", "grid")
    assert record["columns"] == {"setting": "steps", "values": list(STEPS)}
    assert record["rows"] == {"setting": "eta", "values": list(ETAS)}
    assert [request_of(run) for run in record["runs"]] == [request_of(run.record) for run in cells]


def test_every_npy_holds_the_images_unrounded(cells, race, engine):
    path = made(engine, STRIP)
    for data in (files.strip(".npy", path), files.samples(".npy", path), files.of_run(".npy", path)):
        assert np.array_equal(np.load(io.BytesIO(data)), path.images.numpy())
    want = np.concatenate([run.images.numpy() for run in cells])
    assert np.array_equal(np.load(io.BytesIO(files.grid(".npy", cells, *AXES, LEGEND))), want)
    assert np.array_equal(np.load(io.BytesIO(files.race(".npy", race, cells[:3]))), want[:3])


def test_a_strip_is_one_row_that_plays_back_and_a_loop_plays_round(engine):
    path, loop = made(engine, STRIP), made(engine, LOOP)
    assert np.array_equal(frames(files.strip(".png", path))[0], sheet(path.pictures, 4))
    shown = [frame[::21, ::21] for frame in frames(files.strip(".webp", path))]
    assert np.array_equal(shown, path.pictures[[0, 1, 2, 3, 2, 1]])
    assert len(frames(files.strip(".webp", loop))) == 4
    assert frames(files.strip(".png", path, side=84))[0].shape == (88, 4 * 88 + 6, 3)


def test_a_trajectory_shows_x_t_and_x0_hat_side_by_side(engine):
    path = made(engine, STRIP)
    shown = frames(files.trajectory(".webp", path.record, path.pictures, path.pictures[::-1]))
    assert shown[0].shape == (168, 168 * 2 + 42, 3)
    assert np.array_equal(shown[1][::21, :168:21], path.pictures[1])
    assert np.array_equal(shown[1][::21, -168::21], path.pictures[-2])


@pytest.mark.parametrize(
    ("kind", "suffix", "words"),
    [("strip", ".jpg", r"\.npy, \.png, \.gif, \.webp or \.mp4, not in '\.jpg'"),
     ("race", "", r"\.npy, \.png, \.gif, \.webp or"), ("grid", ".gif", r"\.npy or \.png, not in '\.gif'"),
     ("trajectory", ".png", r"\.gif, \.webp or \.mp4, not in '\.png'")],
)  # fmt: skip
def test_a_suffix_that_a_kind_has_not_is_one_sentence(engine, cells, race, kind, suffix, words):
    path = made(engine, STRIP)
    calls = {
        "strip": lambda: files.strip(suffix, path),
        "race": lambda: files.race(suffix, race, cells[:3]),
        "grid": lambda: files.grid(suffix, cells, *AXES, LEGEND),
        "trajectory": lambda: files.trajectory(suffix, path.record, path.pictures, path.pictures),
    }
    with pytest.raises(RequestError, match=f"{words}.*choose one of these\\.$"):
        calls[kind]()


def test_a_run_of_which_only_pixels_were_kept_has_no_npy(engine, tmp_path):
    path = made(engine, STRIP)
    kept = Made(path.record, pixels=to_pixels(path.images))
    assert files.strip(".png", kept) == files.strip(".png", path)
    with pytest.raises(RequestError, match="only pixels"):
        files.save(tmp_path / "x.npy", kept)
    assert list(tmp_path.iterdir()) == []


def test_records_of_several_runs_are_json_and_leave_each_run_s_own_as_it_is(cells):
    runs = [run.record for run in cells]
    assert race_record(runs[:2]) == {"schema": "ddim-runs/1", "kind": "race", "runs": runs[:2]}
    assert grid_record(runs, *AXES)["runs"] == runs
