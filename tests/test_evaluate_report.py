"""The page says what the JSON says, and nothing else."""

import re

import numpy as np
import pytest

from core import DataError
from core.evaluate.cells import KINDS, cells
from core.evaluate.claims import claims_text
from core.evaluate.digits import measured, percent
from core.evaluate.headline import headline, headline_table, headline_text
from core.evaluate.plots import plot_all
from core.evaluate.report import conditions_text, section, write_page
from core.evaluate.rows import quality_rows, seconds_per_step
from core.evaluate.shares import shares_table
from core.evaluate.solver_tables import solver_consistency_table
from core.evaluate.tables import attributes_table, consistency_table, quality_table

MACHINE = {
    "device": "cpu",
    "device_name": "cpu x86_64",
    "processor": "Abacus 9",
    "cores": 2,
    "threads": 1,
    "system": "L",
}


def quality(eta, S, frechet, **more):
    kind = {"kind": "quality", "eta": eta, "S": S, "way": None}
    figures = {"frechet": frechet, "spread": 0.0625, "kid": frechet / 1000, "kid_spread": 1e-5, "n": 300,
               "ms_per_evaluation": 12.5, "batch": 50, "seconds_per_image": 0.01 * S, "wall_clock_s": 3.0 * S,
               "checks": None}  # fmt: skip
    return kind | about(n=300, seeds_from=7, n_reference=900) | {"figures": figures | more}


def about(**conditions):
    return {"conditions": {"precision": "fp32", **conditions}, "machine": MACHINE, "versions": {"torch": "9.9"},
            "duration_s": 61.0, "finished": "2026-01-01"}  # fmt: skip


def document(**cells_by_key):
    checkpoint = {"name": "net", "sha256": "ab" * 32, "shape": [1, 28, 28], "T": 1000, "spacing": "leading"}
    return {"schema": "ddim-evaluation/1", "checkpoint": checkpoint, "cells": cells_by_key}


def with_quality(values, **more):
    found = {f"quality/eta={eta}/S={S}": quality(eta if eta == "hat" else float(eta), S, v)
             for (eta, S), v in values.items()}  # fmt: skip
    return document(**found, **more)


VALUES = {
    ("0", 5): 31.4159,
    ("0", 20): 11.25,
    ("0", 50): 10.5,
    ("1", 1000): 10.0,
    ("hat", 10): 300.25,
    ("0.2", 5): 33.5,
}


def test_a_table_shows_the_figures_of_the_json_and_no_others():
    page = quality_table(with_quality(VALUES))
    shown = {float(x) for x in re.findall(r"([\d.]+) ± 0.062", page)}
    assert shown == {round(v, 3) for v in VALUES.values()}
    assert page.count("not run") == 30 - len(VALUES)
    rows = [line.split("|")[1:-1] for line in page.splitlines()]
    assert [cell.strip() for cell in rows[0]] == ["", "S = 5", "S = 10", "S = 20", "S = 50", "S = 100", "S = 1000"]
    assert rows[2][1].strip() == "31.416 ± 0.062"  # η = 0, S = 5
    assert rows[5][6].strip() == "10.000 ± 0.062"  # η = 1, S = 1000
    assert rows[6][2].strip() == "300.250 ± 0.062"  # σ̂, S = 10


def test_rows_hold_all_that_a_trade_off_needs():
    row = next(row for row in quality_rows(with_quality(VALUES)) if row.S == 50)
    assert (row.eta, row.S, row.n, row.frechet, row.spread) == ("0", 50, 300, 10.5, 0.0625)
    assert (row.kid, row.ms_per_evaluation, row.seconds_per_image, row.wall_clock_s) == (0.0105, 12.5, 0.5, 150.0)


def test_cells_share_one_rate_whatever_the_load_was_when_they_ran():
    cells_ = {("0", 5): 2.0, ("0", 10): 1.0, ("1", 20): 3.0}
    found = with_quality(cells_)
    found["cells"]["quality/eta=1/S=20"]["figures"]["seconds_per_image"] = 900.0  # a busy hour
    assert seconds_per_step(found) == pytest.approx(0.01)
    times = [{"S": 5, "seconds": 0.4}, {"S": 10, "seconds": 1.6}, {"S": 20, "seconds": 80.0}]
    found["cells"]["speed/steps"] = {"kind": "speed", "figures": {"n": 16, "rows": times}}
    assert seconds_per_step(found) == pytest.approx(0.01)  # 1.6 / 10 / 16, of one run on a quiet machine


