"""With a login nothing is answered before it: no route of ours or Gradio's, and not a word of the page."""

import json

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AuthenticationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from wishes import asking, host_of, served

from demo.headers import HEADERS
from demo.live import Live
from demo.login import MARK, OPEN, Login
from demo.routes import routes

USER = {"username": "ada", "password": "right:horse"}
PLACE = {"session": "x", "token": "y", "name": "z.gif"}  # what stands for the parts of a route's path


@pytest.fixture(scope="module")
def host(tiny_folder, tmp_path_factory):
    return host_of(tmp_path_factory.mktemp("served"), tiny_folder)


@pytest.fixture(scope="module")
def address(host):
    with served(host, auth=(USER["username"], USER["password"])) as address:
        yield address


@pytest.fixture(scope="module")
def ours(host):
    """(method, path) of every route that the page adds."""
    found = [
        (method, route.path.format_map(PLACE | dict.fromkeys(route.param_convertors, "x")).lstrip("/"))
        for route in routes(Live(host))
        for method in route.methods
    ]
    assert len(found) >= 5
    return found


@pytest.fixture
def stranger(address):
    with asking(address, 30) as client:
        yield client


@pytest.fixture
def known(address):
    with asking(address, 30) as client:
        assert client.post("login", data=USER).json() == {"success": True}
        yield client


def test_no_route_of_ours_answers_a_stranger(stranger, ours):
    for method, path in ours:
        for cookie in ({}, {"access-token-x": "y"}, *forged(stranger)):
            answer = stranger.request(
                method, path, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in cookie.items())}
            )
            assert answer.status_code == 401, (method, path)
            if method != "HEAD":
                assert answer.json()["error"].startswith("Log in first")
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def forged(client):
    """Cookies of the right name, which some other account may know, with a token that was never given."""
    wrong = client.post("login", data=USER | {"password": "wrong"})
    assert wrong.status_code == 400
    given = client.post("login", data=USER)
    client.cookies.clear()
    names = {cookie.partition("=")[0] for cookie in given.headers.get_list("set-cookie")} - {MARK}
    assert len(names) == 2
    return [{name: value} for name in names for value in ("", "None", "x" * 22)]


def test_every_route_of_ours_answers_who_has_logged_in(known, ours):
    for method, path in ours:
        assert known.request(method, path, content=b"{}").status_code != 401, (method, path)
    lines = known.post("ddim/want", json={"seq": 0, "settings": {"steps": 2, "count": 4}}).text.splitlines()
    assert json.loads(lines[-1])["status"][0] == "done"


def test_no_route_of_gradio_answers_a_stranger_but_what_a_login_needs(stranger, host):
    """Every route of the app that runs, so that an update of Gradio opens none unseen."""
    from gradio.routes import App

    from demo.page import app_options, build_page

    app = App.create_app(build_page(host), app_kwargs=app_options(Live(host)))
    paths = set(addresses(app.routes))
    assert {"/config", "/gradio_api/upload", "/gradio_api/heartbeat/x", "/gradio_api/cancel"} <= paths
    for path in paths:
        if path.rstrip("/") not in OPEN:
            for method in ("GET", "POST"):
                assert stranger.request(method, path).status_code == 401, path


def addresses(found):
    for route in found:
        if hasattr(route, "param_convertors"):
            yield route.path_format.format_map(dict.fromkeys(route.param_convertors, "x"))
        yield from addresses(route.original_router.routes if hasattr(route, "original_router") else [])  # FastAPI's own


def test_the_page_says_nothing_before_the_login_and_all_after_it(stranger, known, host):
    before = stranger.get("")
    assert before.status_code == 401
    assert before.headers["content-type"].startswith("text/html")
    for word in ("tiny", "gradio_config", "seeds", "window.ddim", "sample"):
        assert word not in before.text, word
    assert stranger.head("").status_code == 401
    after = known.get("")
    assert after.status_code == 200
    assert "tiny" in after.text
    assert "gradio_config" in after.text


def test_who_logs_out_is_a_stranger_again(known):
    known.get("logout")
    assert known.post("ddim/leave", json={}).status_code == 401


def test_scripts_log_in_as_people_do(address):
    with pytest.raises(AuthenticationError):
        Client(address, verbose=False)
    client = Client(address, auth=(USER["username"], USER["password"]), verbose=False, download_files=False)
    assert client.predict(seeds=[0], steps=2, api_name="/sample")["state"] == "done"
    client.close()


def test_without_a_login_nobody_is_asked(host, ours):
    with served(host) as address:
        for method, path in ours:
            assert httpx.request(method, f"{address}{path}", content=b"{}", timeout=30).status_code != 401


@pytest.mark.parametrize("awaited", [False, True])
def test_a_host_of_its_own_login_guards_our_routes_as_well(host, awaited):
    """gr.mount_gradio_app(auth_dependency=…), below a prefix."""

    def user(request):
        return request.headers.get("x-user")

    async def user_later(request):
        return user(request)

    inner = Starlette(routes=routes(Live(host)), middleware=[Middleware(Login)])
    inner.auth, inner.auth_dependency = None, user_later if awaited else user
    outer = Starlette()
    outer.mount("/below", inner)
    client = TestClient(outer)
    assert client.post("/below/ddim/leave", json={}).status_code == 401
    assert client.post("/below/ddim/leave", json={}, headers={"x-user": "ada"}).status_code == 204
    assert client.post("/below/login", json={}).status_code == 404  # open, and not here
