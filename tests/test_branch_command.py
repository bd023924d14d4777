"""``python -m core branch``: a sheet, a film or an array of branches, their records, and what is refused."""

import dataclasses
import shlex

import numpy as np
import pytest
import torch
from PIL import Image

from core import Branches, DataError, Engine, Request, RequestError, SamplerSettings
from core.__main__ import main
from core.branches import spread
from core.cli.encode import read_images
from core.files.legend import labelled
from core.files.tree import Row, tree_frames, tree_sheet
from core.record import branches_record, read_record, recorded, request_of
from core.reproduce import command_line, python_code

S20 = SamplerSettings(20)  # 950, 900, … 0


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture
def branch(tiny_folder, tmp_path):
    """Run the verb with 20 steps on the CPU: (its status, the path it writes)."""

    def run(*options, out="x.npy"):
        argv = ["branch", str(tiny_folder), "--steps", "20", "--device", "cpu", "--out", str(tmp_path / out), *options]
        return main(argv), tmp_path / out

    return run


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def row(t, count=3, eta=1.0, seed=4, settings=S20, **options):
    return Request((seed,), settings, branches=Branches(t, count, eta), **options)


def test_npy_holds_the_branches_of_each_t_row_by_row(branch, engine, capsys):
    status, path = branch("--seed", "4", "--at", "600,200", "--count", "3")
    rows = [engine.sample(row(t)).images for t in (600, 200)]
    assert status == 0
    assert np.array_equal(np.load(path), torch.cat(rows).numpy())
    out, err = capsys.readouterr()
    first, second, last = out.splitlines()
    assert err == ""
    assert first == f"t = 600: 3 branches, {spread(rows[0]):.4f} apart (rms, pixels 0..1)"
    assert second.startswith("t = 200: 3 branches, ")
    assert last.startswith(f"{path}: 6 pictures in ")
    assert last.endswith(" s, 40 network evaluations")


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        (["--at", "600"], row(600, 6, seed=0)),
        (["--at", "600", "--eta", "0.5", "--trunk-eta", "1"], row(600, 6, 0.5, 0, SamplerSettings(20, 1.0))),
        (["--at", "600", "--no-clip"], row(600, 6, seed=0, settings=SamplerSettings(20, clip=False))),
        (["--at", "949", "--spacing", "trailing"],
         row(949, 6, seed=0, settings=SamplerSettings(20, spacing="trailing"))),
        (["--at", "600", "--batch", "4"], row(600, 6, seed=0)),
    ],
)  # fmt: skip
def test_every_option_reaches_the_engine(branch, engine, options, request_):
    _, path = branch(*options)
    batch = 4 if "--batch" in options else 64
    assert np.array_equal(np.load(path), engine.sample(request_, max_batch=batch).images.numpy())


@pytest.mark.parametrize("suffix", ["png", "gif", "webp"])
def test_a_file_carries_a_record_of_each_row_that_repeats_it(branch, engine, suffix):
    _, path = branch("--seed", "4", "--at", "200,600", "--count", "3", out=f"x.{suffix}")
    record = read_record(path)
    found = recorded(record)
    assert (record["schema"], record["kind"], record["at"]) == ("ddim-runs/1", "branches", [200, 600])
    assert (found.kind, found.at) == ("branches", (200, 600))
    resolved = SamplerSettings(20, 0.0, "leading", clip=True)
    assert found.requests == (row(200, settings=resolved), row(600, settings=resolved))
    images = engine.sample(found.requests[1]).images
    assert torch.equal(images, engine.sample(row(600)).images)


def test_a_film_comes_down_step_by_step_and_holds_its_end(branch):
    _, path = branch("--at", "600,200", "--count", "2", out="x.webp")
    with Image.open(path) as film:
        assert film.n_frames == 21
        frames = [np.asarray((film.seek(i), film.convert("RGB"))[1]).astype(int) for i in range(21)]
    side, left = 112, frames[0].shape[1] - 2 * (112 + 10)
    upper = [frame[34 : 34 + side, left : left + 2 * side + 10] for frame in frames]  # the row of t = 600
    apart = [np.abs(row[:, :side] - row[:, -side:]).max() for row in upper]
    parts = 950 // 50 - 600 // 50 + 1  # 950 … 600 show one x̂0
    assert apart[:parts] == [0] * parts
    assert min(apart[parts:]) > 0


def test_at_eta_0_there_is_one_branch(branch, capsys):
    branch("--at", "600", "--count", "2", "--eta", "0")
    assert "t = 600: 2 branches, 0.0000 apart" in capsys.readouterr().out


