"""Laws of the page's settings over anything that may be sent, by hypothesis: not examples but what holds of all."""

from urllib.parse import parse_qsl

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from demo.field_lists import plain
from demo.settings import FIELDS, corrected
from tests.fuzz.values import JSON

LENGTHS = st.sampled_from([1, 2, 50, 1000])
EVERY_TIME = settings(
    derandomize=True, database=None, deadline=None, max_examples=30, suppress_health_check=list(HealthCheck)
)
pytestmark = pytest.mark.filterwarnings("ignore")


def settled(asked, T):
    return corrected(asked, ["tiny"], lambda _: T)


@EVERY_TIME
@given(st.dictionaries(st.sampled_from(list(FIELDS)), JSON, max_size=8), LENGTHS)
def test_whatever_was_asked_for_a_link_gives_the_same_page_without_a_word(asked, T):
    page = settled(asked, T).page
    assert settled(dict(parse_qsl(page.query().removeprefix("?"), keep_blank_values=True)), T) == (page, [])
    assert settled(page.as_json(), T) == (page, [])


@EVERY_TIME
@given(st.sampled_from(list(FIELDS)), JSON, LENGTHS)
def test_what_is_read_is_read_again_as_it_is(name, raw, T):
    kind = FIELDS[name].kind
    value, said = kind.read(raw, T)
    assert value is not None or said
    if value is not None:
        assert kind.read(plain(value), T) == kind.read(kind.text(value), T) == (value, "")
