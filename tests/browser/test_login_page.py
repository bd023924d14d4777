"""The login page, as people use it: by keyboard, with a wrong word first, and back to where they were going."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import APP, LIGHT, serving, steps_shown, wait_done

from tests.ports import free_port


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The address of a server with a login."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(folder / "log", *APP, "--auth", "ada:right:horse", port=free_port()) as address:
        yield address


def log_in(page, password):
    page.get_by_label("User").fill("ada")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_logs_in_is_where_the_link_leads(open_page, guarded, scheme):
    refused = ["401 (Unauthorized)", "400 (Bad Request)", "429 (Too Many Requests)"]
    page = open_page(f"{LIGHT}&steps=6", address=guarded, wait=False, excused=refused, color_scheme=scheme)
    page.wait_for_selector("form")
    assert page.title() == "Log in"
    assert page.evaluate("document.activeElement.name") == "username"
    assert Axe().run(page).response["violations"] == []
    log_in(page, "wrong")
    page.get_by_text("not known: try again").wait_for()
    log_in(page, "right:horse")
    page.wait_for_selector("#steps")
    wait_done(page)
    assert steps_shown(page) == 6
    page.goto(f"{guarded}/logout")
    page.wait_for_selector("form")
    for said in ("not known: try again", "not known: try again", "wrong: try again in 5 seconds"):
        log_in(page, "wrong")
        page.get_by_text(said).wait_for()
