"""Several tabs, links, and what sets the page from elsewhere."""

import re

from browser.conftest import (
    HEARD,
    LIGHT,
    LONG_RACE,
    RUNNING,
    drag,
    enter,
    open_tab,
    reload,
    said,
    settle,
    steps_shown,
    wait_done,
    wait_samples,
)

from demo.settings import VIEWS

IN_TURN = re.compile(r"running Sampling, in turn with 1 other(, \d+ s at most by estimate)?…")  # said where it is long


def changed(page, steps):
    """What the status line says from a change of S to its pictures."""
    page.evaluate(HEARD)
    enter(page, "#steps", steps)
    wait_samples(page, steps, 0)
    wait_done(page)
    return page.evaluate("window.heard")


def test_the_second_tab_is_told_of_the_first_and_does_not_wait_for_its_end(open_page):
    first, second = open_page(LONG_RACE), open_page(LIGHT)
    open_tab(first, "compare")
    settle(first, RUNNING)
    assert any(map(IN_TURN.fullmatch, changed(second, 27)))
    assert first.locator(RUNNING).count()  # the pictures of the second came in between
    assert said(first) == "Sampling…"
    first.click("#stop")


def test_a_closed_tab_ends_its_run(open_page):
    first, second = open_page(LONG_RACE), open_page(LIGHT)
    open_tab(first, "compare")
    settle(first, RUNNING)
    assert any(map(IN_TURN.fullmatch, changed(second, 28)))
    first.close()
    for steps in range(29, 33):  # until the server has seen it; the race would outlast these
        heard = changed(second, steps)
        if "running Sampling…" in heard:
            break
    assert "running Sampling…" in heard


def test_a_drag_while_a_run_is_going_ends_with_the_last_value(open_page):
    page = open_page(LIGHT)
    drag(page, "#steps input[type=range]", 0.9)
    drag(page, "#steps input[type=range]", 0.1)
    S = steps_shown(page)
    assert S < 8
    wait_samples(page, S, 0)
    wait_done(page)
    assert steps_shown(page) == S


def test_a_link_with_bad_values_is_adjusted_and_says_so(open_page):
    page = open_page(LIGHT + "&steps=0&spacing=odd&sheep=3")
    assert "steps: 0 became 1" in page.inner_text("#guide")
    assert "spacing: odd is none of leading" in page.inner_text("#guide")
    assert "sheep" not in page.inner_text("#guide")
    assert steps_shown(page) == 1
    assert page.input_value("#spacing select") == '"leading"'


def test_an_experiment_sets_the_state_and_says_what_to_look_at(open_page):
    page = open_page(LIGHT)
    open_tab(page, "learn")
    page.wait_for_selector("#flow section[data-painted]")
    wait_done(page)
    page.click("#try-eta")
    page.wait_for_selector('#view button[data-view="explore"][aria-selected="true"]')
    assert "B trembles" in page.inner_text("#tour")
    settle(page, '#duel .lane:nth-child(2)[data-state="done"][data-eta="1"][data-steps="20"]')
    page.keyboard.press("Escape")
    page.wait_for_selector("#tour", state="detached")
    wait_done(page)  # the tour is over, the run is not


def test_the_exact_flow_moves_with_the_same_sliders(open_page):
    page = open_page(LIGHT + "&view=learn")
    page.wait_for_selector('#flow section[data-painted][data-steps="4"][data-eta="0"]')
    enter(page, "#eta", 1)
    page.wait_for_selector('#flow section[data-eta="1"]')
    enter(page, "#steps", 9)
    page.wait_for_selector('#flow section[data-eta="1"][data-steps="9"]')


def test_a_change_is_one_message_and_a_page_at_rest_asks_the_server_for_nothing(open_page):
    # done, since a page that is left may still send its first message after the next has been asked for
    page = open_page(LIGHT + "&seed=5&eta=0.5&grid_steps=2,4&grid_etas=0,1")
    asked = []
    page.on("request", lambda r: asked.append(r.url.rpartition("/")[2]) if r.url.startswith("http") else None)
    reload(page)
    assert asked.count("want") == 1  # of a link that sets ten controls
    for name in [*list(VIEWS)[1:], "explore"]:
        asked.clear()
        open_tab(page, name)
        wait_done(page)
        assert asked == ["want"], name
    asked.clear()
    page.wait_for_timeout(1500)
    assert asked == []