def test_the_headline_is_the_smallest_s_within_a_tenth_of_ddpm():
    found = headline(with_quality(VALUES))
    assert (found.S, found.frechet, found.ddpm) == (50, 10.5, 10.0)  # 11.25 is more than 11
    assert found.ratio == pytest.approx(10.0 / 0.5)  # seconds a picture of the quality cells
    assert headline(with_quality(VALUES), within=0.125).S == 20
    text = headline_text(with_quality(VALUES))
    assert "at S = 50, 20 times" in text
    assert "not of one run" in text
    assert "; the nearest of fewer steps is S = 20, 12 ± " in text
    late = with_quality({("0", 100): 12.0, ("0", 1000): 10.5, ("1", 1000): 10.0})
    assert "within 10 % of DDPM with all 1000 steps only.**" in headline_text(late)
    assert headline(with_quality({("0", 5): 10.0, ("0", 10): 9.0, ("1", 1000): 10.0})).nearest is None


def test_more_pictures_decide_the_headline_where_ddpm_is_among_them():
    few = {("0", 20): 10.5, ("0", 50): 10.25, ("1", 1000): 10.0}
    more = {("0", 20): 6.0, ("0", 50): 5.25}
    found = with_quality(few)
    cells_ = {f"headline/eta={eta}/S={S}": quality(float(eta), S, v, n=1000) | {"kind": "headline"}
              for (eta, S), v in more.items()}  # fmt: skip
    found["cells"] |= cells_
    assert (headline(found).S, headline(found).n) == (20, 300)
    assert headline_table(found) is None  # nothing to set them beside yet
    ddpm_alone = with_quality(few)
    ddpm_alone["cells"]["headline/eta=1/S=1000"] = quality(1.0, 1000, 5.0, n=1000) | {"kind": "headline"}
    assert headline(ddpm_alone).n == 300
    assert headline_table(ddpm_alone) is None
    found["cells"]["headline/eta=1/S=1000"] = quality(1.0, 1000, 5.0, n=1000) | {"kind": "headline"}
    assert (headline(found).S, headline(found).n, headline(found).ddpm) == (50, 1000, 5.0)
    assert "gives 5.000 ± 0.062 (n = 1000); the nearest of fewer steps is S = 20, 20 ± 2 % above" in headline_text(
        found
    )
    checks = {"hue": 0.5, "flat": 0.25, "luminance": 1.0, "all": 0.125}
    found["cells"]["headline/floor"] = {
        "kind": "headline", "way": "floor", "figures": {"frechet": 3.5, "spread": 0.25, "checks": checks},
    }  # fmt: skip
    said, _, *lines = headline_table(found).splitlines()
    assert "n = 1000; times are those of the cells themselves" in said
    assert "all three" in lines[0]
    assert lines[2] == "| held-out data | 3.50 ± 0.25 | – | – | 50.0 % | 25.0 % | 100.0 % | 12.5 % |"
    assert lines[4] == "| η = 0 (DDIM), S = 50 | 5.250 ± 0.062 | +5 ± 2 % | 20 | – | – | – | – |"
    assert lines[5].startswith("| η = 1 (DDPM), S = 1000 | 5.000 ± 0.062 | – | – |")
    assert quality_table(found) == quality_table(with_quality(few))  # no other table mixes the two n


def test_the_headlines_times_are_of_one_run_where_there_is_one():
    rows = [{"S": S, "eta": eta, "seconds": s, "fastest": s, "slowest": s, "runs": 1, "times_faster_than_ddpm": 1.0}
            for S, eta, s in ((50, 0.0, 2.0), (1000, 1.0, 38.0), (1000, 0.0, 37.0))]  # fmt: skip
    speed = {"kind": "speed", "figures": {"n": 16, "rows": rows, "load_before": 0.1, "load_after": 0.2}, **about(n=16)}
    found = headline(with_quality(VALUES, **{"speed/steps": speed | {"eta": 0.0, "S": 0, "way": None}}))
    assert (found.ratio, found.same_run) == (19.0, True)


def test_without_ddpm_or_a_good_s_the_headline_says_so():
    assert headline(with_quality({("0", 50): 1.0})) is None
    assert "not yet" in headline_text(with_quality({("0", 50): 1.0}))
    bad = with_quality({("0", 50): 20.0, ("1", 1000): 10.0})
    assert headline(bad).S is None
    assert "**None of S = 50 brings η = 0 within 10 % of DDPM.**" in headline_text(bad)
    alone = with_quality({("1", 1000): 10.0})
    assert headline(alone).nearest is None
    assert "No S that was run" in headline_text(alone)


def test_a_missed_headline_says_by_how_much():
    bad = with_quality({("0", 20): 25.0, ("0", 50): 20.0, ("0", 100): 22.0, ("1", 1000): 10.0})
    S, above, spread = headline(bad).nearest
    assert (S, above) == (50, 1.0)
    drawn = np.random.default_rng(0).normal((20.0, 10.0), 0.0625, (200_000, 2))
    assert spread == pytest.approx((drawn[:, 0] / drawn[:, 1]).std(), rel=0.02)
    assert "the nearest is S = 50, 100 ± 1 % above." in headline_text(bad)


