"""What the panels say: figures, how each is known, and a word where a setting surprises."""

import pytest

from core import Request, SamplerSettings
from core.axes import Axis
from demo import words

TIMING = {
    "total_s": 2.0,
    "device": "cpu",
    "device_name": "cpu x",
    "threads": 2,
    "precision": "fp32",
    "backend": "torch",
}


@pytest.mark.parametrize(
    ("s", "said"),
    [(0, "0 ms"), (0.0421, "42 ms"), (0.9994, "999 ms"), (0.9995, "1.00 s"), (1.234, "1.23 s"), (12.34, "12.3 s"),
     (119, "119.0 s"), (120, "2.0 min"), (300, "5.0 min")],
)  # fmt: skip
def test_a_duration_can_be_read_at_a_glance(s, said):
    assert words.seconds(s) == said


@pytest.mark.parametrize(("s", "said"), [(60, "≈ 1 min"), (29.6, "≈ 30 s"), (100, "≈ 2 min"), (3600, "≈ 60 min")])
def test_an_estimate_is_round(s, said):
    assert words.about(s) == said


def test_it_is_said_how_a_speed_up_is_known():
    assert words.speed_up(2.0, 20, 1000, None) == ("50.0×", "estimated")
    assert words.speed_up(2.0, 20, 1000, 90.0) == ("45.0×", "measured")
    assert words.speed_up(0.0, 20, 1000, 90.0) == ("–", "estimated")  # no time, no factor


def test_a_readout_has_a_qualifier_for_every_figure():
    assert words.readout(TIMING, steps=20, T=1000, images=4) == [
        ["total", "2.00 s", "measured"],
        ["per step", "100.0 ms", "measured"],
        ["images/s", "2.00", "measured"],
        ["vs DDPM 1000", "50.0×", "estimated"],
    ]
    measured = words.readout(TIMING, steps=20, T=500, images=4, ddpm_s=30.0, preview_s=0.25)
    assert measured[3:] == [["vs DDPM 500", "15.0×", "measured"], ["drawing", "250 ms", "not in total"]]


def test_the_machine_is_named_with_its_threads_where_it_computes_on_them():
    assert words.machine(TIMING) == "cpu x, 2 threads, fp32, torch"
    assert words.machine({**TIMING, "threads": 1}) == "cpu x, 1 thread, fp32, torch"
    assert words.machine({**TIMING, "device": "cuda:0", "device_name": "NVIDIA X"}) == "NVIDIA X, fp32, torch"


def test_settings_and_solvers_have_the_names_that_people_read():
    assert words.setting_label(20, 0.0) == "S = 20 · η = 0"
    assert words.setting_label(5, 0.25) == "S = 5 · η = 0.25"
    assert words.solver("dpm-solver++") == "DPM-Solver++ 2M"


def test_noise_that_breaks_a_path_is_said_and_nothing_else_is():
    assert words.noise_note(between=True, eta=0.0, own_noise=True) == ""
    assert words.noise_note(between=False, eta=1.0, own_noise=True) == ""
    assert "same added noise" in words.noise_note(between=True, eta=0.5, own_noise=False)
    assert "differ by chance" in words.noise_note(between=True, eta=0.5, own_noise=True)


def test_one_step_is_explained():
    assert "t = 0" in words.step_note(1, "leading")
    assert "once" in words.step_note(1, "trailing")
    assert all("take more steps" in words.step_note(1, spacing) for spacing in ("leading", "trailing"))
    assert words.step_note(2, "trailing") == words.step_note(2, "leading") == ""


def test_a_shared_batch_says_how_many_pictures_the_time_is_of():
    assert "27 pictures" in words.shared_note(27)


@pytest.mark.parametrize(("kind", "remedy"), [("OutOfMemoryError", "fewer pictures"), ("KeyError", "terminal")])
def test_an_unforeseen_failure_is_one_sentence_with_a_remedy(kind, remedy):
    said = words.failure_note(kind)
    assert kind in said
    assert remedy in said
    assert "\n" not in said


def test_a_grid_says_what_it_takes():
    said = "seed 3, leading · 12 cells · 12,345 network evaluations · estimated 90.0 s"
    assert words.grid_plan(12, 12345, 90.0, "seed 3, leading") == said


def test_the_picture_of_a_grid_has_every_cells_time_row_by_row():
    records = [{"timing": {**TIMING, "total_s": float(k)}} for k in range(1, 7)]
    asked = Request((7,), SamplerSettings(spacing="trailing"))
    legend = words.legend("tiny", asked, records, Axis("steps", (5, 10, 20)), Axis("eta", (0.0, 0.25)))
    assert (legend.across, legend.down) == (["S = 5", "S = 10", "S = 20"], ["η = 0", "η = 0.25"])
    assert legend.under == [["1.00 s", "2.00 s", "3.00 s"], ["4.00 s", "5.00 s", "6.00 s"]]
    assert legend.note == "tiny, seed 7, trailing; cpu x, 2 threads, fp32, torch"


@pytest.mark.parametrize(
    ("varied", "common"),
    [(("seed", "spacing"), "S = 20, η = 0.5"), (("steps", "eta"), "seed 7, leading"),
     (("solver", "steps"), "η = 0.5, seed 7, leading")],
)  # fmt: skip
def test_a_grid_says_what_its_cells_have_in_common(varied, common):
    assert words.alike(Request((7,), SamplerSettings(20, 0.5, "leading")), *varied) == common
    second_order = Request((7,), SamplerSettings(20, 0.0, "leading", solver="dpm-solver++"))
    assert words.alike(second_order, "steps", "seed") == "η = 0, leading, DPM-Solver++ 2M"


@pytest.mark.parametrize(
    ("others", "own_s", "said"),
    [(0, 500, "Sampling…"), (1, 0.1, "Sampling, in turn with 1 other…"), (3, 2, "Sampling, in turn with 3 others…"),
     (4, 5, "Sampling, in turn with 4 others, 25 s at most by estimate…"),
     (24, 5, "Sampling, in turn with 24 others, 2 min at most by estimate…")],
)  # fmt: skip
def test_who_waits_in_turn_is_told_with_how_many_and_for_how_long(others, own_s, said):
    assert words.sampling(others, own_s) == said
