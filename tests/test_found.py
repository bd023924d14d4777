"""What an exported picture says of itself, what the page would be set to, and what is said when it cannot be."""

import ast
import json
import shlex
from dataclasses import replace

import pytest

from core import Branches, DataError, Engine, Request, SamplerSettings
from core.axes import Axis, cells
from core.record import branches_record, grid_record, race_record, recorded, run_record
from core.timing import Timing
from demo.settings import FIELDS, Lane, PageSettings, corrected
from demo.views import VIEWS
from demo.views.branches import jobs as branch_jobs
from demo.views.grid import axes, cell_jobs
from demo.views.reproduce.code import code_html, request_here
from demo.views.reproduce.found import found_html, read
from demo.views.reproduce.found_controls import Here, controls_of

BEFORE = PageSettings(
    "tiny", view="learn", steps=77, eta=0.75, seed=1, seed_to=2, count=32, spacing="linspace", keys=(5, 6, 7, 8),
    between=15, own_noise=True, loop=True, corners=(1, 1, 1, 1), place=(0.75, 0.75),
)  # fmt: skip


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture(scope="module")
def here(engine):
    return Here.of(engine, "checkpoints/tiny")


def set_to(controls):
    """The page once it is set so, whatever it was set to before; through JSON, as the browser sends it."""
    page, said = corrected(json.loads(json.dumps(controls)), ["tiny"], lambda _: 1000, BEFORE)
    assert said == []
    return page


def jobs_of(page):
    """What the page's view runs, by name."""
    view = next(view for view in VIEWS if view.name == page.view)
    return {job.name: job.request for job in view.jobs(page)}


def record_of(engine, request):
    """As it stands in a file: through JSON."""
    timing = Timing.of(engine.placed.place, 1.0, 0.9, request.settings.steps, request.count, request.count)
    resolved = engine.run(request).plan.request
    return json.loads(json.dumps(run_record(engine.checkpoint, resolved, timing, None)))


PAGES = [
    ("samples", PageSettings("tiny", steps=7, eta=0.25, seed=40, count=8, spacing="trailing")),
    ("samples", PageSettings("tiny", count=1)),
    ("a", PageSettings("tiny", steps=5)),
    ("a", PageSettings("tiny", steps=5, solver="dpm-solver++")),
    ("strip", PageSettings("tiny", seed=4, seed_to=2, eta=1.0)),
    ("path", PageSettings("tiny", view="interpolate", keys=(9, 4, 6), between=4, loop=False)),
    ("path", PageSettings("tiny", view="interpolate", keys=(9, 4), between=10, loop=True, own_noise=True, eta=0.5)),
    (
        "branches",
        PageSettings("tiny", view="branches", seed=5, eta=0.5, branch_at=(250,), branch_eta=0.25, branch_count=2),
    ),
    ("place", PageSettings("tiny", view="interpolate", corners=(4, 5, 6, 8), place=(0.25, 1.0))),
    ("sheet", PageSettings("tiny", view="interpolate", corners=(4, 5, 6, 8), steps=6)),
]


@pytest.mark.parametrize(("what", "page"), PAGES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_controls_that_a_file_sets_ask_for_the_run_it_holds(engine, here, what, page):
    record = record_of(engine, request_here(what, page, engine))
    again = set_to(controls_of(recorded(record), here))
    repeated = jobs_of(again)["row 0" if what == "branches" else what]
    assert record_of(engine, repeated)["request"] == record["request"]


def test_a_race_and_a_grid_set_all_their_runs(engine, here):
    lanes = (Lane(4, 0.0), Lane(9, 0.5, "quadratic"), Lane(20, 1.0))
    race = jobs_of(PageSettings("tiny", view="compare", seed=12, lanes=lanes))
    records = [record_of(engine, race[name]) for name in sorted(race)]
    found = set_to(controls_of(recorded(race_record(records)), here))
    assert (found.view, found.seed, found.lanes) == ("compare", 12, lanes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"spacing": "trailing"}, "A grid of 4 cells: S across, η down"),
     ({"grid_x": "seed", "grid_y": "spacing", "eta": 0.5}, "A grid of 16 cells: Seed across, spacing down"),
     ({"grid_x": "solver", "grid_y": "steps"}, "A grid of 4 cells: Solver across, S down"),
     ({"grid_x": "seed", "grid_y": "steps", "solver": "dpm-solver++"}, "A grid of 8 cells: Seed across, S down")],
)  # fmt: skip
def test_a_grid_sets_its_axes_and_what_all_its_cells_have(engine, here, changes, said):
    page = PageSettings("tiny", view="grid", seed=12, grid_steps=(2, 5), grid_etas=(0.0, 1.0), **changes)
    record = grid_record([record_of(engine, job.request) for job in cell_jobs(page)], *axes(page))
    assert jobs_of(set_to(controls_of(recorded(record), here))) == jobs_of(page)
    found = read(record, here)
    assert found.rows[0] == ("What", said)
    assert "the first of" in found.code[0][0]
    if "seed" in changes.values():
        assert ("Seeds", "2,5,27,32") in found.rows


