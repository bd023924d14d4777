"""The kinds of a setting: what they write they read back; whatever else comes is put right or left out, and said."""

import json
import math

import pytest

from demo.field_lists import Lane, Lanes, Listed, Place, plain
from demo.fields import MAX_ITEMS, Choice, Flag, Nearest, Real, Whole, short, shown

T = 50
SEED = Whole(0, 2**53 - 1)
STEPS = Whole(1)
SHARE = Real(0, 1)
SPACING = Choice({"leading": "Leading", "trailing": "Trailing"})
COUNT = Nearest((1, 4, 8))
LOOP = Flag()
KEYS = Listed(SEED, 2, 3)
COLUMNS = Listed(STEPS, 1, 3, "numbers", rising=True)
ROWS = Listed(SHARE, 1, 3, "numbers", rising=True)
PLACE = Place()
LANES = Lanes({"leading": "", "trailing": ""}, 2, 3)

GOOD = [
    (SEED, 0), (SEED, 2**53 - 1), (STEPS, 1), (STEPS, T),
    (SHARE, 0.0), (SHARE, 1.0), (SHARE, 1 / 3), (SHARE, 1e-7), (SHARE, 0.1234561),
    (SPACING, "leading"), (SPACING, "trailing"), (COUNT, 1), (COUNT, 8), (LOOP, True), (LOOP, False),
    (KEYS, (7, 7)), (KEYS, (2**53 - 1, 0, 3)), (COLUMNS, (5,)), (COLUMNS, (1, 20, T)), (ROWS, (0.0, 1 / 3, 1.0)),
    (PLACE, (0.0, 1.0)), (PLACE, (1 / 3, 1e-9)),
    (LANES, (Lane(1, 0.0), Lane(1, 0.0))), (LANES, (Lane(T, 1 / 3, "trailing"), Lane(2, 1.0), Lane(3, 0.25))),
]  # fmt: skip
KINDS = [SEED, STEPS, SHARE, SPACING, COUNT, LOOP, KEYS, COLUMNS, ROWS, PLACE, LANES]
ODD = [
    None, True, "", " ", "abc", "nan", "inf", "-inf", "-5", "1.5", "1e999", "9" * 400, "\ud800", "\x00", "1,2,3,4,5,6",
    "a,b,c", "::,::", "5:0,9", "5:7:odd,1:nan", ",,,,", -5, 0, 1.5, 2, 10**400, -(10**400), 1e308, math.nan, math.inf,
    -math.inf, [], [[]], [[1, 2], [3, 4]], [None, None], [math.nan, math.inf], ["\ud800"] * 2, [1.5, -3, 10**400],
    [1] * 1000, ["5:0"] * 1000, {}, {"steps": 5}, [{}, {}], [{"steps": None}, {"eta": []}], [{"steps": [5]}] * 3,
    [{"steps": 5, "eta": 2, "spacing": "odd"}, {"steps": 5, "eta": math.nan}], {"a": {"b": []}}, (1, 2), b"5",
]  # fmt: skip


def name(kind):
    return type(kind).__name__ + (type(kind.one).__name__ if isinstance(kind, Listed) else "")


def within(kind, value):
    """Whether a value may be a setting of this kind."""
    match kind:
        case Whole():
            return type(value) is int and kind.low <= value <= (T if kind.high is None else kind.high)
        case Real():
            return type(value) is float and kind.low <= value <= kind.high
        case Choice():
            return value in kind.titles
        case Nearest():
            return type(value) is int and value in kind.choices
        case Flag():
            return type(value) is bool
        case Listed():
            right = type(value) is tuple and kind.low <= len(value) <= kind.high
            ordered = not kind.rising or list(value) == sorted(set(value))
            return right and ordered and all(within(kind.one, one) for one in value)
        case Place():
            return type(value) is tuple and len(value) == 2 and all(within(SHARE, one) for one in value)
        case Lanes():
            return kind.low <= len(value) <= kind.high and all(
                within(STEPS, lane.steps) and within(SHARE, lane.eta) and lane.spacing in kind.spacings
                for lane in value
            )
    raise AssertionError(kind)


@pytest.mark.parametrize(("kind", "value"), GOOD, ids=lambda v: name(v) if hasattr(v, "read") else "")
def test_a_value_comes_back_from_a_link_and_from_json_without_a_word(kind, value):
    assert within(kind, value)
    assert kind.read(kind.text(value), T) == (value, "")
    assert kind.read(json.loads(json.dumps(plain(value))), T) == (value, "")


@pytest.mark.parametrize("raw", ODD, ids=lambda raw: repr(raw)[:20])
@pytest.mark.parametrize("kind", KINDS, ids=name)
def test_whatever_comes_is_a_value_within_bounds_or_none_and_a_sentence(kind, raw):
    value, said = kind.read(raw, T)
    assert value is None or within(kind, value)
    assert said or value is not None
    assert len(said) < 4000
    said.encode()  # a lone surrogate would break the answer


