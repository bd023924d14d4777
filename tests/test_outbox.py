"""A browser is sent what it does not have: no value twice in a row, no picture twice at all."""

from demo.outbox import Outbox
from demo.pictures import Picture

FIRST, SECOND = Picture("data:first"), Picture("data:second")


def test_a_picture_travels_once_and_is_named_afterwards():
    outbox = Outbox({SECOND.id})
    assert outbox.panel("strip", {"tiles": FIRST, "other": SECOND}) == {
        "panel": "strip", "value": {"tiles": FIRST.id, "other": SECOND.id}, "pictures": {FIRST.id: "data:first"},
    }  # fmt: skip
    assert outbox.panel("samples", {"tiles": FIRST})["pictures"] == {}


def test_a_panel_hears_of_a_value_only_when_it_is_another():
    outbox = Outbox(set())
    assert outbox.panel("strip", {"state": "running"}) is not None
    assert outbox.panel("strip", {"state": "running"}) is None
    assert outbox.panel("samples", {"state": "running"}) is not None  # a panel of its own
    assert outbox.panel("strip", {"state": "done"}) is not None
    assert outbox.panel("strip", {"state": "running"}) is not None  # it shows another meanwhile