def test_rows_of_branches_set_all_their_t(engine, here):
    page = PageSettings("tiny", view="branches", steps=10, eta=0.25, seed=5, branch_at=(100, 500, 900), branch_count=2)
    runs = [record_of(engine, job.request) for job in branch_jobs(page)]
    found = set_to(controls_of(recorded(branches_record(runs)), here))
    assert jobs_of(found) == jobs_of(page)
    assert found.branch_at == (100, 500, 900)


def test_a_grid_that_the_page_cannot_show_is_refused_by_name(engine, here):
    def refused(base, columns, rows, word):
        asked = cells(base, Axis(*columns), Axis(*rows))
        record = grid_record([record_of(engine, request) for request in asked], Axis(*columns), Axis(*rows))
        with pytest.raises(ValueError, match=word):
            controls_of(recorded(record), here)

    one, second_order = Request((3,)), Request((3,), SamplerSettings(solver="dpm-solver++"))
    refused(one, ("solver", ("ddim",)), ("eta", (0.0, 1.0)), "do not vary η with the solver")
    refused(second_order, ("steps", (2, 3)), ("eta", (0.0,)), "sampled by DDIM")
    refused(one, ("steps", tuple(range(1, 10))), ("eta", (0.0,)), "room for 8 columns")


def test_a_file_sets_controls_of_the_page_and_no_others(engine, here):
    for what, page in PAGES:
        controls = controls_of(recorded(record_of(engine, request_here(what, page, engine))), here)
        assert set(controls) <= {"checkpoint", *FIELDS}
        assert {"checkpoint", "view", "spacing"} <= set(controls)


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (Request((3, 9)), "neighbouring"),
        (Request((3, 4, 5)), "neighbouring"),
        (Request((3,), SamplerSettings(sigma_hat=True)), "no control"),
        (Request((3,), SamplerSettings(timesteps=(900, 100))), "no control"),
        (Request((3,), SamplerSettings(clip=False)), "clipping"),
        (Request((2**53 - 1,)), "seeds up to"),
        (Request((3, 8), frames=9), "Interpolate puts"),
        (Request(tuple(range(9)), frames=33), "room for 8 keys"),
        (Request((1, 2, 3, 4), sheet=5), "7 × 7"),
        (Request((3,), branches=Branches(500, 5)), "2, 4, 6, 8 branches"),
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


def test_a_run_from_latents_in_a_file_is_not_set_up_as_its_seeds_own(engine, here):
    record = {**record_of(engine, Request((3,))), "latents_sha256": "a" * 64}
    found = read(record, here)
    assert found.controls is None
    assert found.why == "It began from given latents, or those of a picture: the page has no control for them."
    assert "--latents" in found_html(found)
    assert read({**record, "latents_sha256": None}, here).controls is not None


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


def test_a_record_that_names_no_backend_is_of_torch(engine, here):
    record = record_of(engine, Request((3,)))
    del record["timing"]["backend"]
    assert read(record, here).warnings == []
    assert "--backend torch" in read(record, here).code[0][1]
    assert dict(read(record, here).rows)["Made on"].endswith("threads, torch")


def test_a_race_of_another_solver_is_written_out_only(engine, here):
    records = [record_of(engine, Request((3,), SamplerSettings(S, solver="dpm-solver++"))) for S in (4, 8)]
    found = read(race_record(records), here)
    assert found.controls is None
    assert "DPM-Solver++ 2M" in found.why
    assert "--solver dpm-solver++" in found.code[0][1]


def test_a_file_names_the_other_solver_that_made_it(engine, here):
    found = read(record_of(engine, Request((3,), SamplerSettings(8, solver="dpm-solver++"))), here)
    assert "DPM-Solver++ 2M" in " ".join(value for _, value in found.rows)