def test_a_picture_is_encoded_up_to_each_t(branch, engine, picture):
    status, path = branch("--picture", str(picture), "--refine", "2", "--at", "600,50", "--count", "3", out="x.png")
    settings = SamplerSettings(20, 0.0, "leading", clip=False)
    found = recorded(read_record(path))
    assert status == 0
    assert found.requests == tuple(row(t, seed=0, settings=settings, start=t) for t in (600, 50))
    assert len({run["latents_sha256"] for run in found.runs}) == 2
    _, path = branch("--picture", str(picture), "--refine", "2", "--at", "600,50", "--count", "3")
    images = read_images([picture], (3, 8, 8))
    for t, got in zip((600, 50), np.load(path).reshape(2, 3, 3, 8, 8), strict=True):
        x_t = engine.encode(images, settings, refine=2, until=t).x_T
        assert np.array_equal(got, engine.sample(row(t, seed=0, settings=settings, start=t), x_t).images.numpy())
    back, _ = branch(
        "--picture", str(picture), "--refine", "4", "--at", "600", "--count", "1", "--eta", "0", out="y.npy"
    )
    assert back == 0
    assert np.square(np.load(path.parent / "y.npy") - images.numpy()).mean() < 1e-2


def test_latents_are_x_T_or_with_start_x_t(branch, engine, tiny_folder, picture, tmp_path, capsys):
    x_T = tmp_path / "x_T.npy"
    argv = ["encode", str(tiny_folder), str(picture), "--steps", "10", "--device", "cpu", "--out", str(x_T)]
    assert main(argv) == 0
    capsys.readouterr()
    _, path = branch("--latents", str(x_T), "--at", "600", "--count", "3")
    noted = SamplerSettings(20, 0.0, "leading", clip=False)
    assert capsys.readouterr().err.endswith("x_T.json: taken --spacing leading --eta 0 --no-clip\n")
    want = engine.sample(row(600, seed=0, settings=noted), torch.from_numpy(np.load(x_T)))
    assert np.array_equal(np.load(path), want.images.numpy())
    np.save(tmp_path / "x_t.npy", np.load(x_T))
    _, path = branch("--latents", str(tmp_path / "x_t.npy"), "--start", "700", "--at", "600", "--count", "3")
    want = engine.sample(row(600, seed=0, start=700), torch.from_numpy(np.load(x_T)))
    assert np.array_equal(np.load(path), want.images.numpy())


