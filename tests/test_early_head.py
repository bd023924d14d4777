"""The line that runs the page's own script before Gradio's modules have come."""

import re
import urllib.request

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from wishes import host_of, served

from demo.early_head import LINE, MARK, EarlyHead

PAGE = b"<head><script>window.gradio_config = {};</script>" + MARK + b"{};</script></head>"


async def parts():
    for byte in (PAGE[:70], PAGE[70:75], PAGE[75:]):  # the mark comes in pieces
        yield byte


@pytest.fixture
def client():
    answers = {
        "/page": lambda _: HTMLResponse(PAGE), "/pieces": lambda _: StreamingResponse(parts(), media_type="text/html"),
        "/login": lambda _: HTMLResponse("<p>no mark</p>"), "/text": lambda _: PlainTextResponse(PAGE),
        "/json": lambda _: JSONResponse({"mark": MARK.decode()}),
    }  # fmt: skip
    routes = [Route(path, answer) for path, answer in answers.items()]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(EarlyHead)]))


@pytest.mark.parametrize("path", ["/page", "/pieces"])
def test_the_line_stands_behind_the_settings_it_reads(client, path):
    answer = client.get(path)
    assert answer.content == PAGE.replace(MARK, LINE + MARK)
    assert answer.content.index(b"gradio_config =") < answer.content.index(LINE)
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("path", ["/login", "/text", "/json"])
def test_everything_else_passes_as_it_is(client, path):
    own = {"/login": b"<p>no mark</p>", "/text": PAGE, "/json": JSONResponse({"mark": MARK.decode()}).body}
    assert client.get(path).content == own[path]


def test_of_a_page_that_only_its_head_is_asked_of_the_length_stays(client):
    assert client.head("/page").headers["content-length"] == str(len(PAGE))


def test_the_served_page_has_the_line_once_and_its_script_before_it(tmp_path, tiny_folder):
    with served(host_of(tmp_path, tiny_folder)) as address:
        text = urllib.request.urlopen(address, timeout=30).read()
    assert text.count(LINE) == 1
    (settings,) = re.finditer(rb"window\.gradio_config = (.*?);</script>", text)
    assert b"window.ddim = " in settings.group(1)
    assert settings.end() <= text.index(LINE)
