"""The public endpoints, called by gradio_client over HTTP from a server in this process."""

import json
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from wishes import asking

from core import Request, SamplerSettings
from core.axes import Axis
from core.files.legend import labelled
from core.pixels import sheet, to_pixels
from core.record import read_record, recorded, request_of
from demo import words as said_of
from demo.api_files import ApiFiles
from demo.host import EngineHost
from demo.page import build_page
from tests.ports import free_port

FEW = {"checkpoint": "tiny", "steps": 3, "eta": 0.5, "spacing": "trailing"}
SETTINGS = SamplerSettings(3, 0.5, "trailing")


@pytest.fixture(scope="module")
def host(tiny_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return EngineHost(folder, device="cpu")


@pytest.fixture(scope="module")
def page(host):
    return build_page(host)


@pytest.fixture(scope="module")
def client(page, tmp_path_factory):
    page.queue(default_concurrency_limit=4, max_size=64)
    page.launch(
        prevent_thread_lock=True, quiet=True, inbrowser=False, ssr_mode=False, share=False, server_port=free_port()
    )
    client = Client(page.local_url, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()
    page.close()


@pytest.fixture(scope="module")
def engine(host):
    return host.engine("tiny")


@pytest.fixture
def evaluations(engine, monkeypatch):
    """A list that grows with every call of the network."""
    calls, forward = [], engine.network.forward

    def counted(*args, **kwargs):
        calls.append(time.monotonic())
        return forward(*args, **kwargs)

    monkeypatch.setattr(engine.network, "forward", counted)
    return calls


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def frames_of(path):
    with Image.open(path) as film:
        return film.n_frames


def test_four_endpoints_are_public_and_no_other(client):
    described = client.view_api(return_format="dict", print_info=False)
    assert list(described["named_endpoints"]) == ["/sample", "/interpolate", "/compare", "/grid"]
    assert described["unnamed_endpoints"] == {}
    for endpoint in described["named_endpoints"].values():
        assert "checkpoint" in endpoint["description"]
        assert all(p["parameter_has_default"] for p in endpoint["parameters"])


def test_a_sample_is_what_the_engine_gives(client, engine):
    got = client.predict(seeds=[5, 0, 9], **FEW, api_name="/sample")
    want = engine.sample(Request((5, 0, 9), SETTINGS))
    assert (got["state"], got["done"], got["of"]) == ("done", 3, 3)
    assert np.array_equal(np.load(got["files"]["npy"]), want.images.numpy())
    assert np.array_equal(pixels(got["files"]["png"]), sheet(to_pixels(want.images)))
    (record,) = got["records"]
    assert request_of(record) == request_of(want.record) == request_of(read_record(got["files"]["png"]))
    assert (record["timing"]["evaluations"], record["timing"]["batch"]) == (3, 3)
    assert record["timing"]["total_s"] > 0


@pytest.mark.parametrize("endpoint", ["/sample", "/interpolate", "/compare", "/grid"])
def test_a_label_reaches_the_engine_which_refuses_it_without_classes(client, endpoint):
    with pytest.raises(Exception, match="has no classes: leave out label"):
        client.predict(label=0, api_name=endpoint)


def test_a_path_is_what_the_engine_gives(client, engine):
    got = client.predict(seeds=[3, 8, 4], frames=6, loop=True, **FEW, api_name="/interpolate")
    want = engine.sample(Request((3, 8, 4), SETTINGS, frames=6, loop=True))
    assert np.array_equal(np.load(got["files"]["npy"]), want.images.numpy())
    assert np.array_equal(pixels(got["files"]["png"]), sheet(to_pixels(want.images), 6))
    assert [request_of(record) for record in got["records"]] == [request_of(want.record)]
    assert request_of(read_record(got["files"]["gif"])) == request_of(want.record)
    assert frames_of(got["files"]["gif"]) == 6
    there = client.predict(seeds=[3, 8], frames=4, **FEW, api_name="/interpolate")
    assert frames_of(there["files"]["gif"]) == 6  # and back, the ends not repeated


def test_a_race_is_what_the_engine_gives(client, engine):
    lanes = [{"steps": 2}, {"steps": 4, "eta": 1.0, "spacing": "quadratic"}]
    got = client.predict(checkpoint="tiny", seed=7, lanes=lanes, api_name="/compare")
    settings = [SamplerSettings(2), SamplerSettings(4, 1.0, "quadratic")]
    want = [engine.sample(Request((7,), s)) for s in settings]
    for image, result in zip(np.load(got["files"]["npy"]), want, strict=True):
        assert np.array_equal(image, result.images[0].numpy())
    ends = np.concatenate([to_pixels(result.images) for result in want])
    assert np.array_equal(pixels(got["files"]["png"]), sheet(ends, 2))
    assert [request_of(r) for r in got["records"]] == [request_of(r.record) for r in want]
    assert read_record(got["files"]["gif"])["runs"] == got["records"]
    assert frames_of(got["files"]["gif"]) > 1


def test_a_grid_is_what_the_engine_gives(client, engine):
    axes = {"columns": {"steps": [4, 2]}, "rows": {"eta": [1.0, 0]}}
    got = client.predict(checkpoint="tiny", seed=2, **axes, spacing="linspace", api_name="/grid")
    want = [engine.sample(Request((2,), SamplerSettings(S, eta, "linspace"))) for eta in (1.0, 0.0) for S in (4, 2)]
    assert np.array_equal(np.load(got["files"]["npy"]), np.concatenate([r.images.numpy() for r in want]))
    assert [request_of(r) for r in got["records"]] == [request_of(r.record) for r in want]
    assert read_record(got["files"]["png"])["runs"] == got["records"]
    cells = np.stack([to_pixels(r.images)[0] for r in want]).reshape(2, 2, 8, 8, 3)
    times = [said_of.seconds(record["timing"]["total_s"]) for record in got["records"]]
    note = f"tiny, seed 2, linspace; {said_of.machine(got['records'][0]['timing'])}"
    drawn = labelled(cells, ["S = 4", "S = 2"], ["η = 1", "η = 0"], [times[:2], times[2:]], note)
    assert np.array_equal(pixels(got["files"]["png"]), drawn)


def test_a_grid_is_sampled_by_the_solver_that_was_asked_for(client, engine):
    asked = {"checkpoint": "tiny", "seed": 2, "columns": {"steps": [4]}, "solver": "dpm-solver++"}
    got = client.predict(**asked, rows={"eta": [0]}, api_name="/grid")
    want = engine.sample(Request((2,), SamplerSettings(4, solver="dpm-solver++"))).images
    assert np.array_equal(np.load(got["files"]["npy"]), want.numpy())
    with pytest.raises(AppError, match="adds no noise"):
        client.predict(**asked, rows={"eta": [0, 1]}, api_name="/grid")


def test_a_grid_varies_any_two_settings(client, engine):
    axes = {"columns": {"seed": [5, 2]}, "rows": {"solver": ["ddim", "dpm-solver++"]}}
    got = client.predict(checkpoint="tiny", **axes, steps=3, spacing="trailing", api_name="/grid")
    want = [
        engine.sample(Request((seed,), SamplerSettings(3, 0.0, "trailing", solver=solver)))
        for solver in ("ddim", "dpm-solver++")
        for seed in (5, 2)
    ]
    assert np.array_equal(np.load(got["files"]["npy"]), np.concatenate([r.images.numpy() for r in want]))
    found = recorded(read_record(got["files"]["png"]))
    assert (found.columns, found.rows) == (Axis("seed", (5, 2)), Axis("solver", ("ddim", "dpm-solver++")))


def test_the_same_request_twice_is_bit_equal(client):
    asked = {"seeds": [1, 2], "frames": 3, **FEW, "api_name": "/interpolate"}
    first, second = client.predict(**asked), client.predict(**asked)
    assert Path(first["files"]["npy"]).read_bytes() == Path(second["files"]["npy"]).read_bytes()
    assert first["records"][0]["request"] == second["records"][0]["request"]


def test_progress_rises_to_the_result(client, engine, monkeypatch):
    forward = engine.network.forward
    monkeypatch.setattr(engine.network, "forward", lambda *a, **k: (time.sleep(0.004), forward(*a, **k))[1])
    asked = {"checkpoint": "tiny", "seeds": [0], "steps": 400}
    said = list(client.submit(**asked, api_name="/sample"))
    assert said[-1]["state"] == "done"
    running = [s["done"] for s in said if s["state"] == "running"]
    assert running == sorted(set(running))
    assert all(s["of"] == 400 for s in said)
    assert len(running) >= 3  # 1.6 s at least


@pytest.mark.parametrize(
    ("endpoint", "asked", "words"),
    [("/sample", {"checkpoint": "nowhere"}, "choose one from the list"),
     ("/sample", {"checkpoint": "../tiny"}, "choose one from the list"),
     ("/sample", {"steps": 0}, "steps must be a whole number of at least 1"),
     ("/sample", {"steps": 1001}, "1000"),
     ("/sample", {"steps": "20"}, "steps must be"),
     ("/sample", {"eta": 1.5}, "eta must lie between 0"),
     ("/sample", {"eta": None}, "eta must lie between 0"),
     ("/sample", {"spacing": "other"}, "spacing must be one of leading"),
     ("/sample", {"seeds": []}, "At least one seed"),
     ("/sample", {"seeds": 3}, "seeds must be a list, such as"),
     ("/sample", {"seeds": [1, -1]}, "A seed must be"),
     ("/sample", {"seeds": list(range(65))}, "At most 64 pictures"),
     ("/interpolate", {"seeds": [3]}, "at least two seeds"),
     ("/interpolate", {"frames": 1}, "at least 2 frames"),
     ("/interpolate", {"frames": None}, "a number of frames"),
     ("/interpolate", {"frames": 10**6}, "At most 64 pictures"),
     ("/interpolate", {"loop": "yes"}, "loop must be true or false"),
     ("/compare", {"lanes": [{"steps": 2}] * 5}, "one to 4 settings, not 5"),
     ("/compare", {"lanes": [{"step": 2}]}, "Each lane is an object with steps, eta, spacing"),
     ("/compare", {"lanes": [7]}, "Each lane is an object"),
     ("/compare", {"seed": 0.5}, "A seed must be"),
     ("/grid", {"columns": {"steps": [*range(1, 8)]}, "rows": {"seed": [*range(7)]}}, "48 cells, not 7 × 7"),
     ("/grid", {"columns": {"steps": []}}, "at least one value of steps"),
     ("/grid", {"columns": {"clip": [True]}}, "A grid varies steps, eta, seed, spacing, solver, not 'clip'"),
     ("/grid", {"columns": {"eta": [1]}}, "not both eta"),
     ("/grid", {"columns": {"steps": 5}}, "columns must be a list"),
     ("/grid", {"rows": [0, 1]}, "rows must be an object of one setting"),
     ("/grid", {"rows": {"eta": [0], "seed": [1]}}, "rows must be an object of one setting"),
     ("/grid", {"rows": {"spacing": [[]]}}, "spacing must be one of"),
     ("/grid", {"rows": {"eta": [0, 2]}}, "eta must lie between")],
)  # fmt: skip
def test_bad_input_is_one_sentence(client, host, endpoint, asked, words):
    with pytest.raises(AppError) as caught:
        client.predict(**{"checkpoint": "tiny", **asked}, api_name=endpoint)
    said = str(caught.value)
    assert words in said
    assert "\n" not in said
    assert said.endswith(".")


def test_a_call_that_would_keep_everybody_waiting_is_refused(client, host, evaluations, monkeypatch):
    monkeypatch.setattr(host.pace, "expected_ms", lambda name, batch: 100.0 * batch)
    monkeypatch.setattr(host, "api_minutes", 2)
    asked = {"checkpoint": "tiny", "seed": 1, "api_name": "/compare"}
    with pytest.raises(AppError, match=r"about 3 min on this machine.*may take 2: .*--api-minutes 3\.$"):
        client.predict(**asked, lanes=[{"steps": 600}, {"steps": 601}])
    assert evaluations == []
    assert client.predict(**asked, lanes=[{"steps": 5}])["state"] == "done"


def test_an_unforeseen_error_is_a_sentence_too(client, host, monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("no room")

    monkeypatch.setattr("core.files.png_bytes", broken)
    with pytest.raises(AppError, match=r"^The run failed \(ZeroDivisionError\): .*\.$"):
        client.predict(**FEW, api_name="/sample")
    assert "no room" in capsys.readouterr().err


def test_cancel_ends_the_run_on_the_server(client, evaluations):
    lanes = [{"steps": 1000, "eta": 1.0}] * 4
    job = client.submit(checkpoint="tiny", seed=1, lanes=lanes, api_name="/compare")
    assert until(lambda: len(evaluations) > 5)
    job.cancel()
    assert until(lambda: rests(evaluations), 10)
    assert len(evaluations) < 4000


def rests(evaluations):
    """Whether nothing is computed for half a second."""
    seen = len(evaluations)
    time.sleep(0.5)
    return len(evaluations) == seen


def test_a_short_call_does_not_wait_for_the_end_of_a_long_one(client, evaluations):
    long = client.submit(checkpoint="tiny", seed=1, lanes=[{"steps": 1000, "eta": 1.0}] * 4, api_name="/compare")
    assert until(lambda: len(evaluations) > 5)
    assert client.predict(**FEW, api_name="/sample")["state"] == "done"
    assert not long.done()
    long.cancel()
    assert until(lambda: rests(evaluations), 10)


def test_cancel_is_seen_while_the_checkpoint_loads(client, host, monkeypatch):
    loading, go_on = threading.Event(), threading.Event()
    load = host.engine

    def slow(name):
        loading.set()
        go_on.wait(30)
        return load(name)

    monkeypatch.setattr(host, "engine", slow)
    monkeypatch.setattr(host, "loaded", lambda name: False)
    went_on = []
    monkeypatch.setattr("demo.api_stream.computed", lambda *_: went_on.append(1) or iter(()))
    job = client.submit(**FEW, api_name="/sample")
    assert loading.wait(20)
    assert until(lambda: any(said["state"] == "loading" for said in job.outputs()))
    job.cancel()
    assert until(job.done, 5)
    go_on.set()
    time.sleep(0.5)
    assert went_on == []
    assert all(said["state"] == "loading" for said in job.outputs())


def test_the_files_of_a_call_lie_in_one_folder_and_nowhere_else(client, host, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(host, "api_files", ApiFiles(tmp_path / "api", host.api_files.forget, max_bytes=10_000))
    got = client.predict(**FEW, api_name="/sample")
    assert all(Path(path).is_file() for path in got["files"].values())
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"samples.png", "x0.npy"}
    for _ in range(3):
        client.predict(**FEW, seeds=list(range(12)), api_name="/sample")
    assert len(list((tmp_path / "api").iterdir())) == 1  # 9 kB a call, and 10 are kept


def test_gradio_forgets_the_path_of_a_file_that_is_gone(client, host, page):
    client.predict(**FEW, api_name="/sample")
    known = {path for paths in page.temp_file_sets for path in paths}
    mine = [path for path in known if "samples.png" in path]
    assert mine
    host.api_files.forget(mine[0])
    assert not any(mine[0] in paths for paths in page.temp_file_sets)


def test_who_leaves_a_call_over_plain_http_ends_it_within_a_step(client, evaluations):
    with asking(client.src, 20) as http:
        asked = {"data": ["tiny", [1], 1000, 1.0, None, "ddim", None]}
        event = http.post("gradio_api/call/sample", json=asked).json()["event_id"]
        with http.stream("GET", f"gradio_api/call/sample/{event}") as stream:
            assert next(stream.iter_lines())
    assert until(lambda: rests(evaluations), 10)
    assert len(evaluations) < 1000


def test_who_leaves_before_its_turn_is_taken_out_of_the_queue(client, page, evaluations, monkeypatch):
    queue = page._queue.event_queue_per_concurrency_id["model"]
    with monkeypatch.context() as full, asking(client.src, 20) as http:
        full.setattr(queue, "current_concurrency", queue.concurrency_limit)  # as many run as may
        asked = {"data": ["tiny", [1], 3, 1.0, None, "ddim", None]}
        event = http.post("gradio_api/call/sample", json=asked).json()["event_id"]
        with (
            pytest.raises(httpx.ReadTimeout),
            http.stream("GET", f"gradio_api/call/sample/{event}", timeout=0.3) as stream,
        ):
            stream.read()
        assert until(lambda: not queue.queue, 10)
    time.sleep(0.5)  # there is room again
    assert evaluations == []


def test_a_solver_may_be_chosen_and_refuses_what_it_lacks(client, engine):
    got = client.predict(**{**FEW, "eta": 0, "solver": "dpm-solver++"}, api_name="/sample")
    request = request_of(got["records"][0])
    assert request.settings.solver == "dpm-solver++"
    assert (np.load(got["files"]["npy"]) == engine.sample(request).images.numpy()).all()
    with pytest.raises(AppError, match="solver must be one of"):
        client.predict(**{**FEW, "solver": "euler"}, api_name="/sample")
    with pytest.raises(AppError, match="eta"):
        client.predict(**{**FEW, "solver": "dpm-solver++"}, api_name="/sample")


def test_gradio_clears_its_copies_in_time(client, host):
    """They are in the lists from which delete_cache removes what is older than six hours."""
    page = build_page(host)
    outputs = [block for fn in page.fns.values() if fn.api_name == "sample" for block in fn.outputs]
    assert all(any(block.temp_files is known for known in page.temp_file_sets) for block in outputs)
    assert page.delete_cache == (3600, 6 * 3600)


def test_records_are_json_that_reads_back(client):
    got = client.predict(**FEW, api_name="/sample")
    assert json.loads(json.dumps(got["records"])) == got["records"]
    assert request_of(got["records"][0]).settings.spacing == "trailing"
