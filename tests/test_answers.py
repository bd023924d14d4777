"""The answer of a queued call goes to one reader, and every other request for it ends soon."""

import threading
import time

import pytest
from wishes import asking, host_of, served

SOON_S = 5  # Gradio left such a reader waiting for ever, with a heartbeat now and then; these take milliseconds
LONG, SHORT = 200, 2  # steps of the tiny network; the first is amid its run while the test does something


@pytest.fixture(scope="module")
def browser(tiny_folder, tmp_path_factory):
    with served(host_of(tmp_path_factory.mktemp("served"), tiny_folder)) as address:
        browser = asking(f"{address}gradio_api/", SOON_S)
        yield browser
        browser.close()


def called(browser, steps, **more):
    """The path of the answer of a call that was just made."""
    body = {"data": ["tiny", [1], steps, 0.0, None, "ddim", None], **more}
    return f"call/sample/{browser.post('call/sample', json=body).json()['event_id']}"


def at_once(browser, paths):
    """The answers to requests that are sent side by side, each within SOON_S, or httpx would raise."""
    found = [None] * len(paths)

    def get(i):
        found[i] = browser.get(paths[i])

    threads = [threading.Thread(target=get, args=(i,)) for i in range(len(paths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def one_has_it(answers):
    """Whether one has the whole answer and the others are refused in a sentence."""
    whole = [answer for answer in answers if answer.status_code == 200]
    others = [answer for answer in answers if answer.status_code != 200]
    assert len(whole) == 1
    assert "event: complete" in whole[0].text
    for answer in others:
        assert answer.status_code in (404, 410)
        assert answer.json()["error"].endswith("make the call anew.")
    return True


@pytest.mark.parametrize("session", [{}, {"session_hash": "mine"}], ids=["no session", "a session"])
@pytest.mark.parametrize(("steps", "wait_s"), [(LONG, 0), (SHORT, 0), (SHORT, 0.3)], ids=["amid", "near", "after"])
def test_many_readers_of_one_answer_all_end(browser, steps, wait_s, session):
    path = called(browser, steps, **session)
    time.sleep(wait_s)
    assert one_has_it(at_once(browser, [path] * 5 + [path.replace("call/", "call/v2/")]))
    assert browser.get(path).status_code == 404


def test_readers_of_two_calls_of_one_session_end_and_so_does_its_stream(browser):
    """They take each other's messages: whoever reads first has both answers."""
    paths = [called(browser, LONG, session_hash="both") for _ in range(2)]
    first, *others = sorted(at_once(browser, [*paths, *paths]), key=lambda answer: answer.status_code)
    assert first.text.count("event: complete") == 2
    assert {answer.status_code for answer in others} == {410}
    path = called(browser, LONG, session_hash="both")
    with browser.stream("GET", path) as reading:
        lines = reading.iter_lines()
        next(lines)
        assert browser.get("queue/data", params={"session_hash": "both"}).status_code == 410
        assert "event: complete" in lines


def test_a_call_whose_session_is_read_as_a_stream_is_not_read_again(browser):
    path = called(browser, LONG, session_hash="streamed")
    with browser.stream("GET", "queue/data", params={"session_hash": "streamed"}) as reading:
        lines = reading.iter_lines()
        next(lines)
        assert browser.get(path).status_code == 410
        assert any("process_completed" in line for line in lines)


def test_after_a_reader_that_left_nothing_waits_and_the_session_can_be_used_again(browser):
    path = called(browser, LONG, session_hash="left")
    with browser.stream("GET", path) as reading:
        next(reading.iter_lines())
    end = time.monotonic() + SOON_S
    while browser.get(path).status_code == 410:  # until the server sees that it has left
        assert time.monotonic() < end
        time.sleep(0.02)
    assert browser.get(path).status_code == 404
    assert one_has_it(at_once(browser, [called(browser, SHORT, session_hash="left")]))
