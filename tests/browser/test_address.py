"""The address: it always says what the page shows, so that a link, Back and Reload bring it back."""

import pytest
from browser.conftest import HELD, LIGHT, enter, open_tab, pixels, reload, settings, wait_done

SETTLES_MS = 700  # how long after an answer anything may still be written into the address


def in_address(page, *parts):
    """Until all of these are in the address."""
    page.wait_for_function("(parts) => parts.every((p) => location.search.includes(p))", arg=list(parts))


def view(page):
    return page.get_attribute('#view button[aria-selected="true"]', "data-view")


def everything(page):
    return page.evaluate("window.ddim.settings")


def test_a_change_on_the_bare_address_is_told_there_before_the_pictures_are_made(open_page):
    page = open_page(None, wait=False)
    page.wait_for_function("window.ddim?.link.includes('steps=20')")  # the server has answered
    enter(page, "#steps", 50)
    in_address(page, "steps=50&")
    assert page.get_attribute("#status p", "data-state") != "done"


def test_the_copied_link_is_the_address_and_opens_the_same_pictures_elsewhere(open_page):
    page = open_page(None, wait=False)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.select_option("#checkpoint select", label="fashion-mnist")
    page.select_option("#count select", "1")
    for control, value in (("#steps", 4), ("#eta", 0.5), ("#seed", 5)):
        enter(page, control, value)
    open_tab(page, "interpolate")
    page.select_option("#between select", "4")
    enter(page, "#keys .key:nth-child(2)", 77)
    page.uncheck("#loop input")
    in_address(page, "%2C77%2C", "loop=0", "view=interpolate")
    wait_done(page)
    page.click("#copy-link")
    page.wait_for_selector("#guide:has-text('Link copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    other = open_page(link[link.index("?") :])
    assert view(other) == "interpolate"
    assert everything(other) == everything(page)
    names = ("steps", "eta", "seed", "between", "loop")
    assert settings(other, *names) == {"steps": 4, "eta": 0.5, "seed": 5, "between": 4, "loop": False}
    assert settings(other, "keys")["keys"][1] == 77
    assert not other.is_checked("#loop input")
    assert other.input_value("#eta input[type=number]") == "0.5"
    places = ["#path .ribbon canvas:nth-child(3)", "#square figure canvas", "#square canvas.map"]
    assert [pixels(page, place) for place in places] == [pixels(other, place) for place in places]


def test_a_link_that_is_copied_before_the_server_has_answered_a_change_has_it(open_page):
    page = open_page(LIGHT, init=HELD)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("hold()")
    enter(page, "#steps", 6)
    page.click("#copy-link")
    page.evaluate("release()")
    page.wait_for_selector("#guide:has-text('Link copied')")
    assert "steps=6&" in page.evaluate("navigator.clipboard.readText()")


def test_back_and_forward_go_through_the_views_with_their_settings(open_page):
    page = open_page(LIGHT)
    enter(page, "#steps", 6)
    in_address(page, "steps=6&")
    visited = page.evaluate("history.length")
    open_tab(page, "interpolate")
    in_address(page, "view=interpolate", "steps=6&")
    enter(page, "#eta", 1)
    in_address(page, "view=interpolate", "&eta=1&")
    open_tab(page, "learn")
    in_address(page, "view=learn")
    assert page.evaluate("history.length") == visited + 2  # a view each; what is set in one is no step of its own
    wait_done(page)
    page.go_back()
    page.wait_for_function("window.ddim.settings.view === 'interpolate'")
    wait_done(page)
    assert (view(page), settings(page, "steps", "eta")) == ("interpolate", {"steps": 6, "eta": 1})
    page.go_back()
    page.wait_for_function("window.ddim.settings.view === 'explore'")
    wait_done(page)
    assert (view(page), settings(page, "steps", "eta")) == ("explore", {"steps": 6, "eta": 0})
    assert page.input_value("#eta input[type=number]") == "0"
    assert page.get_attribute("#samples section", "data-eta") == "0"
    page.go_forward()
    page.wait_for_function("window.ddim.settings.view === 'interpolate'")
    wait_done(page)
    assert settings(page, "eta") == {"eta": 1}
    assert page.evaluate("history.length") == visited + 2


def test_reload_keeps_the_settings(open_page):
    page = open_page(LIGHT)
    enter(page, "#steps", 6)
    page.select_option("#spacing select", label="trailing")
    open_tab(page, "grid")
    enter(page, "#grid-steps", "2, 3")
    enter(page, "#grid-etas", "0, 1")
    in_address(page, "grid_steps=2%2C3", "view=grid", "spacing=trailing")
    wait_done(page)
    before = everything(page)
    reload(page)
    assert everything(page) == before
    assert view(page) == "grid"
    assert page.input_value("#grid-steps input") == "2, 3"
    assert page.locator("#grid tbody canvas").count() == 4


@pytest.mark.parametrize("held", ["neither answer", "the change's answer", "the answer to Back"])
@pytest.mark.parametrize("change", ["#seed input", '#view button[data-view="learn"]'])
def test_back_pressed_at_once_after_a_change_wins(open_page, change, held):
    page = open_page(LIGHT, init=HELD)
    in_address(page, "view=explore")
    open_tab(page, "interpolate")
    in_address(page, "view=interpolate")
    wait_done(page)
    address = page.evaluate(
        """async ([change, held, settles_ms]) => {
          if (held.includes("change")) hold();
          const node = document.querySelector(change);
          if (node.matches("button")) node.click();
          else { node.value = 99; node.dispatchEvent(new Event("change")); }
          await new Promise((resolve) => setTimeout(resolve, 60));
          if (held.includes("Back")) hold();
          const back = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
          history.back();
          await back;
          const address = location.search;
          if (held.includes("Back")) await new Promise((resolve) => setTimeout(resolve, settles_ms));
          const later = location.search;
          if (!held.startsWith("neither")) release();
          return [address, later];
        }""",
        [change, held, SETTLES_MS],
    )
    assert address[0] == address[1]  # what Back brought stays, however long its answer takes
    wait_done(page)
    page.wait_for_timeout(SETTLES_MS)
    wait_done(page)
    shown = settings(page, "view", "seed")
    assert shown["view"] == view(page) != "learn"
    assert shown["seed"] == 3
    assert f"view={shown['view']}&" in page.url
    assert "seed=3&" in page.url


def test_what_is_changed_before_the_server_has_answered_a_link_is_a_change_of_that_link(open_page):
    page = open_page(LIGHT + "&eta=0.5&seed=5", init=HELD + "hold();", wait=False)
    page.wait_for_selector("#seed input")
    with page.expect_request("**/ddim/want"):
        enter(page, "#seed", 7)
    page.evaluate("release()")
    page.wait_for_function("window.ddim.settings.steps === 4")
    wait_done(page)
    assert settings(page, "steps", "eta", "seed", "count") == {"steps": 4, "eta": 0.5, "seed": 7, "count": 1}
    assert "seed=7&" in page.evaluate("window.ddim.link")


def test_what_is_changed_at_once_after_back_is_a_change_of_what_was_there(open_page):
    page = open_page(LIGHT, init=HELD)
    open_tab(page, "interpolate")
    in_address(page, "view=interpolate")
    enter(page, "#eta", 1)
    wait_done(page)
    page.evaluate("hold()")
    with page.expect_request("**/ddim/want"):
        page.go_back()
    with page.expect_request("**/ddim/want"):
        enter(page, "#steps", 6)
    page.evaluate("release()")
    page.wait_for_function("window.ddim.settings.view === 'explore'")
    wait_done(page)
    assert settings(page, "steps", "eta") == {"steps": 6, "eta": 0}
    in_address(page, "view=explore", "&steps=6&", "&eta=0&")


def test_the_address_keeps_what_gradio_reads_from_it_and_the_copied_link_leaves_it_out(open_page):
    page = open_page(f"{LIGHT}&__theme=dark")
    for _ in range(2):
        assert page.evaluate("document.body.classList.contains('dark')")
        in_address(page, "steps=4&", "&__theme=dark")
        assert "__theme" not in page.evaluate("window.ddim.link")
        page.reload()
        wait_done(page)