def test_nothing_is_invented_where_nothing_was_run():
    page = section(document(), {})
    assert page.count("not run") >= 30 + 7 * 3 + 7 * 4 + 3 * 5
    assert "±" not in page.split("For the shape only")[0]
    assert shares_table(document()) is None
    assert headline_table(document()) is None
    assert attributes_table(document()) is None


def test_every_cell_of_the_plan_has_a_place_on_the_page():
    empty = section(document(), {}).count("not run")
    figures = {
        "quality": quality("0", 5, 1.5)["figures"] | {"n_all": 400, "frechet_all": 0.5},
        "denoising": {"n": 5, "rows": []},
        "reconstruction": {"mse": 0.0014, "spread": 0.0001, "held_back": 0.25},
        "consistency": {name + end: 0.5 for name in ("pixels", "features") for end in ("", "_spread", "_unrelated")},
        "interpolation": {"frechet": 2.5, "spread": 0.5, "kid": 0.1, "kid_spread": 0.2, "frechet_ends": 1.0,
                          "spread_ends": 0.5, "detour": 1.25, "jump": 2.0, "attributes": {}},
        "speed": {"n": 16, "rows": [], "load_before": 0.0, "load_after": 0.0},
    }  # fmt: skip
    assert {*figures, "headline"} == set(KINDS)  # that one has a test of its own
    for cell in cells(list(figures), 1000, 300, 100):
        found = {"kind": cell.kind, "eta": cell.eta if cell.eta == "hat" else float(cell.eta), "S": cell.S,
                 "way": cell.way or None, "figures": figures[cell.kind], **about(n=cell.n)}  # fmt: skip
        assert section(document(**{cell.key: found}), {}).count("not run") < empty, cell.key


def test_consistency_and_attributes_and_checks_show_their_figures():
    names = [name + end for name in ("pixels", "features") for end in ("", "_spread", "_unrelated")]
    figures = dict(zip(names, (0.0125, 0.001, 0.3125, 1.75, 0.01, 20.5), strict=True))
    page = consistency_table(document(**{"consistency/eta=0/S=20": {"figures": figures}}))
    assert "| 20 | 0.0125 ± 0.0010 | not run | 1.750 ± 0.010 | not run | not run | not run |" in page
    assert "| unrelated samples | 0.3125 | not run | 20.5 | not run | not run | not run |" in page
    figures |= {"same": 0.75, "same_spread": 0.05, "same_unrelated": 0.25}
    page = consistency_table(document(**{"consistency/eta=1/S=20": {"figures": figures}}))
    assert "| 20 | not run | 0.0125 ± 0.0010 | not run | 1.750 ± 0.010 | not run | 75.0 ± 5.0 % |" in page
    assert page.endswith("| not run | 0.3125 | not run | 20.5 | not run | 25.0 % |")
    page = solver_consistency_table(document(**{"consistency/dpm-solver++/S=20": {"figures": figures}}))
    assert page.splitlines()[0].split(" | ")[2] == "pixels, DPM-Solver++ 2M"
    assert "| 20 | not run | 0.0125 ± 0.0010 | not run | 75.0 ± 5.0 % |" in page
    courses = {"hair": {"differing": 40, "once": 0.875, "differing_switches": 1.25, "steady": 0.75,
                        "steady_switches": 0.5}, "skin": {"travelled": 0.375, "distance": 0.34375}}  # fmt: skip
    page = attributes_table(document(**{"interpolation/slerp": {"figures": {"attributes": courses}}}))
    assert "| slerp | hair | 40 | 87.5 % | 1.25 | 75.0 % |" in page
    assert "| 0.375 | 0.3438 |" in page
    checks = {"hue": 0.5, "flat": 0.25, "luminance": 1.0, "all": 0.125}
    page = shares_table(document(**{"quality/eta=0/S=5": quality(0.0, 5, 1.0, checks=checks)}))
    assert "| η = 0 (DDIM), S = 5 | 50.0 % | 25.0 % | 100.0 % | 12.5 % |" in page
    floor = {"kind": "quality", "way": "floor", "figures": {"checks": None, "unsure": {"class": 0.0625}}}
    cells_ = {"quality/floor": floor, "quality/eta=0/S=5": quality(0.0, 5, 1.0, unsure={"class": 0.125})}
    assert shares_table(document(**cells_)).splitlines()[0] == "|  | no clear class |"
    assert "| held-out data | 6.2 % |\n| η = 0 (DDIM), S = 5 | 12.5 % |" in shares_table(document(**cells_))


