"""Passwords are not guessed without end, and nobody's guesses keep a person out for long."""

import pytest
from wishes import asking, host_of, served

from demo.guesses import FORGOTTEN_S, MOST, ONE, Guesses, checking, network, waiting
from demo.login import MARK

RIGHT = {"username": "ada", "password": "right:horse"}
WRONG = RIGHT | {"password": "wrong"}
DAY_S = 24 * 3600


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guesses(clock):
    return Guesses(clock)


def wrong(guesses, who):
    """One wrong word; the wait after it."""
    assert guesses.wait_s(who) == 0
    guesses.tried(who)
    return guesses.wait_s(who)


def test_after_two_that_are_free_each_wrong_word_has_its_wait_which_ends(guesses, clock):
    waits = []
    for _ in range(9):
        waits.append(wrong(guesses, guesses.of("192.0.2.1", None)))
        clock.now += waits[-1]
    assert waits == [0, 0, 5, 10, 20, 40, 60, 60, 60]
    assert waiting(10**9, ONE) == 60


def test_what_comes_too_early_makes_no_wait_longer(guesses, clock):
    who = guesses.of("192.0.2.1", None)
    for _ in range(3):
        wrong(guesses, who)
    clock.now += 4.9
    assert guesses.wait_s(who) == 1
    clock.now += 0.1
    assert guesses.wait_s(who) == 0


def test_another_address_is_not_kept_waiting_and_a_right_word_begins_anew(guesses, clock):
    first, other = guesses.of("192.0.2.1", None), guesses.of("192.0.2.2", None)
    for _ in range(3):
        wrong(guesses, first)
    assert guesses.wait_s(other) == 0
    clock.now += 5
    guesses.tried(first)
    guesses.right(first)
    assert [wrong(guesses, first) for _ in range(3)] == [0, 0, 5]


def test_from_however_many_addresses_there_are_so_many_a_day(guesses, clock):
    tried, end = 0, clock.now + DAY_S
    while clock.now < end:
        who = guesses.of(f"10.{tried >> 16 & 255}.{tried >> 8 & 255}.{tried & 255}", None)
        if wait := guesses.wait_s(who):
            clock.now += wait
        else:
            guesses.tried(who)
            tried += 1
    assert 8_000 < tried <= 8_700  # what SECURITY.md says of a day, and those that are free at its beginning


def test_a_browser_that_has_logged_in_is_let_in_amid_an_attack_from_its_own_address(guesses, clock):
    mark = guesses.mark()
    for _ in range(200):
        who = guesses.of("192.0.2.1", None)
        clock.now += guesses.wait_s(who)
        guesses.tried(who)
    assert guesses.wait_s(guesses.of("192.0.2.1", None)) > 0
    assert guesses.wait_s(guesses.of("192.0.2.1", mark)) == 0
    assert [wrong(guesses, guesses.of("192.0.2.1", mark)) for _ in range(3)] == [0, 0, 5]  # and is bounded by itself
    name, _, seal = mark.partition(".")
    for forged in (f"{name}.{'0' * 64}", f"x.{seal}", name, f".{seal}", f"{name}.é", Guesses().mark(), "everybody"):
        assert guesses.wait_s(guesses.of("192.0.2.1", forged)) > 0, forged


def test_nothing_is_kept_for_ever(guesses, clock):
    for i in range(2 * MOST):
        guesses.tried(guesses.of(f"host-{i}", None))
    assert len(guesses._counts) == MOST
    clock.now += FORGOTTEN_S + 1
    assert wrong(guesses, guesses.of("192.0.2.1", None)) == 0
    assert len(guesses._counts) == 2


def test_an_address_is_counted_with_those_that_one_house_has():
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2:5::6") != network("2001:db8:1:3::4")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("testclient") == "testclient"


def test_a_login_is_right_or_wrong_whatever_is_given():
    known = checking("ada", "right:hörse")
    assert known("ada", "right:hörse")
    for given in (("ada", ""), ("", "right:hörse"), ("Ada", "right:hörse"), ("ada", "right:hörse "), ("\ud800", "é")):
        assert not known(*given)


@pytest.fixture
def browser(tiny_folder, tmp_path, clock, monkeypatch):
    monkeypatch.setattr("demo.login.Guesses", lambda: Guesses(clock))
    with served(host_of(tmp_path, tiny_folder), auth=checking(*RIGHT.values())) as address:
        browser = asking(address, 30)
        yield browser
        browser.close()


def test_who_mistypes_thrice_is_told_when_to_try_again_and_is_let_in_then(browser, clock):
    for _ in range(2):
        assert browser.post("login", data=WRONG).status_code == 400
    for asked in (WRONG, RIGHT):  # the second comes too early, and is not looked at
        answer = browser.post("login", data=asked)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        assert answer.json() == {"error": "Too many passwords were wrong: try again in 5 seconds."}
    assert browser.get("config").status_code == 401
    clock.now += 5
    assert browser.post("login", data=RIGHT).json() == {"success": True}
    assert browser.get("config").status_code == 200
    stranger = {"Cookie": ""}
    assert [browser.post("login", data=WRONG, headers=stranger).status_code for _ in range(4)] == [400, 400, 429, 429]
    assert MARK in browser.cookies
    assert browser.post("login", data=RIGHT).status_code == 200
    long = browser.post("login", data=RIGHT | {"x": "x" * 70_000})
    assert (long.status_code, long.json()["error"]) == (413, "A login has at most 65536 bytes.")