@pytest.mark.parametrize(
    ("kind", "raw", "value", "said"),
    [
        (STEPS, 5000, T, "5000 became 50"), (STEPS, 0, 1, "0 became 1"), (STEPS, "-5", 1, "-5 became 1"),
        (STEPS, "2.5", 2, "2.5 became 2"), (STEPS, math.inf, T, "inf became 50"), (STEPS, "1e999", T, "became 50"),
        (STEPS, "abc", None, "abc is no number"), (STEPS, "nan", None, "no number"), (STEPS, "", None, "nothing is no"),
        (STEPS, True, None, "no number"), (STEPS, [5], None, "no number"), (STEPS, {"steps": 5}, None, "no number"),
        (SEED, 1.5, 1, "1.5 became 1"), (SEED, -4, 0, "-4 became 0"), (SEED, 2**53, 2**53 - 1, f"became {2**53 - 1}"),
        (SHARE, 2, 1.0, "2 became 1"), (SHARE, -math.inf, 0.0, "-inf became 0"), (SHARE, math.nan, None, "no number"),
        (SPACING, "odd", None, "odd is none of leading, trailing"), (SPACING, ["leading"], None, "none of"),
        (COUNT, 500, 8, "500 became 8"), (COUNT, 5, 4, "5 became 4"), (COUNT, -math.inf, 1, "became 1"),
        (COUNT, "many", None, "many is no number"),
        (LOOP, "yes", None, "yes is neither 0 nor 1"), (LOOP, 2, None, "neither"), (LOOP, "TRUE", True, ""),
        (LOOP, 0, False, ""), (LOOP, [], None, "neither"),
        (KEYS, "3", None, "2 to 3 numbers are needed"), (KEYS, 5, None, "needed"), (KEYS, {"0": 1}, None, "needed"),
        (KEYS, [[1, 2], [3, 4]], None, "needed"), (KEYS, [1, 2, 3, 4], (1, 2, 3), "only the first 3 of 4 were kept"),
        (KEYS, [1, "x", 2.5], (1, 2), "x is no number; 2.5 became 2"),
        (COLUMNS, "20,5,20,1", (1, 5, 20), ""), (COLUMNS, "40,60,70", (40, 50), "60 became 50; 70 became 50"),
        (ROWS, "1,0.5", (0.5, 1.0), ""), (ROWS, "nan", None, "needed"),
        (PLACE, "2,0.5", (1.0, 0.5), "2 became 1"), (PLACE, [0.5], None, "no place"), (PLACE, [0.5] * 3, None, "no pl"),
        (PLACE, [0.5, math.nan], None, "no place"), (PLACE, {}, None, "no place"), (PLACE, 0.5, None, "no place"),
        (LANES, "10:0", None, "2 to 3 runners are needed"), (LANES, 7, None, "a list of runners"),
        (LANES, "10:0,5000:3:leading", (Lane(10, 0.0), Lane(T, 1.0)), "5000 became 50; 3 became 1"),
        (LANES, "10,20", (Lane(10, 0.0), Lane(20, 0.0)), ""),
        (LANES, [{"steps": 4, "eta": 1}, {"steps": 5}], (Lane(4, 1.0), Lane(5, 0.0)), ""),
        (LANES, ["4:0"] * 4, (Lane(4, 0.0),) * 3, "only the first 3 of 4 were kept"),
        (LANES, "4:0,5:0,6:0:odd", (Lane(4, 0.0), Lane(5, 0.0)), "odd is none of leading, trailing"),
    ],
    ids=lambda v: name(v) if hasattr(v, "read") else "",
)  # fmt: skip
def test_bad_values_are_cut_or_left_out_and_said(kind, raw, value, said):
    found, words = kind.read(raw, T)
    assert (found, type(found)) == (value, type(value))
    assert said in words
    assert said or not words


@pytest.mark.parametrize("kind", KINDS, ids=name)
def test_what_was_put_right_needs_no_second_correction(kind):
    for raw in ODD:
        value, _ = kind.read(raw, T)
        if value is not None:
            assert kind.read(kind.text(value), T) == (value, "")


@pytest.mark.parametrize("kind", KINDS, ids=name)
def test_the_browser_is_told_of_a_kind_in_json(kind):
    spec = json.loads(json.dumps(kind.spec(), allow_nan=False))
    assert spec["kind"]


def test_bounds_and_choices_reach_the_browser():
    assert (SHARE.spec()["low"], SHARE.spec()["high"]) == (0, 1)
    assert STEPS.spec()["high"] is None  # the browser knows each checkpoint's T
    assert SPACING.spec()["options"] == [["Leading", "leading"], ["Trailing", "trailing"]]
    assert [value for _, value in COUNT.spec()["options"]] == [1, 4, 8]
    assert (KEYS.spec()["least"], KEYS.spec()["most"], KEYS.spec()["whole"]) == (2, 3, True)
    assert (ROWS.spec()["low"], ROWS.spec()["high"], ROWS.spec()["whole"]) == (0, 1, False)


def test_a_list_of_any_length_is_looked_at_up_to_a_bound():
    long = Listed(Whole(0, 9), 1, 10**6)
    for raw in ([1] * 10**5, ",".join(["1"] * 10**5)):
        assert len(long.read(raw, T)[0]) == MAX_ITEMS


def test_numbers_are_written_with_all_their_digits_and_no_more():
    assert [short(x) for x in (0.0, 1.0, 0.5, 0.1, 1 / 3)] == ["0", "1", "0.5", "0.1", repr(1 / 3)]
    assert float(short(0.1 + 0.2)) == 0.1 + 0.2


def test_a_sentence_shows_what_was_sent_and_not_all_of_it():
    assert shown("abc") == "abc"
    assert shown("") == "nothing"
    assert len(shown("x" * 10**6)) == len(shown([1] * 1000)) == 24
