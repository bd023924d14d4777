"""Every answer says that nothing is to be guessed of it, and where the page may load from."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from wishes import host_of, served

from demo.headers import HEADERS, POLICY, Headers, failed


@pytest.fixture(scope="module")
def address(tiny_folder, tmp_path_factory):
    with served(host_of(tmp_path_factory.mktemp("served"), tiny_folder)) as address:
        yield address


@pytest.mark.parametrize("path", ["", "config", "ddim/file/a/b/c.gif", "gradio_api/info", "none"])
def test_every_answer_of_the_app_carries_them(address, path):
    answer = httpx.get(f"{address}{path}", timeout=30)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_what_they_say(address):
    answer = httpx.get(address, timeout=30)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["content-security-policy"] == POLICY


def test_the_page_may_load_from_its_own_server_alone():
    rules = {name: set(sources) for name, *sources in map(str.split, POLICY.split("; "))}
    wanted = {"default-src", "script-src", "connect-src", "img-src", "object-src", "base-uri", "form-action"}
    assert wanted | {"frame-ancestors"} <= rules.keys()
    own = {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
    frames = rules.pop("frame-ancestors")
    assert set().union(*rules.values()) <= own
    assert frames == {"'self'", "https://huggingface.co", "https://*.hf.space"}


def test_a_stream_stays_a_stream_and_what_an_answer_says_of_itself_stays():
    async def lines():
        yield b"one\n"
        yield b"two\n"

    app = Starlette(
        routes=[
            Route("/stream", lambda request: StreamingResponse(lines())),
            Route("/own", lambda request: PlainTextResponse("x", headers={"Referrer-Policy": "no-referrer"})),
        ],
        middleware=[Middleware(Headers)],
    )
    client = TestClient(app)
    with client.stream("GET", "/stream") as answer:
        assert list(answer.iter_lines()) == ["one", "two"]
    assert client.get("/own").headers["Referrer-Policy"] == "no-referrer"


def test_what_no_route_answers_carries_them_too_and_a_sentence():
    """A route that breaks is answered outside all middleware."""

    def broken(request):
        raise ZeroDivisionError("in /home/somebody")

    app = Starlette(routes=[Route("/", broken)], middleware=[Middleware(Headers)],
                    exception_handlers={Exception: failed})  # fmt: skip
    answer = TestClient(app, raise_server_exceptions=False).get("/")
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "try again" in answer.text
    assert "somebody" not in answer.text


def test_the_page_is_served_with_that_answer(tiny_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("demo.live.Live.leave", lambda self, key: 1 / 0)
    with served(host_of(tmp_path, tiny_folder)) as address:
        answer = httpx.post(f"{address}ddim/leave", json={"session": "x"}, timeout=30)
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "ZeroDivisionError" in capsys.readouterr().err  # the terminal is told
