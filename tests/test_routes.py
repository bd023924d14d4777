"""The addresses of the live session over HTTP, as a browser speaks to them."""

import json
import threading
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.bodies import MAX_BODY, small_body
from demo.live import Live
from demo.routes import routes
from tests.loops import run_apart
from tests.wishes import SMALL, host_of


@pytest.fixture
def live(tiny_folder, tmp_path):
    live, over = Live(host_of(tmp_path, tiny_folder)), threading.Event()
    thread = threading.Thread(target=live.host.compute.serve, args=(over.is_set,))
    thread.start()
    yield live
    over.set()
    thread.join(10)


@pytest.fixture
def browser(live):
    with TestClient(Starlette(routes=routes(live))) as client:
        yield client


def want(browser, seq=0, session=None, **settings):
    answer = browser.post("/ddim/want", json={"session": session, "seq": seq, "settings": SMALL | settings})
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.split("\n") if line]


def test_a_wish_is_answered_line_by_line_to_its_end(browser):
    first, *rest = want(browser)
    assert first["seq"] == 0
    assert rest[-1]["status"][0] == "done"
    assert {"duel", "samples", "strip", "curve"} <= {line.get("panel") for line in rest}


def test_an_older_wish_than_the_newest_is_told_so_and_nothing_else(browser):
    key = want(browser, seq=5)[0]["session"]
    lines = want(browser, seq=4, session=key)
    assert len(lines) == 1
    assert lines[0]["late"]


@pytest.mark.parametrize("path", ["want", "stop", "leave"])
@pytest.mark.parametrize("body", [b"", b"{", b"[" * 5000, b'"' + b"x" * MAX_BODY + b'"', b"\xff\xfe"],
                         ids=["empty", "cut short", "nested", "too long", "not UTF-8"])  # fmt: skip
def test_what_is_no_message_is_refused_in_a_sentence(browser, path, body):
    answer = browser.post(f"/ddim/{path}", content=body)
    assert answer.status_code == 400
    assert 0 < len(answer.json()["error"]) < 300


def test_a_file_is_downloaded_under_its_name(browser):
    lines = want(browser)
    link = next(line for line in reversed(lines) if line.get("panel") == "strip")["value"]["files"][0]
    answer = browser.get("/" + link["href"])
    assert answer.content[:4] == b"GIF8"
    assert link["name"] in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nobody_reads_a_file_by_a_wrong_address(browser):
    lines = want(browser)
    link = next(line for line in reversed(lines) if line.get("panel") == "strip")["value"]["files"][0]["href"]
    _, _, key, token, name = link.split("/")
    stranger = want(browser)[0]["session"]
    guess = "x" * len(token)
    for wrong in (f"{stranger}/{token}/{name}", f"{key}/{guess}/{name}", f"{key}/{token}/{name}.png",
                  f"{key}/{token}/{name[:-4]}.png", f"x/{token}/{name}"):  # fmt: skip
        assert browser.get(f"/ddim/file/{wrong}").status_code == 404


def test_what_could_not_be_written_as_text_still_has_an_answer(browser):
    half = b'{"seq": 0, "settings": {"spacing": "\\ud800", "checkpoint": "\\ud800", "lanes": [{"steps": "\\ud800"}]}}'
    first, *_ = browser.post("/ddim/want", content=half).text.split("\n")
    assert len(json.loads(first)["said"]) == 3
    assert browser.post("/ddim/want", content=b'{"seq": 1, "query": "?seed=%ED%A0%80"}').status_code == 200


def test_a_left_session_is_gone(browser, live):
    key = want(browser)[0]["session"]
    assert browser.post("/ddim/leave", json={"session": key}).status_code == 204
    assert live.sessions.get(key) is None
    for body in ({}, [], {"session": 3, "seq": "x"}):
        assert browser.post("/ddim/leave", json=body).status_code == 204
        assert browser.post("/ddim/stop", json=body).status_code == 204


def test_files_are_made_on_the_thread_that_computes(browser, live, monkeypatch):
    lines = want(browser)
    link = next(line for line in reversed(lines) if line.get("panel") == "samples")["value"]["files"][0]["href"]
    session = live.sessions.get(lines[0]["session"])
    kept, seen = session.file(*link.split("/")[3:]), []
    watched = replace(kept, make=lambda: seen.append(threading.get_ident()) or b"")
    monkeypatch.setattr(session, "file", lambda *_: watched)
    assert browser.get("/" + link).status_code == 200
    assert seen == [live.host.compute._server]


def test_a_body_that_breaks_off_is_none():
    async def read(*messages):
        rest = iter(messages)

        async def receive():
            return next(rest)

        return await small_body(receive)

    part = {"type": "http.request", "body": b"ab", "more_body": True}
    assert run_apart(read(part, {"type": "http.request", "body": b"c"})) == b"abc"
    assert run_apart(read(part, {"type": "http.disconnect"})) is None
