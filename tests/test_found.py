"""What an exported picture says of itself, what the page would be set to, and what is said when it cannot be."""

import ast
import json
import shlex
from dataclasses import replace

import pytest
from test_views import final, values

from core import Branches, DataError, Engine, Request, SamplerSettings
from core.record import grid_record, race_record, recorded, run_record
from core.timing import Timing
from demo.found import found_html, read
from demo.found_controls import Here, controls_of
from demo.handlers import Handlers
from demo.host import EngineHost
from demo.reproduce import code_html, code_panel, request_here
from demo.reproduce_view import read_file, repeating
from demo.runs import jobs
from demo.settings import WHAT, Lane, PageSettings, page_settings


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture(scope="module")
def here(engine):
    return Here.of(engine, "checkpoints/tiny")


@pytest.fixture
def handlers(tiny_folder, tmp_path):
    (tmp_path / "tiny").symlink_to(tiny_folder, target_is_directory=True)
    return Handlers(EngineHost(tmp_path, device="cpu"))


def record_of(engine, request):
    """As it stands in a file: through JSON."""
    timing = Timing.of(engine.placed.place, 1.0, 0.9, request.settings.steps, request.count, request.count)
    resolved = engine.run(request).plan.request
    return json.loads(json.dumps(run_record(engine.checkpoint, resolved, timing, None)))


PAGES = [
    ("samples", PageSettings("tiny", steps=7, eta=0.25, seed=40, count=8, spacing="trailing")),
    ("samples", PageSettings("tiny", count=1)),
    ("a", PageSettings("tiny", steps=5)),
    ("strip", PageSettings("tiny", seed=4, seed_to=2, eta=1.0)),
    ("path", PageSettings("tiny", view="interpolate", keys=(9, 4, 6), between=4, loop=False)),
    ("path", PageSettings("tiny", view="interpolate", keys=(9, 4), between=10, loop=True, own_noise=True, eta=0.5)),
    ("place", PageSettings("tiny", view="interpolate", corners=(4, 5, 6, 8), place=(0.25, 1.0))),
    ("sheet", PageSettings("tiny", view="interpolate", corners=(4, 5, 6, 8), steps=6)),
]


@pytest.mark.parametrize(("what", "page"), PAGES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_controls_that_a_file_sets_ask_for_the_run_it_holds(engine, here, what, page):
    request = request_here(what, page)
    record = record_of(engine, request)
    controls = controls_of(recorded(record), here)
    again = page_settings(1000, **({"checkpoint": "tiny"} | controls))
    repeated = next(job.request for job in jobs(again) if job.name == what)
    assert record_of(engine, repeated)["request"] == record["request"]


def test_a_race_and_a_grid_set_all_their_runs(engine, here):
    lanes = (Lane(4, 0.0), Lane(9, 0.5, "quadratic"), Lane(20, 1.0))
    race = PageSettings("tiny", view="compare", seed=12, lanes=lanes)
    records = [record_of(engine, job.request) for job in sorted(jobs(race), key=lambda job: job.name)]
    found = page_settings(1000, **controls_of(recorded(race_record(records)), here))
    assert (found.view, found.seed, found.lanes) == ("compare", 12, lanes)
    grid = PageSettings("tiny", view="grid", seed=12, grid_steps=(2, 5), grid_etas=(0.0, 1.0), spacing="trailing")
    cells = sorted((job.request for job in jobs(grid)), key=lambda r: (r.settings.eta, r.settings.steps))
    records = [record_of(engine, request) for request in cells]
    found = page_settings(1000, **controls_of(recorded(grid_record(records, (2, 5), (0.0, 1.0))), here))
    assert jobs(found) == jobs(grid)
    assert "the first of 4 runs" in read(grid_record(records, (2, 5), (0.0, 1.0)), here).code[0][0]


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (Request((3, 9)), "neighbouring"),
        (Request((3, 4, 5)), "neighbouring"),
        (Request((3,), SamplerSettings(sigma_hat=True)), "no control"),
        (Request((3,), SamplerSettings(timesteps=(900, 100))), "no control"),
        (Request((3,), SamplerSettings(clip=False)), "clipping"),
        (Request((10**6,)), "seeds up to"),
        (Request((3, 8), frames=9), "Interpolate puts"),
        (Request(tuple(range(9)), frames=33), "room for 8 keys"),
        (Request((1, 2, 3, 4), sheet=5), "7 × 7"),
        (Request((3,), branches=Branches(500)), "no controls for branches"),
        (Request((1, 2, 3, 4), SamplerSettings(50), sheet=7), "10 steps at most"),
    ],
)
def test_a_run_without_controls_says_why_and_is_still_written_out(engine, here, request_, word):
    found = read(record_of(engine, request_), here)
    assert found.controls is None
    assert word in found.why
    assert word in found_html(found)
    assert [title for title, _ in found.code] == ["Command line", "Python"]


def test_more_steps_than_the_checkpoint_has(engine, here):
    record = record_of(engine, Request((3,), SamplerSettings(200)))
    assert "has 100 steps" in read(record, replace(here, T=100)).why


