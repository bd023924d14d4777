"""A link holds the whole state; whatever is wrong with one, or with a message, is put right or left out, and said."""

import json
from dataclasses import MISSING, asdict, fields, replace
from urllib.parse import parse_qsl

import pytest

from core.solvers import SOLVERS
from core.timesteps import SPACINGS as CORE_SPACINGS
from demo.field_lists import Lane, plain
from demo.lengths import log_stops, presets
from demo.settings import FIELDS, MAX_PAGE_SEED, NAMES, RACE, PageSettings, corrected, first_settings

STEPS = {"tiny": 1000, "short": 40}
PLAIN = PageSettings("tiny")
ODD = PageSettings(
    "tiny", view="compare", steps=37, eta=0.25, seed=11, seed_to=99, count=4, spacing="quadratic", steps_b=1000,
    eta_b=0.5, lanes=(Lane(7, 0.5, "trailing"), Lane(1000, 1.0), Lane(3, 0.0, "linspace")), keys=(1, 2, 3, 4),
    between=10, loop=False, own_noise=True, corners=(9, 8, 7, 6), place=(0.125, 1.0), grid_steps=(1, 999),
    grid_etas=(0.25,), grid_x="seed", grid_y="spacing", grid_seeds=(2, 8), grid_spacings=("trailing", "quadratic"),
    grid_solvers=("dpm-solver++",), branch_at=(5, 77), branch_eta=0.5, branch_count=4, label=7, what="place",
    shape="moons", captions=False, picture="0123456789abcdef", crop=(0.0, 0.25, 2.5), picture_to="none",
    crop_to=(1.0, 0.5, 16.0), refine=4,
)  # fmt: skip
FINE = PageSettings(
    "tiny", eta=0.1234561, eta_b=1 / 3, lanes=(Lane(7, 0.1234561), Lane(7, 0.1234562)), place=(1 / 3, 0.9999999),
    grid_etas=(0.1234561, 0.1234562), seed=MAX_PAGE_SEED,
)  # fmt: skip
OTHER_SOLVER = PageSettings("tiny", solver="dpm-solver++")


def read(asked, before=None, names=("tiny", "short")):
    """A link, or values by name as a browser sends them."""
    if isinstance(asked, str):
        asked = dict(parse_qsl(asked.removeprefix("?")))
    return corrected(asked, list(names), STEPS.__getitem__, before)


def different(page, than=PLAIN):
    """What a page is set to that another is not."""
    return {name: getattr(page, name) for name in NAMES if getattr(page, name) != getattr(than, name)}


@pytest.mark.parametrize("page", [PLAIN, ODD, FINE, OTHER_SOLVER, first_settings("short", 40)])
def test_a_link_and_a_message_give_every_setting_back(page):
    assert read(page.query()) == (page, [])
    assert read(json.loads(json.dumps(page.as_json()))) == (page, [])


def test_odd_settings_are_odd_everywhere_so_that_the_round_trip_shows_it():
    assert set(different(ODD)) | set(different(OTHER_SOLVER)) == set(FIELDS)


@pytest.mark.parametrize(
    ("before", "asked", "axes"),
    [
        (("steps", "eta"), {"grid_x": "eta"}, ("eta", "steps")),  # they change places
        (("steps", "eta"), {"grid_y": "steps"}, ("eta", "steps")),
        (("seed", "spacing"), {"grid_y": "seed"}, ("spacing", "seed")),
        (("steps", "eta"), {"grid_x": "solver"}, ("solver", "steps")),  # where η would have no noise to add
        (("seed", "eta"), {"grid_x": "solver"}, ("solver", "seed")),
        (("steps", "eta"), {"grid_x": "seed", "grid_y": "seed"}, ("steps", "seed")),
    ],
)
def test_the_axis_that_was_just_chosen_stays_and_the_other_gives_way(before, asked, axes):
    page, _ = read(asked, before=PageSettings("tiny", grid_x=before[0], grid_y=before[1]))
    assert (page.grid_x, page.grid_y) == axes


def test_a_link_with_one_axis_twice_gets_another():
    assert different(read("grid_x=eta")[0]) == {"grid_x": "eta", "grid_y": "steps"}
    assert different(read("grid_x=seed&grid_y=seed")[0]) == {"grid_x": "seed", "grid_y": "steps"}


@pytest.mark.parametrize("name", ["a&b=c", "a b+c", "ü%20", "Ωß#?/"])
def test_a_checkpoint_of_any_name_comes_back_from_a_link(name):
    link = PageSettings(name).query()
    assert corrected(dict(parse_qsl(link[1:])), ["tiny", name], lambda _: 1000) == (PageSettings(name), [])