HELP = " (--help lists the options)"
REFUSED = {
    "a t that is no step": (["--at", "601"],
                            "The run does not pass t = 601: take 650 or 600, or steps that it is one of."),
    "no t": (["--at", ""], "--at names no t: write such as 600,400,200."),
    "words": (["--at", "a"], "--at 'a' must be whole numbers with commas, such as 32,64,128."),
    "twice": (["--at", "600,50,600"], "--at names t = 600 more than once: a row for each t is enough."),
    "count": (["--at", "600", "--count", "0"], "argument --count: give a whole number from 1 to 1000, not '0'" + HELP),
    "eta": (["--at", "600", "--eta", "2"], "argument --eta: give a number from 0 to 1, not '2'" + HELP),
    "start": (["--at", "600", "--start", "700"], "--start 700 needs the latents there: give --latents."),
    "refine": (["--at", "600", "--refine", "2"], "--refine is for the encoding of a --picture: leave it out."),
    "picture and trunk": (["--at", "600", "--picture", "a.png", "--trunk-eta", "0"],
                          "--picture is encoded up to each t, where its branches begin: leave out --trunk-eta."),
    "picture and latents": (["--at", "600", "--picture", "a.png", "--latents", "x.npy"],
                            "--picture is encoded up to each t, where its branches begin: leave out --latents."),
    "film": (["--at", "600", "--batch", "3", "--out", "x.gif"],
             "A film shows all branches at once: set --batch to 6 or more."),
    "batch": (["--at", "600", "--batch", "0"], "argument --batch: give a whole number from 1 to 1024, not '0'" + HELP),
    "suffix": (["--at", "600", "--out", "x.jpg"], "--out must end in .npy, .png, .gif, .webp, .mp4, not 'x.jpg'."),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_excludes_each_other_is_refused_in_one_line(branch, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    options, said = REFUSED[name]
    assert branch(*options)[0] == 2
    assert capsys.readouterr().err == f"python -m core branch: {said}\n"
    assert list(tmp_path.iterdir()) == []


def test_sampling_from_the_middle_needs_latents(tiny_folder, tmp_path, capsys, engine):
    argv = ["sample", str(tiny_folder), "--seeds", "1,2", "--steps", "20", "--start", "600", "--device", "cpu"]
    argv += ["--out", str(tmp_path / "x.npy")]
    assert main(argv) == 2
    assert capsys.readouterr().err.endswith("--start 600 needs the latents there: give --latents.\n")
    x_t = engine.x_T(Request((1, 2)))
    np.save(tmp_path / "x_t.npy", x_t.numpy())
    assert main([*argv, "--latents", str(tmp_path / "x_t.npy")]) == 0
    want = engine.sample(Request((1, 2), S20, start=600), x_t).images.numpy()
    assert np.array_equal(np.load(tmp_path / "x.npy"), want)


@pytest.mark.parametrize("given", [False, True])
def test_a_copied_command_and_script_give_the_same_branches(engine, tiny_folder, tmp_path, given):
    request = row(300, 5, 0.7, settings=SamplerSettings(20, 0.25, clip=False), start=600 if given else None)
    latents, x_t = (str(tmp_path / "x t.npy"), engine.x_T(Request((9,)))) if given else (None, None)
    if given:
        np.save(latents, x_t.numpy())
    want = engine.sample(request, x_t).images.numpy()
    where = (str(tiny_folder), "cpu", "fp32", str(tmp_path / "x.npy"))
    words = shlex.split(command_line(request, *where, latents=latents))
    assert words[:4] == ["python", "-m", "core", "branch"]
    assert main(words[3:]) == 0
    assert np.array_equal(np.load(tmp_path / "x.npy"), want)
    (tmp_path / "x.npy").unlink()
    scope = {}
    exec(python_code(request, *where, latents=latents), scope)
    assert scope["request"] == request
    assert np.array_equal(np.load(tmp_path / "x.npy"), want)


def test_without_the_file_of_its_latents_a_command_has_a_name_for_it():
    request = Request((1,), S20, start=600)
    assert "--latents x_t.npy --start 600" in command_line(request, "net")
    assert "x_T=np.load('x_t.npy')" in python_code(request, "net")


@pytest.fixture(scope="module")
def runs(engine):
    return [engine.sample(row(t)).record for t in (600, 200)]


def changed(record, **changes):
    return {**record, "request": {**record["request"], **changes}}


def test_rows_differ_in_t_alone(runs):
    assert recorded(branches_record(runs)).at == (600, 200)
    assert recorded(runs[0]).kind == "run"
    assert request_of(runs[0]).branches == Branches(600, 3, 1.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda a, b: {**branches_record([a, b]), "at": [200, 600]},
        lambda a, b: {**branches_record([a, b]), "at": 600},
        lambda a, b: {k: v for k, v in branches_record([a, b]).items() if k != "at"},
        lambda a, b: branches_record([a, a]),
        lambda a, b: branches_record([a, changed(b, seeds=[5])]),
        lambda a, b: branches_record([a, changed(b, branches={"at": 200, "count": 4, "eta": 1.0})]),
        lambda a, b: {**branches_record([a, b]), "runs": [a, changed(b, branches=None)]},
        lambda a, b: changed(a, branches={"at": 200, "count": 4, "eta": 7}),
        lambda a, b: changed(a, branches={"at": 200, "twigs": 4}),
        lambda a, b: changed(a, branches=[200]),
        lambda a, b: changed(a, start="600"),
        lambda a, b: changed(a, start=800),  # from latents that have no name
    ],
)
def test_a_record_of_other_branches_is_refused(runs, change):
    with pytest.raises(DataError, match=r"^This record does not describe a run of this program\.$"):
        recorded(change(*runs))


def test_a_record_of_before_there_were_branches_is_read(runs):
    request = {k: v for k, v in changed(runs[0])["request"].items() if k not in ("start", "branches")}
    assert recorded({**runs[0], "request": request}).requests[0].branches is None


def cells(value):
    return np.full((2, 8, 8, 3), value, np.uint8)


def test_the_sheet_has_a_row_for_each_t_and_its_labels(engine):
    rows = [Row("t = 600\nrms 0.125", cells(9)), Row("t = 200\nrms 0.017", cells(3))]
    page = tree_sheet(rows, "note")
    assert np.array_equal(page, labelled(np.stack([cells(9), cells(3)]), ["branch 0", "branch 1"],
                                         [r.label for r in rows], (), "note"))  # fmt: skip
    assert [(page == value).all(axis=-1).sum() for value in (9, 3)] == [2 * 112 * 112] * 2


def test_in_a_film_all_rows_stand_at_one_t():
    long = Row("a", cells(3), [(900, cells(1)), (600, cells(2)), (300, cells(3)), (-1, cells(4))])
    short = Row("b", cells(3), [(600, cells(5)), (300, cells(6)), (-1, cells(7))])
    assert [int(short.at(t)[0, 0, 0, 0]) for t in (900, 600, 450, 300, 0, -1)] == [5, 5, 5, 6, 6, 7]
    film = tree_frames([long, short], "note")
    assert len(film) == 4
    assert all((film[i] == i + 1).all(axis=-1).sum() == 2 * 112 * 112 for i in range(4))
    with pytest.raises(RequestError, match="no film was kept, only their ends"):
        tree_frames([dataclasses.replace(long, film=())], "note")
