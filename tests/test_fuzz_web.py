"""The short form of ``python -m tests.fuzz api`` and ``page``: the same cases every time, all within seconds."""

import pytest
from fuzz import api, page
from fuzz.answers import ODD, site

CASES = {"api": 150, "page": 120}


@pytest.fixture(scope="module")
def here():
    with site() as here:
        yield here


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", CASES)
def test_odd_requests_are_answered_politely(here, what):
    run = {"api": api, "page": page}[what].run
    here.ends.clear()
    wrong = [f"seed {seed}: {found}" for seed in range(CASES[what]) if (found := run(here, seed)).wrong]
    assert wrong == []
    good = {"api": ("complete", "upload HTTP 200"), "page": ("want done",)}[what]
    assert sum(times for end, times in here.ends.items() if end.endswith(good)) > CASES[what] // 20, here.counts()


def test_a_case_follows_from_its_seed(here):
    assert page.run(here, 7).asked == page.run(here, 7).asked
    assert len(ODD) > 50


def test_what_is_not_polite_is_seen(here, monkeypatch):
    """Each rule, by an answer that breaks it."""

    def broken(self, wish):
        raise RuntimeError("in /private-place/x")

    with monkeypatch.context() as patched:
        patched.setattr("demo.live.Live.want", broken)
        assert page.run(here, 1).wrong
    with monkeypatch.context() as patched:
        patched.setattr("demo.host.EngineHost.told", lambda self, sentence: f"{sentence} {self.root}")
        patched.setattr("demo.host.EngineHost.names", lambda self: 1 / 0)
        assert {api.run(here, seed).wrong for seed in range(12)} - {""}