def test_the_table_and_the_settings_agree():
    assert {field.name: field.default for field in fields(PageSettings)} == {
        "checkpoint": MISSING, **{name: field.default for name, field in FIELDS.items()},
    }  # fmt: skip
    assert tuple(field.name for field in fields(PageSettings)) == NAMES


@pytest.mark.parametrize("name", FIELDS)
def test_a_default_is_a_value_of_its_kind(name):
    field = FIELDS[name]
    assert field.kind.read(plain(field.default), 1000) == (field.default, "")
    assert field.default_at(1000) == field.default
    assert field.label


def test_what_can_be_chosen_is_what_the_engine_knows():
    assert set(FIELDS["spacing"].kind.titles) == set(CORE_SPACINGS)
    assert set(FIELDS["solver"].kind.titles) == set(SOLVERS)


@pytest.mark.parametrize(
    ("text", "found", "words"),
    [
        ("steps=5000", {"steps": 1000}, "steps: 5000 became 1000"),
        ("steps=0", {"steps": 1}, "became 1"),
        ("steps=2.5", {"steps": 2}, "became 2"),
        ("steps=abc", {}, "steps: abc is no number and was left out"),
        ("steps=nan", {}, "no number"),
        ("eta=2", {"eta": 1.0}, "became 1"),
        ("eta=-inf", {}, "became 0"),
        ("seed=-4", {"seed": 0}, "became 0"),
        ("seed=1.5", {"seed": 1}, "became 1"),
        ("count=500", {"count": 32}, "became 32"),
        ("spacing=odd", {}, "none of leading"),
        ("solver=odd", {}, "none of ddim"),
        ("view=<script>", {}, "none of explore"),
        ("loop=yes", {}, "neither 0 nor 1"),
        ("keys=3", {}, "2 to 8 numbers are needed and was left out"),
        ("corners=1,2,3", {}, "4 to 4 numbers"),
        ("place=2,0.5", {"place": (1.0, 0.5)}, "became 1"),
        ("lanes=10:0", {}, "2 to 4 runners"),
        ("lanes=10:0,5000:3:leading", {"lanes": (Lane(10, 0.0), Lane(1000, 1.0))}, "5000 became 1000"),
        ("eta=1&solver=dpm-solver%2B%2B", {"solver": "dpm-solver++"}, "adds no noise"),
        ("grid_spacings=odd", {}, "none of leading"),
        ("grid_spacings=quadratic,odd", {"grid_spacings": ("quadratic",)}, "none of leading"),
        ("grid_x=odd", {}, "none of steps"),
        ("grid_x=solver", {"grid_x": "solver", "grid_y": "steps"}, "does not vary η with the solver"),
        ("checkpoint=gone", {}, "there is no checkpoint gone here, so tiny is shown"),
    ],
)
def test_bad_values_are_put_right_or_left_out_and_said(text, found, words):
    page, said = read(text)
    assert different(page) == found
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "raw", [None, "", "abc", -5, 1.5, 10**400, float("nan"), float("inf"), [], [[1], [2]], {}, {"a": [1]}, "\ud800"]
)
def test_no_value_of_any_setting_breaks_the_page(name, raw):
    page, said = read({name: raw})
    assert set(different(page)) <= {name}
    assert read(page.query()) == (page, [])
    json.dumps(page.as_json(), allow_nan=False)
    ";".join(said).encode()


@pytest.mark.parametrize("gone", ["gone", None, 7, ["tiny"], {"tiny": 1}, "\ud800"])
def test_of_an_unknown_checkpoint_the_one_before_or_the_first_is_shown(gone):
    page, said = read({"checkpoint": gone})
    assert (page.checkpoint, len(said)) == ("tiny", 1)
    page, said = read({"checkpoint": gone, "steps": 100}, before=PageSettings("short"))
    assert (page.checkpoint, page.steps) == ("short", 40)
    assert "short is shown" in said[0]
    assert read({"checkpoint": gone}, before=PageSettings("removed meanwhile")).page.checkpoint == "tiny"


def test_what_is_left_out_or_cannot_be_read_stays_as_it_was():
    assert read({}, before=ODD) == (ODD, [])
    page, said = read({"steps": "abc", "keys": [], "seed": 5}, before=ODD)
    assert page == replace(ODD, seed=5)
    assert len(said) == 2