def test_the_page_names_machine_seeds_and_durations(tmp_path):
    text = conditions_text(with_quality(VALUES))
    assert "quality: 6 cells, 6 min of work (" in text
    assert "), fp32, torch 9.9, seeds from 7; Abacus 9, 2 cores, 1 thread used" in text
    two = with_quality(VALUES)
    two["checkpoint"] = two["checkpoint"] | {"name": "second"}
    write_page(tmp_path / "results.md", [with_quality(VALUES), two])
    page = (tmp_path / "results.md").read_text()
    assert page.index("## net") < page.index("## second")
    assert "no FID" in page
    for name in re.findall(r"\]\((images/[^)]+)\)", page):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert page.count("](images/") == 2


def test_no_plot_is_drawn_of_nothing(tmp_path):
    assert plot_all(document(), tmp_path / "x") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("value", "spread", "text"), [
    (12.34567, 0.123, "12.35 ± 0.12"), (5.477, 1.03, "5.5 ± 1.0"), (-2.667, 9.89, "-2.7 ± 9.9"),
    (5.3, 0.996, "5.3 ± 1.0"), (293.0, 133.4, "290 ± 130"),  # rounded to two digits it has another place
    (0.0037962, 7.3e-5, "0.003796 ± 0.000073"), (2.971e-5, 3.8e-6, "(2.97 ± 0.38) × 10⁻⁵"),
    (1e-8, 3e-7, "(0.1 ± 3.0) × 10⁻⁷"), (None, None, "–"), (12.34567, None, "12.35"), (0.0, 0.0, "0 ± 0"),
])  # fmt: skip
def test_a_figure_has_the_digits_that_its_spread_carries(value, spread, text):
    assert measured(value, spread) == text


@pytest.mark.parametrize(("share", "spread", "text"), [
    (0.1289, None, "12.9 %"), (0.95759, 0.0099, "95.76 ± 0.99 %"), (0.75, 0.055, "75.0 ± 5.5 %"),
    (1.0, 0.0, "100 ± 0 %"), (None, None, "–"),
])  # fmt: skip
def test_a_share_is_a_percentage(share, spread, text):
    assert percent(share, spread) == text


def test_what_is_written_about_figures_takes_them_from_the_json(tmp_path):
    path = tmp_path / "claims.md"
    found = with_quality(VALUES)
    path.write_text("DDIM [[net quality/eta=0/S=5 frechet]], DDPM [[net quality/eta=1/S=50 frechet]], [a](b).\n")
    assert claims_text(path, [found]) == "DDIM 31.42, DDPM not run, [a](b)."
    write_page(tmp_path / "results.md", [found])
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert page.index("DDIM 31.42, DDPM not run") < page.index("## net")
    found["cells"]["speed/steps"] = {"figures": {"rows": [{"seconds": 0.25}]}}
    path.write_text("[[net speed/steps rows.0.seconds]]")
    assert claims_text(path, [found]) == "0.25"


@pytest.mark.parametrize(("asked", "text"), [
    ("frechet", "31.42"), ("frechet ±", "31.416 ± 0.062"), ("frechet .1f", "31.4"), ("kid ±", "0.031416 ± 0.000010"),
    ("unsure.class %", "12.5 %"), ("same ±%", "75.0 ± 5.0 %"), ("frechet_ends ±", "7.00 ± 0.50"),
])  # fmt: skip
def test_a_figure_is_written_as_it_is_asked_for(tmp_path, asked, text):
    more = {"unsure": {"class": 0.125}, "same": 0.75, "same_spread": 0.05, "frechet_ends": 7.0, "spread_ends": 0.5}
    found = document(**{"quality/eta=0/S=5": quality(0.0, 5, 31.4159, **more)})
    path = tmp_path / "claims.md"
    path.write_text(f"[[net quality/eta=0/S=5 {asked}]]")
    assert claims_text(path, [found]) == text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[[other quality/eta=0/S=5 frechet]]", "not rendered"),
        ("[[net quality/eta=0/S=5 fid]]", "has no fid"),
        ("[[net quality/eta=0/S=5 checks]]", "has no number as checks"),
        ("[[net quality/eta=0/S=5 frechet .1x]]", "cannot be written as .1x"),
        ("[[net quality/eta=0/S=5 batch ±]]", "has no batch_spread"),  # and not the spread of another figure
        ("[[net quality/eta=0/S=5 frechet.x]]", "has no frechet.x"),
    ],
)
def test_a_figure_that_does_not_exist_is_refused(tmp_path, text, word):
    path = tmp_path / "claims.md"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(word)):
        claims_text(path, [with_quality(VALUES)])
