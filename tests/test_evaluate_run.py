"""Running cells: killed and resumed, within a budget, again, by two processes, and from the command line."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from evaluate_small import make_checkpoint, make_files, make_setup
from test_train_parallel import start

from core.__main__ import main
from core.evaluate.cells import cells, only
from core.evaluate.parts import Part
from core.evaluate.rows import quality_rows
from core.evaluate.runner import evaluate, evaluations_left, parts_of
from core.evaluate.store import Store
from core.evaluate.team import Team
from core.parallel import Share

KEYS = ["quality/eta=0/S=5", "quality/eta=1/S=10", "consistency/eta=0/S=5", "reconstruction/plain/S=10"]
TIMES = ("ms_per_evaluation", "seconds_per_image", "wall_clock_s")


@pytest.fixture(scope="module")
def files(tmp_path_factory, tiny_config):
    return make_files(tmp_path_factory.mktemp("run"), tiny_config)


def chosen(*keys, n=12):
    return only(cells([*{key.partition("/")[0] for key in keys}], 20, n, 6), keys)


def run(files, out, state, keys=KEYS, **options):
    """(the store, what was said, the cells left)."""
    setup = make_setup(files, state, **options.pop("setup", {}))
    store, said = Store.open(out, setup.engine.checkpoint), []
    left = evaluate(setup, chosen(*keys, n=options.pop("n", 12)), store, say=said.append, **options)
    return store, said, left


def without_times(document):
    """Every figure but the seconds, with the conditions."""
    return {
        key: (found["conditions"], {k: v for k, v in found["figures"].items() if k not in TIMES})
        for key, found in document["cells"].items()
    }


class Killed(BaseException):
    pass


def test_killed_between_two_parts_it_ends_with_the_same_figures_bit_for_bit(files, tmp_path, monkeypatch):
    whole, _, _ = run(files, tmp_path / "whole.json", tmp_path / "whole")

    finish, made = Part.finish, []

    def counted(part, *options):
        if made:
            raise Killed
        finish(part, *options)
        made.append(part.path)

    monkeypatch.setattr(Part, "finish", counted)
    kills = 0
    while True:
        made.clear()
        try:
            store, _, left = run(files, tmp_path / "cut.json", tmp_path / "cut")
            break
        except Killed:
            kills += 1
    assert kills == 5  # six parts, one at each start
    assert left == []
    assert without_times(store.document) == without_times(whole.document)
    assert set(store.cells) == set(KEYS)


def test_what_is_left_is_that_of_the_process_with_most_to_do(files, tmp_path):
    setup = make_setup(files, tmp_path / "state")  # 6 pictures a part, 4 at once
    (cell,) = chosen("quality/eta=0/S=5", n=18)
    assert [evaluations_left(setup, cell, world) for world in (1, 2, 3, 4)] == [30, 20, 10, 10]
    parts_of(setup, cell)[0].finish()
    assert [evaluations_left(setup, cell, world) for world in (1, 2)] == [20, 10]
    (speed,) = chosen("speed/steps")
    assert evaluations_left(setup, speed, 4) == evaluations_left(setup, speed) > 0


def test_what_is_done_is_not_done_again(files, tmp_path, monkeypatch):
    first, _, _ = run(files, tmp_path / "e.json", tmp_path / "state")
    before = (tmp_path / "e.json").read_bytes()
    shutil.rmtree(tmp_path / "state")
    monkeypatch.setattr("core.engine.Engine.sample", lambda *_, **__: pytest.fail("sampled again"))
    again, said, left = run(files, tmp_path / "e.json", tmp_path / "state")
    assert (tmp_path / "e.json").read_bytes() == before
    assert left == []
    assert said == ["4 of 4 cells are there already"]
    assert again.document == first.document


def test_another_ruler_measures_the_same_pictures_without_sampling(files, tmp_path, monkeypatch):
    keys = ["quality/eta=0/S=5"]
    run(files, tmp_path / "a.json", tmp_path / "state", keys)
    monkeypatch.setattr("core.evaluate.setup.Setup.ms_per_evaluation", lambda self: 1.0)
    monkeypatch.setattr("core.engine.Engine.sample", lambda *_, **__: pytest.fail("sampled again"))
    store, _, _ = run(files, tmp_path / "a.json", tmp_path / "state", keys, redo=True,
                      setup={"features_sha256": "new"})  # fmt: skip
    assert store.cells[keys[0]]["conditions"]["features_sha256"] == "new"


def test_a_cell_that_runs_again_gives_the_stored_figure(files, tmp_path):
    key = "quality/eta=1/S=10"
    stored, _, _ = run(files, tmp_path / "a.json", tmp_path / "a", [key])
    (was,) = quality_rows(stored.document)
    again, _, _ = run(files, tmp_path / "b.json", tmp_path / "b", [key], setup={"batch": 5, "chunk": 7})
    (now,) = quality_rows(again.document)
    assert abs(now.frechet - was.frechet) < 0.05 * was.spread  # the same seeds: float error and rounded pixels
    assert abs(now.kid - was.kid) < 0.05 * was.kid_spread


def test_other_seeds_give_the_figure_within_its_spread(files, tmp_path):
    key, rows = "quality/eta=1/S=5", []
    for first in (100_000, 200_000):
        store, _, _ = run(files, tmp_path / f"{first}.json", tmp_path / "state", [key], n=60,
                          setup={"seeds_from": first, "chunk": 60, "batch": 60})  # fmt: skip
        rows += quality_rows(store.document)
    was, now = rows
    assert now.frechet != was.frechet
    assert abs(now.frechet - was.frechet) < 4 * (was.spread**2 + now.spread**2) ** 0.5


def test_no_cell_is_begun_that_would_end_after_the_budget(files, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("core.evaluate.setup.Setup.ms_per_evaluation", lambda self: 1000.0)
    finish = Part.finish

    def slowly(part, *options):
        finish(part, *options)
        now[0] += part.evaluations

    monkeypatch.setattr(Part, "finish", slowly)
    keys = ["quality/floor", "quality/eta=0/S=5", "quality/eta=0/S=10"]
    store, said, left = run(files, tmp_path / "e.json", tmp_path / "state", keys, budget_s=25, clock=lambda: now[0])
    # 12 pictures in parts of 6 and batches of 4 are 4 calls a step: 20 s for S = 5, 40 s for S = 10
    assert set(store.cells) == {"quality/floor", "quality/eta=0/S=5"}
    assert [cell.key for cell in left] == ["quality/eta=0/S=10"]
    assert "the budget ends before quality/eta=0/S=10" in said[-1]
    store, _, left = run(files, tmp_path / "e.json", tmp_path / "state", keys, budget_s=60)
    assert left == []
    assert set(store.cells) == set(keys)


def test_a_process_that_is_not_the_first_takes_its_parts_and_writes_no_figures(files, tmp_path):
    setup = make_setup(files, tmp_path / "state")
    store = Store.open(tmp_path / "e.json", setup.engine.checkpoint)
    evaluate(setup, chosen("quality/eta=0/S=5"), store, Team(Share(1, 2, 1)), say=lambda _: None)
    assert store.cells == {}
    assert not (tmp_path / "e.json").exists()
    assert [p.name for p in (tmp_path / "state").rglob("*.npz")] == ["100006-100011.npz"]


def command(files, *options):
    data, held_out = str(files / "train.npz"), str(files / "held.npz")
    sizes = ["--pictures", "12", "--n-rest", "6", "--chunk", "4", "--batch", "4", "--threads", "1"]
    return ["evaluate", str(files / "net"), "--data", data, "--held-out", held_out, *sizes, *options]


def test_two_processes_give_the_figures_of_one(files, tmp_path):
    cut = ["--cells", ",".join(["quality/eta=1/S=5", "reconstruction/plain/S=10", "quality/floor"])]
    assert main(command(files, *cut, "--out", str(tmp_path / "one.json"), "--state", str(tmp_path / "one"))) == 0
    two_files = ["--out", str(tmp_path / "two.json"), "--state", str(tmp_path / "two")]
    start(2, "-m", "core", *command(files, *cut, *two_files))
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert set(two["cells"]) == set(one["cells"])
    for key, (conditions, figures) in without_times(one).items():
        found = without_times(two)[key]
        assert found[0] == conditions
        for name, value in figures.items():
            assert found[1][name] == (pytest.approx(value, rel=1e-4) if isinstance(value, float) else value), name


def test_the_command_measures_draws_and_renders(files, tmp_path, capsys):
    net = shutil.copytree(files / "net", tmp_path / "net")
    shutil.copytree(files / "features", tmp_path / "features")
    where = [str(net) if part == str(files / "net") else part for part in command(files)]
    wanted = ["quality/floor", "quality/eta=0/S=5", "quality/eta=1/S=20", "consistency/eta=0/S=10", "speed/steps",
              "headline/eta=0/S=10", "headline/eta=1/S=20", "denoising/levels"]  # fmt: skip
    more = ["--state", str(tmp_path / "state"), "--n-headline", "16"]
    assert main([*where, *more, "--cells", ",".join(wanted)]) == 0
    out = capsys.readouterr().out
    assert "[8/8] " in out
    assert (net / "evaluation-quality.png").is_file()
    document = json.loads((net / "evaluation.json").read_text())
    assert set(document["cells"]) == set(wanted)
    for found in document["cells"].values():
        assert found["machine"]["processor"]
        assert found["versions"]["torch"]
        assert found["duration_s"] >= 0
    assert main(["evaluate", "--render", str(tmp_path / "results.md"), str(net)]) == 0
    page = (tmp_path / "results.md").read_text()
    assert "## net" in page
    assert "(n = 16)" in page
    assert "| η = 0 (DDIM), S = 10 |" in page
    assert "of the same run." in page or "**None of S = 10 brings" in page
    assert (tmp_path / "images" / "results-net-quality.png").is_file()
    assert "| t | SNR | held-out | training | x̂0 of held-out off by |" in page
    assert "![net: denoising](images/results-net-denoising.png)" in page


@pytest.mark.parametrize(("options", "says"), [
    (["--what", "beauty"], "'beauty' is unknown"),
    (["--cells", "quality/S=1"], "'quality/S=1' is unknown"),
    (["--n", "4", "--what", "quality"], "--n 4 cannot fill 4 features"),
    (["--n", "4", "--what", "headline"], "--n 4 cannot fill 4 features"),
    (["--n-headline", "4", "--what", "headline"], "--n-headline 4 cannot fill 4 features"),
    (["--n-headline", "41", "--what", "headline"], "need 41 held-out pictures, not 40"),
    (["--n", "41", "--what", "quality"], "need 41 held-out pictures, not 40: name more with --held-out"),
    (["--n", "10001", "--what", "denoising"], "need 10001 held-out pictures, not 40: no more than 10000 are taken"),
    (["--seeds-from", "-1"], "--seeds-from: give a whole number from 0"),
    (["--batch", "0"], "--batch: give a whole number from 1"),
    (["--budget", "0"], "--budget: give a number above 0"),
    (["--features", "nowhere.safetensors"], "nowhere.safetensors is no feature net"),
    (["--out", "/nowhere/e.json"], "folder /nowhere of e.json does not exist"),
    (["--data", "/nowhere.npz"], "No training data at /nowhere.npz"),
    (["--precision", "int4"], "precision must be"),
])  # fmt: skip
def test_errors_are_one_line(files, tmp_path, capsys, options, says):
    assert main([*command(files), "--state", str(tmp_path / "state"), *options]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert says in err


def test_what_is_missing_is_asked_for(files, tmp_path, capsys):
    bare = ["evaluate", str(files / "net"), "--n", "12", "--n-rest", "6", "--state", str(tmp_path / "state")]
    for options, says in (
        (["--what", "quality"], "--data"),
        (["--what", "reconstruction"], "--held-out"),
        (["--what", "denoising"], "--data"),
        (["--what", "denoising", "--data", str(files / "train.npz")], "--held-out"),
        (
            [
                "--what",
                "denoising",
                "--data",
                str(files / "held.npz"),
                "--held-out",
                str(files / "train.npz"),
                "--n",
                "41",
            ],
            "need 41 training pictures, not 40: name more with --data",
        ),
        (["--what", "speed", "second"], None),
    ):
        if says is None:
            assert main(["evaluate", str(files / "net"), str(files / "net")]) == 2
            says = "one checkpoint at a time"
        else:
            assert main([*bare, *options]) == 2
        assert says in capsys.readouterr().err


def test_a_ruler_of_other_pictures_is_refused(files, tmp_path, tiny_config, capsys):
    make_checkpoint(tmp_path / "net", replace(tiny_config, sample_size=16))
    np.savez(tmp_path / "d.npz", images=np.zeros((20, 16, 16, 3), np.uint8))
    ruler = str(files / "features" / "net.safetensors")
    arguments = ["evaluate", str(tmp_path / "net"), "--what", "quality", "--features", ruler, "--data"]
    assert main([*arguments, str(tmp_path / "d.npz"), "--n", "12"]) == 2
    assert "measures 3×8×8 pictures, these are 3×16×16" in capsys.readouterr().err


def test_rendering_figures_of_other_weights_is_refused(files, tmp_path, tiny_config, capsys):
    make_checkpoint(tmp_path / "net", tiny_config)
    run(files, tmp_path / "net" / "evaluation.json", tmp_path / "s", ["quality/floor"])
    make_checkpoint(tmp_path / "net", tiny_config, seed=9)
    assert main(["evaluate", "--render", str(tmp_path / "r.md"), str(tmp_path / "net")]) == 2
    assert "belong to other weights" in capsys.readouterr().err
    assert not (tmp_path / "r.md").exists()