def test_a_checkpoint_cuts_every_number_of_steps_to_its_own():
    asked = {"checkpoint": "short", "steps": 100, "lanes": plain(RACE)}
    page, said = read(asked, before=replace(ODD, grid_steps=(5, 10, 50, 100)))
    assert (page.steps, page.steps_b) == (40, 40)
    assert page.lanes == (Lane(10, 0.0), Lane(40, 0.0), Lane(40, 1.0))
    assert page.grid_steps == (5, 10, 40)
    assert said == ["steps: 100 became 40", "lanes: 50 became 40; 1000 became 40"]  # and not of what nobody asked for


def test_columns_that_become_equal_are_one_and_runners_stay_apart():
    page, said = corrected({"steps": 8, "steps_b": 1}, ["any"], lambda _: 8)
    assert page.grid_steps == (5, 8)
    assert page.lanes == (Lane(8, 0.0), Lane(8, 0.0), Lane(8, 1.0))
    assert said == []


@pytest.mark.parametrize("T", [1, 7, 40, 1000, 4000])
def test_the_page_opens_within_any_schedule(T):
    page = first_settings("any", T)
    assert max(page.steps, page.steps_b, *page.grid_steps, *(lane.steps for lane in page.lanes)) <= T
    assert corrected(page.as_json(), ["any"], lambda _: T) == (page, [])
    assert asdict(first_settings("any", 1000)) == asdict(PageSettings("any"))


def test_the_largest_S_is_that_of_the_checkpoint_in_the_link():
    page, said = read("checkpoint=short&steps=100")
    assert page.steps == 40
    assert len(said) == 1


def test_other_parameters_are_passed_over():
    page, said = read("__theme=dark&utm_source=x&steps=9&__class__=x")
    assert (different(page), said) == ({"steps": 9}, [])


def test_too_many_keys_or_runners_are_cut():
    page, said = read("keys=" + ",".join(map(str, range(30))) + "&lanes=" + ",".join(["5:0"] * 9))
    assert (len(page.keys), len(page.lanes), len(said)) == (8, 4, 2)


def test_a_link_is_short_where_few_digits_say_it_all():
    assert "&eta=0.1&" in replace(ODD, eta=0.1).query()
    assert "&grid_etas=0%2C0.5%2C1&" in PLAIN.query()
    assert "&lanes=10%3A0%2C50%3A0%2C1000%3A1&" in PLAIN.query()


@pytest.mark.parametrize(("loop", "count"), [(True, 18), (False, 13)])
def test_a_path_has_its_keys_on_it(loop, count):
    assert replace(PLAIN, loop=loop).frames == count


@pytest.mark.parametrize("T", [1, 7, 50, 100, 1000, 4000])
def test_slider_stops_rise_from_1_to_T(T):
    stops = log_stops(T)
    assert (stops[0], stops[-1]) == (1, T)
    assert stops == sorted(set(stops))


@pytest.mark.parametrize(
    ("T", "said"),
    [
        (1000, [["Fast 10", 10, 0.0], ["Balanced 20", 20, 0.0], ["Fine 100", 100, 0.0], ["DDPM-like", 200, 1.0]]),
        (100, [["Fast 10", 10, 0.0], ["Balanced 20", 20, 0.0], ["Fine 50", 50, 0.0], ["DDPM-like", 100, 1.0]]),
        (10, [["Fast 1", 1, 0.0], ["Balanced 2", 2, 0.0], ["Fine 5", 5, 0.0], ["DDPM-like", 10, 1.0]]),
    ],
)
def test_presets_say_what_a_schedule_of_this_length_allows(T, said):
    assert presets(T) == said


def test_what_was_not_touched_follows_the_length_of_the_schedule_there_and_back():
    assert first_settings("short", 40).branch_at == (12, 20, 28, 36)
    there, said = read({"checkpoint": "short"} | {k: v for k, v in PLAIN.as_json().items() if k != "checkpoint"}, PLAIN)
    assert (there.branch_at, [lane.steps for lane in there.lanes], said) == ((12, 20, 28, 36), [10, 40, 40], [])
    back, said = read(there.as_json() | {"checkpoint": "tiny"}, there)
    assert (back, said) == (PLAIN, [])


def test_what_was_chosen_is_cut_to_the_length_of_the_schedule_and_said():
    chosen = PageSettings("tiny", steps=300, branch_at=(30, 700))
    there, said = read(chosen.as_json() | {"checkpoint": "short"}, chosen)
    assert (there.steps, there.branch_at) == (40, (30, 40))
    assert said == ["steps: 300 became 40", "branch_at: 700 became 40"]
