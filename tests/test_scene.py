"""What is on screen while a view runs: the newest of each job, what of older settings may stay, and its files."""

from types import SimpleNamespace

import pytest

from core import Request, SamplerSettings
from demo.jobs import Job
from demo.scene import Scene, file_name, of_one_start, whole_state
from demo.settings import PageSettings

PAGE = PageSettings("tiny")


def run(name="a", steps=5, eta=0.0, seeds=(3,), weights="w"):
    """A result, as far as a scene looks at it."""
    job = Job(name, Request(seeds, SamplerSettings(steps, eta)))
    return SimpleNamespace(job=job, weights=weights, checkpoint="tiny", record={})


def scene(finished=(), last=(), now=None, kept=()):
    def value(one, was_kept):
        return {"state": "done", "steps": one.job.evaluations, "kept": was_kept, "weights": one.weights,
                "seeds": list(one.job.request.seeds)}  # fmt: skip

    made = Scene(PAGE, None, None, [], {one.job.name: one for one in last}, value, lambda file: f"at/{file.name}")
    made.finished, made.now, made.kept = {one.job.name: one for one in finished}, now or {}, set(kept)
    return made


def test_a_job_shows_its_result_else_what_has_come_of_it_else_what_it_showed_last():
    old, new = run(steps=5), run(steps=9)
    assert scene().of("a") is None
    stale = scene(last=[old]).of("a")
    assert (stale["state"], stale["steps"]) == ("stale", 5)
    assert scene(last=[old], now={"a": {"state": "running"}}).of("a") == {"state": "running"}
    done = scene([new], [old], now={"a": {"state": "running"}}).of("a")
    assert (done["state"], done["steps"], done["kept"]) == ("done", 9, False)
    assert scene([new], kept=["a"]).of("a")["kept"]


def test_runs_from_another_start_leave_once_one_of_the_new_start_is_there():
    new, same, other = run("a"), run("b", steps=9), run("b", seeds=(4,))
    for last, there in ((same, True), (other, False), (run("b", weights="others"), False)):
        a, b = scene([new], [last]).together(["a", "b"])
        assert a["state"] == "done"
        assert (b is not None) == there
    a, b = scene(last=[new, other]).together(["a", "b"])  # nothing new yet: all stay
    assert (a["state"], b["state"]) == ("stale", "stale")


def test_a_panel_links_the_files_of_what_is_on_screen_and_of_nothing_else():
    made = scene(last=[run("a", steps=5)])
    there, missing = (
        made.file("GIF", name, "a", ".gif", lambda suffix, _, words: f"{suffix} {words}".encode()) for name in "ab"
    )
    assert missing is None
    value = made.with_files({"state": "stale"}, there, missing)
    assert value == {"state": "stale", "files": [{"label": "GIF", "name": there.name, "href": f"at/{there.name}"}]}
    assert there.make() == b".gif True"
    assert there.name == "tiny_seed3_S5_eta0_a.gif"


@pytest.mark.parametrize(
    ("seeds", "said"),
    [((3,), "seed3_"), ((3, 8), "seed3-8_"), ((3, 4), "seed3-4_"), ((3, 4, 5), "seed3to5_"),
     ((9, 1, 2, 3, 4), "seed9-1-2-3…_")],
)  # fmt: skip
def test_a_file_is_named_by_what_was_run(seeds, said):
    assert file_name(run(seeds=seeds, eta=0.25), "strip") == f"tiny_{said}S5_eta0.25_strip"
    assert file_name(run(seeds=seeds), "grid", settings=False) == f"tiny_{said}grid"


def test_a_file_of_several_runs_needs_all_of_them_from_one_start():
    a, b = run("a"), run("b", steps=9)
    assert of_one_start([a, b]) == [a, b]
    assert of_one_start([a, None]) is None
    assert of_one_start([a, run("b", seeds=(4,))]) is None
    assert of_one_start([a, run("b", weights="others")]) is None


def test_a_panel_is_done_once_all_its_parts_are():
    done, running, stale = ({"state": state} for state in ("done", "running", "stale"))
    assert whole_state([done, done]) == "done"
    assert whole_state([done, running]) == "running"
    assert whole_state([done, None]) == "waiting"
    assert whole_state([stale, done]) == "stale"
    assert whole_state([running, stale]) == "running"


def test_what_is_made_once_is_made_once():
    made, calls = scene(), []
    assert [made.once("key", lambda: calls.append(1) or "it") for _ in range(3)] == ["it"] * 3
    assert len(calls) == 1
