"""The short form of ``python -m tests.fuzz api`` and ``page``: the same cases every time, all within seconds."""

import json

import pytest

from tests.fuzz import api, page
from tests.fuzz.answers import site
from tests.fuzz.drive import round_of

COUNT = {"api": 120, "page": 100}


@pytest.fixture(scope="module")
def here():
    with site() as here:
        yield here


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", COUNT)
def test_odd_requests_are_answered_politely(here, what):
    module = {"api": api, "page": page}[what]
    here.ends.clear()
    found = round_of(module.CASES, lambda case: module.run(here, case), 0, COUNT[what])
    assert found.wrong is None, str(found.wrong)
    good = {"api": ("complete", "upload HTTP 200"), "page": ("want done",)}[what]
    assert sum(times for end, times in here.ends.items() if end.endswith(good)) > COUNT[what] // 20, here.counts()


def test_what_is_not_polite_is_seen(here, monkeypatch):
    """Each rule, by an answer that breaks it."""

    def broken(self, wish):
        raise RuntimeError("in /private-place/x")

    wish = page.Want(json.dumps({"seq": 0, "settings": page.GOOD}).encode())
    call = api.Call("sample", json.dumps({"data": ["odd", *api.GOOD["sample"][1:]]}).encode())
    assert page.run(here, wish).wrong == api.run(here, call).wrong == ""
    with monkeypatch.context() as patched:
        patched.setattr("demo.live.Live.want", broken)
        assert page.run(here, wish).wrong
    with monkeypatch.context() as patched:
        patched.setattr("demo.host.EngineHost.told", lambda self, sentence: f"{self.root}: {sentence}")
        assert "private-place" in api.run(here, call).wrong
    good = api.Call("sample", json.dumps({"data": api.GOOD["sample"]}).encode())
    assert api.run(here, good).wrong == ""
    with monkeypatch.context() as patched:
        patched.setattr("demo.api_stream.check_length", lambda *_: 1 / 0)
        assert "traceback on the terminal" in api.run(here, good).wrong