def test_nothing_differs_on_the_machine_that_made_it(engine, here):
    record = record_of(engine, Request((3,)))
    assert read(record, here).warnings == []
    assert "bit-equal" in found_html(read(record, here))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"sha256": "f" * 64}, "other weights"),
        ({"checkpoint": "other", "sha256": "f" * 64}, "tiny is not here"),
        ({"precision": "bf16"}, "runs in bf16"),
        ({"backend": "onnxruntime"}, "here onnxruntime does"),
        ({"device_name": "NVIDIA X"}, "NVIDIA X"),
        ({"threads": 77}, "77"),
        ({"versions": {"torch": "0.1", "numpy": "0.2"}}, "here 0.1"),
    ],
)
def test_each_difference_is_one_warning(engine, here, change, word):
    said = read(record_of(engine, Request((3,))), replace(here, **change)).warnings
    assert len(said) == 1
    assert word in said[0]


def test_latents_from_a_file_are_a_warning(engine, here):
    record = {**record_of(engine, Request((3,))), "latents_sha256": "a" * 64}
    assert "latents" in read(record, here).warnings[0]


def test_an_incomplete_record_is_one_sentence(engine, here):
    record = record_of(engine, Request((3,)))
    del record["timing"]
    with pytest.raises(DataError, match="timing"):
        read(record, here)
    whole = record_of(engine, Request((3,)))
    for odd in ({}, {**whole, "race": ["x", "y"]}, {**whole, "grid": 7}, {**whole, "checkpoint": {"name": 3}}):
        with pytest.raises(DataError, match="does not describe"):
            read(odd, here)


def test_what_a_file_says_cannot_become_markup(engine, here):
    record = record_of(engine, Request((3,)))
    record["checkpoint"]["name"] = "<img src=x onerror=alert(1)>"
    assert "<img" not in found_html(read(record, here))
    assert "<b>" not in code_html([("<b>", "a <b>")])


def test_the_checkpoint_is_found_by_weights_then_by_name_then_it_is_the_one_shown(handlers, engine):
    sha = engine.checkpoint.sha256
    assert repeating(handlers, {"checkpoint": {"name": "renamed", "sha256": sha}}, "shown") == "shown"  # not loaded
    handlers.host.engine("tiny")
    assert repeating(handlers, {"checkpoint": {"name": "tiny", "sha256": "x"}}, "shown") == "tiny"
    assert repeating(handlers, {"checkpoint": {"name": "renamed", "sha256": sha}}, "shown") == "tiny"
    assert repeating(handlers, {"checkpoint": {"name": "renamed", "sha256": "x"}}, "shown") == "shown"
    assert repeating(handlers, {}, "shown") == "shown"


def test_every_run_of_the_page_is_written_out_or_says_why_not(handlers):
    engine = handlers.host.engine("tiny")
    for what in WHAT:
        said = code_panel(handlers.host, engine, PageSettings("tiny", what=what))
        assert ("Command line" in said) is (what != "lane3"), what
    assert "no such runner" in code_panel(handlers.host, engine, PageSettings("tiny", what="lane3"))
    shown, end = final(handlers.run("tab", values(view="reproduce", what="strip")))
    assert "strip.png" in shown["code"]
    assert end.status[0] == "done"


def test_a_record_cannot_smuggle_code_into_what_is_copied(engine, here):
    record = record_of(engine, Request((3,)))
    code = "None)); __import__('os').system('id')  #"
    for name, value in (("clip", code), ("sigma_hat", "x"), ("eta", "0"), ("spacing", "x; id")):
        settings = {**record["request"]["settings"], name: value}
        with pytest.raises(DataError, match="does not describe"):
            read({**record, "request": {**record["request"], "settings": settings}}, here)
    device = "cpu'; id; '\")"
    command, python = (
        text for _, text in read({**record, "timing": {**record["timing"], "device": device}}, here).code
    )
    assert device in shlex.split(command)  # one word to the shell, one constant to Python
    assert device in [node.value for node in ast.walk(ast.parse(python)) if isinstance(node, ast.Constant)]


def test_the_command_keeps_the_batch_and_takes_a_device_that_is_here(engine, here):
    record = record_of(engine, Request(tuple(range(100))))
    record["timing"]["batch"] = 64
    assert "--batch" not in read(record, here).code[0][1]  # the command line's own
    record["timing"]["batch"] = 100
    assert "--batch 100" in read(record, here).code[0][1]
    record["timing"] |= {"device": "cuda:0", "device_name": "NVIDIA X", "precision": "fp16"}
    assert "--device cpu --precision fp32" in read(record, here).code[0][1]
    record = record_of(engine, Request((3, 4, 5, 6)))
    record["timing"]["batch"] = 2
    assert "2 pictures at a time" in read(record, here).warnings[0]


def test_a_file_that_is_no_picture_of_ours_is_a_sentence_without_a_path(handlers, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    said, new, code = read_file(handlers, str(broken), "tiny")
    assert "broken.png is not a picture" in said
    assert str(tmp_path) not in said
    assert (new, code) == ({}, "")


def test_a_record_that_names_no_backend_is_of_torch(engine, here):
    record = record_of(engine, Request((3,)))
    del record["timing"]["backend"]
    assert read(record, here).warnings == []
    assert "--backend torch" in read(record, here).code[0][1]
    assert dict(read(record, here).rows)["Made on"].endswith("threads, torch")


def test_a_run_of_another_solver_is_written_out_only(engine, here):
    found = read(record_of(engine, Request((3,), SamplerSettings(8, solver="dpm-solver++"))), here)
    assert found.controls is None
    assert "DPM-Solver++ 2M" in found.why
    assert "--solver dpm-solver++" in found.code[0][1]
