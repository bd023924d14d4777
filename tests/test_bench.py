"""The bench: fair turns, honest statistics, a table that equals its JSON, and no need of diffusers."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core import Engine, RequestError
from core.__main__ import main
from core.evaluate import bench, bench_memory
from core.evaluate.bench_gif import default_gif, gif_rows
from core.evaluate.bench_table import WITHOUT_DIFFUSERS, markdown


def test_everyone_has_a_turn_in_every_round_and_the_first_place_goes_round():
    now, called = [0.0], []

    def contender(name, seconds):
        def call():
            called.append(name)
            now[0] += seconds[called.count(name) - 1]

        return call

    slow = [100.0, 4.0, 1.0, 2.0]  # the first call is not timed
    found = bench.in_turns({"a": contender("a", slow), "b": contender("b", [50.0, 1, 1, 1])}, 3, lambda: now[0])
    assert called == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert found["a"] == bench.Times(2.0, 1.0, 4.0, (1.5, 3.0), 3)
    assert found["b"].median_s == 1.0
    assert bench.Times.of([3.0]) == bench.Times(3.0, 3.0, 3.0, (3.0, 3.0), 1)
    with pytest.raises(RequestError, match="--rounds"):
        bench.in_turns({}, 0)


@pytest.mark.parametrize("batch", [3, 70])  # 70: more than the engine takes at once by itself
def test_all_contenders_ask_the_same_network_the_same_number_of_times(tiny_folder, batch):
    engine = Engine.open(tiny_folder, "cpu")
    pipeline = bench.diffusers_pipeline(tiny_folder, engine.device, "fp32")
    ours, theirs = [], []
    engine.warm_up(batch)
    engine.network.register_forward_pre_hook(lambda _, args: ours.append((args[0].shape[0], int(args[1]))))
    pipeline.unet.register_forward_pre_hook(lambda _, args: theirs.append((args[0].shape[0], int(args[1]))))
    found = bench.contenders(engine, pipeline, 4, batch)
    assert list(found) == [bench.OURS, bench.BARE, bench.DIFFUSERS]
    want = [(batch, t) for t in (750, 500, 250, 0)]
    for name, asked in ((bench.OURS, ours), (bench.BARE, ours), (bench.DIFFUSERS, theirs)):
        ours.clear()
        found[name]()
        assert asked == want, name


def test_the_pipeline_has_the_precision_that_is_named(tiny_folder):
    pipeline = bench.diffusers_pipeline(tiny_folder, torch.device("cpu"), "bf16")
    assert {p.dtype for p in pipeline.unet.parameters()} == {torch.bfloat16}


def test_a_preview_is_ready_before_the_run_is(tiny_folder):
    engine, now = Engine.open(tiny_folder, "cpu"), [0.0]
    calls = []
    engine.warm_up(2)

    def count(module, args):
        calls.append(1)
        now[0] += 1

    engine.network.register_forward_pre_hook(count)
    assert bench.first_preview(engine, 10, 2, lambda: now[0]) == 1.0
    assert len(calls) == 1


def test_psnr_has_its_closed_form():
    a = torch.zeros(2, 3, 4, 4)
    b = torch.stack([torch.full((3, 4, 4), 0.02), torch.full((3, 4, 4), 0.2)])
    assert bench.psnr(a, b) == pytest.approx([20.0, 40.0], abs=1e-4)


def test_the_peak_is_this_process_own(tmp_path):
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t  900 kB\nVmHWM:\t   20 kB\nVmRSS:\t   10 kB\n")
    assert bench_memory.peak_bytes(status) == 20 * 1024
    before = bench_memory.peak_bytes()
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    held = np.ones(before - 1024 * int(line.split()[1]) + 80_000_000, dtype=np.uint8)  # 80 MB more than ever before
    assert bench_memory.peak_bytes() > before + 60_000_000
    del held


def test_memory_is_measured_in_a_child(tiny_folder, tmp_path):
    found = bench_memory.measure(bench.OURS, tiny_folder, "cpu", "fp32", 2, 1)
    assert found["peak_bytes"] > 50e6
    assert found["device_bytes"] is None
    with pytest.raises(Exception, match=r"memory of this engine at batch 1 failed \(.*config.json"):
        bench_memory.measure(bench.OURS, tmp_path, "cpu", "fp32", 2, 1)


def test_both_gif_encoders_write_the_same_frames(tiny_folder):
    rows = gif_rows(Engine.open(tiny_folder, "cpu"), 1)
    assert [row["encoder"] for row in rows] == ["this engine", "imageio's default"]
    for row in rows:
        assert row["frames"][0] == 25
        assert min(row["frames"][1:3]) >= 168
        assert row["bytes"] > 1000
    assert default_gif(np.zeros((2, 8, 8, 3), np.uint8))[:3] == b"GIF"


@pytest.fixture(scope="module")
def benched(tiny_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    options = ["--steps", "2", "--rounds", "2", "--batches", "1,2", "--threads", "1", "--no-memory", "--device", "cpu"]
    assert main(["bench", str(tiny_folder), *options, "--out", str(out)]) == 0
    return json.loads(out.read_text()), out.with_suffix(".md").read_text()


def test_the_command_measures_every_row(benched):
    document, _ = benched
    found = [(row["precision"], row["batch"], row["contender"], row["backend"] or "") for row in document["rows"]]
    backends = {"fp32": ("onnxruntime", "torch"), "bf16": ("torch",)}
    wanted = [(p, b, name, by) for p in backends for b in (1, 2) for by in backends[p]
              for name in (bench.OURS, bench.BARE)]  # fmt: skip
    wanted += [(p, b, bench.DIFFUSERS, "") for p in backends for b in (1, 2)]
    assert sorted(found) == sorted(wanted)
    assert all(0 < row["fastest_s"] <= row["median_s"] <= row["slowest_s"] for row in document["rows"])
    assert document["auto"] == "fp32"
    assert len(document["previews"]) == 6
    (error,) = document["precision_error"]
    assert error["precision"] == "bf16"
    assert 20 < error["worst_db"] <= error["median_db"] < 120
    assert document["machine"]["processor"]


def test_the_table_shows_the_figures_of_the_json(benched):
    document, page = benched
    assert markdown(document) == page  # of the file, not of what was in memory
    for row in document["rows"]:
        by = row["backend"] or "–"
        line = f"| {row['precision']} | {row['batch']} | {row['contender']} | {by} | {1000 * row['median_s']:.4g} |"
        assert line in page
    assert document["machine"]["processor"] in page
    seconds = {(r["precision"], r["batch"], r["contender"], r["backend"]): r["median_s"] for r in document["rows"]}
    beside = [(key, (*key[:2], bench.DIFFUSERS, None)) for key in seconds if key[2] == bench.OURS]
    beside += [(key, (*key[:3], "torch")) for key, _ in beside if key[3] == "onnxruntime"]
    assert len(beside) == 6 + 2
    for ours, theirs in beside:
        assert f"{ours[3]}, {ours[0]}, batch {ours[1]}: {seconds[ours] / seconds[theirs]:.4g}" in page


def test_without_diffusers_its_rows_are_missing_and_it_says_so(tiny_folder, tmp_path, monkeypatch):
    real = importlib.import_module

    def without(name, *rest):
        if name == "diffusers":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    options = ["--steps", "1", "--rounds", "1", "--batches", "1", "--precisions", "auto", "--no-memory"]
    assert main(["bench", str(tiny_folder), *options, "--out", str(tmp_path / "b.json")]) == 0
    document = json.loads((tmp_path / "b.json").read_text())
    assert {row["contender"] for row in document["rows"]} == {bench.OURS, bench.BARE}
    assert document["diffusers"] is None
    assert WITHOUT_DIFFUSERS in (tmp_path / "b.md").read_text()


@pytest.mark.parametrize(("options", "says"), [
    (["--batches", "0"], "must be whole numbers from 1 to 1024"),
    (["--batches", "a"], "--batches 'a' must be whole numbers"),
    (["--rounds", "0"], "--rounds: give a whole number from 1"),
    (["--precisions", ","], "--precisions is empty"),
    (["--precisions", "int4"], "precision must be"),
    (["--out", "x.txt"], "must be a .json file"),
    (["--steps", "0"], "--steps: give a whole number from 1"),
])  # fmt: skip
def test_errors_are_one_line(tiny_folder, tmp_path, monkeypatch, capsys, options, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    assert main(["bench", str(tiny_folder), "--no-memory", "--device", "cpu", *options]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert says in err
    assert list((tmp_path / "docs").iterdir()) == []
