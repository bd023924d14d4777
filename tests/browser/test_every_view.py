"""Explore's instruments, and the page for everybody: keys, phones, axe."""

import json
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import LIGHT, PAST_THE_SIDES, enter, open_tab, scrub, settle, wait_done, wait_samples, wait_status

from demo.settings import VIEWS


def test_presets_and_fit_my_time_set_the_sliders(open_page):
    page = open_page(LIGHT)
    page.click("#presets button:has-text('Fast 10')")
    wait_samples(page, 10, 0)
    page.fill("#budget", "0.001")
    page.click("#fit")
    page.wait_for_function("document.querySelector('#steps input[type=number]').value === '1'")
    page.fill("#budget", "900000")
    page.click("#fit")
    page.wait_for_function("document.querySelector('#steps input[type=number]').value === '1000'")
    page.fill("#budget", "-1")
    page.click("#fit")
    page.wait_for_selector("#fit-said[role=alert]:has-text('seconds')")


def test_the_curve_shows_where_the_steps_fall_and_how_sigma_grows(open_page):
    page = open_page(LIGHT)
    enter(page, "#steps", 7)
    page.wait_for_selector('#curve section[data-painted="7/0"]')
    assert page.locator("#curve circle").count() == 7

    def bars():
        return page.evaluate(
            "[...document.querySelectorAll('#curve .sigma')]"
            ".reduce((s, b) => s + (b.getAttribute('y1') - b.getAttribute('y2')), 0)"
        )

    assert bars() == 0
    heights = []
    for eta in ("0.5", "1"):
        enter(page, "#eta", eta)
        page.wait_for_selector(f'#curve section[data-painted="7/{eta}"]')
        heights.append(bars())
    assert 0 < heights[0] < heights[1]


def test_the_keyboard_alone_plays_steps_and_stops(open_page):
    page = open_page(LIGHT)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#duel .play').textContent === 'Pause'")
    page.keyboard.press("Space")
    scrub(page, "#duel", 1000)
    frame = int(page.locator("#duel .lane").first.get_attribute("data-frame"))
    page.keyboard.press("ArrowLeft")
    assert int(page.locator("#duel .lane").first.get_attribute("data-frame")) == frame - 1
    page.keyboard.press("ArrowRight")
    assert int(page.locator("#duel .lane").first.get_attribute("data-frame")) == frame
    with page.expect_download() as event:
        page.keyboard.press("g")
    assert event.value.suggested_filename.endswith(".gif")
    enter(page, "#steps", 1000)
    settle(page, '#duel .lane[data-state="running"]')
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    wait_status(page, "stopped")


def test_a_key_is_pressed_once_wherever_the_focus_is(open_page):
    page = open_page(LIGHT + "&view=learn")
    page.wait_for_selector("#flow section[data-painted]")
    for focused in ("#flow canvas", "#flow .transport button", None):
        page.evaluate("document.activeElement.blur()") if focused is None else page.focus(focused)
        for playing in ("true", "false"):
            page.keyboard.press("Space")
            assert page.get_attribute("#flow section", "data-playing") == playing, focused


def test_the_rarer_controls_unfold_and_fold(open_page):
    page = open_page(LIGHT)
    page.evaluate("delete document.documentElement.dataset.advanced")
    toggle = page.locator("#advanced-toggle")
    for name, unfolded in (("folded", False), ("unfolded", True), ("folded again", False)):
        if name != "folded":
            toggle.click()
        assert page.is_visible("#spacing select") is page.is_visible("#fit") is unfolded, name
        assert toggle.get_attribute("aria-expanded") == str(unfolded).lower(), name


def test_the_tabs_answer_arrow_keys(open_page):
    page = open_page(LIGHT + "&view=tradeoff")
    page.focus('#view button[aria-selected="true"]')
    for key, name in (("ArrowRight", "reproduce"), ("End", "learn"), ("ArrowRight", "explore"), ("ArrowLeft", "learn")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.view") == name
        assert page.get_attribute(f'#view button[data-view="{name}"]', "aria-selected") == "true"
        assert page.locator('#view button[tabindex="0"]').count() == 1
    wait_done(page)
    assert page.is_visible("#flow")
    assert not page.is_visible("#samples")


def test_there_and_back_plays_backwards_after_the_end(open_page):
    page = open_page(LIGHT)
    page.click('#duel button[aria-label="Play there and back"]')
    page.click("#duel .play")
    page.wait_for_function("+document.querySelector('#duel .transport input').value < 800")  # it starts over first
    page.wait_for_function("+document.querySelector('#duel .transport input').value === 1000")
    page.wait_for_function("+document.querySelector('#duel .transport input').value < 900")
    values = page.evaluate(
        """async () => { const seen = []; for (let i = 0; i < 4; i += 1) {
             seen.push(+document.querySelector('#duel .transport input').value);
             await new Promise((r) => setTimeout(r, 120)); } return seen; }"""
    )
    assert values[0] > values[-1]


def test_every_view_fits_a_phone(open_page):
    page = open_page(LIGHT, size=(390, 844))
    for name in VIEWS:
        open_tab(page, name)
        wait_done(page)
        assert page.evaluate(PAST_THE_SIDES) == [], name
        front = page.locator(f'#view button[data-view="{name}"]').bounding_box()
        assert front["x"] >= 0, name
        assert front["x"] + front["width"] <= 390, name
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        heads = page.locator("#dock .stepsHead").all()
        assert len(heads) == 2
        for head in heads:
            said = [part.bounding_box() for part in head.locator("label, .hint, input").all() if part.is_visible()]
            assert all(a["x"] + a["width"] <= b["x"] for a, b in pairwise(said)), width
    dock = page.locator("#dock").bounding_box()
    assert dock["y"] + dock["height"] <= 845  # the sliders stay under the thumb


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(open_page, scheme):
    page = open_page(LIGHT + "&grid_steps=2,4&grid_etas=0,1")
    if scheme == "dark":
        page.evaluate("document.body.classList.add('dark')")
    found = {}
    for name in VIEWS:
        open_tab(page, name)
        wait_done(page)
        result = Axe().run(page, options={"resultTypes": ["violations"]})  # the others are only counted, for speed
        for violation in result.response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.setdefault(violation["id"], []).append((name, [n["html"][:160] for n in violation["nodes"][:3]]))
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)
