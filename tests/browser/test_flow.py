"""The 2-D panel of Learn."""

import base64
import io

import numpy as np
import pytest
from browser.conftest import PAST_THE_SIDES, enter
from PIL import Image


@pytest.fixture
def look(open_page):
    """Opens the page with the panel in front."""

    def open_(**options):
        page = open_page("view=learn", **options)
        page.wait_for_selector("#flow section[data-painted=done]")
        return page

    return open_


def pixels(page):
    """The canvas as (side, side, 4) bytes."""
    uri = page.evaluate("document.querySelector('#flow canvas').toDataURL()")
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
        return np.asarray(image.convert("RGBA"))


def same(a, b):
    return np.array_equal(a, b)


def at_rest(page):
    """All paths whole, so that two pictures can be compared."""
    page.focus("#flow canvas")
    page.keyboard.press("End")
    page.wait_for_selector("#flow section[data-playing=false]")
    assert page.inner_text("#flow .t") == "finished"
    return pixels(page)


def set_to(page, control, value):
    enter(page, f"#{control}", value)
    page.wait_for_selector(f'#flow section[data-{control}="{value}"]')


def test_paths_are_painted_and_move_with_the_sliders(look):
    page = look()
    smooth = at_rest(page)
    assert len(np.unique(smooth.reshape(-1, 4), axis=0)) > 200  # a drawing, not a blank
    label = page.get_attribute("#flow canvas", "aria-label")
    assert "20 steps" in label
    assert "smooth" in label
    set_to(page, "eta", 1)
    jagged = at_rest(page)
    assert (smooth != jagged).any(2).mean() > 0.1
    assert "shaken by noise" in page.get_attribute("#flow canvas", "aria-label")
    assert page.inner_text("#flow .caption") == "S = 20 · η = 1 · leading"
    set_to(page, "eta", 0)
    assert same(at_rest(page), smooth)
    set_to(page, "steps", 5)
    assert not same(at_rest(page), smooth)


def test_it_plays_by_itself_and_answers_keys_button_and_scrubber(look):
    page = look(reduced_motion="no-preference")
    assert page.get_attribute("#flow section", "data-playing") == "true"
    page.wait_for_function("+document.querySelector('#flow .transport input').value % 1000 > 200")
    page.focus("#flow canvas")
    page.keyboard.press("Space")
    assert page.inner_text("#flow .transport button") == "Play"
    page.keyboard.press("Home")
    assert page.inner_text("#flow .t") == "t = 950"
    start = pixels(page)
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#flow .t") == "t = 900"
    for _ in range(11):  # the first steps of η = 0 move nothing by a pixel
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#flow .t") == "t = 350"
    assert not same(pixels(page), start)
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    assert same(pixels(page), start)
    page.fill("#flow .transport input", "500")
    assert page.inner_text("#flow .t") == "t = 450"
    page.click("#flow .transport button")
    page.wait_for_function("+document.querySelector('#flow .transport input').value > 600")
    assert page.inner_text("#flow .transport button") == "Pause"


def test_who_asked_for_less_motion_gets_all_paths_at_rest(look):
    page = look()
    assert page.get_attribute("#flow section", "data-playing") == "false"
    assert page.inner_text("#flow .t") == "finished"
    still = pixels(page)
    page.wait_for_timeout(300)
    assert same(pixels(page), still)
    assert same(at_rest(page), still)


def test_pointing_at_a_path_follows_it(look):
    page = look()
    before = at_rest(page)
    box = page.locator("#flow canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("/^Following seed \\d+$/.test(document.querySelector('#flow .follow').innerText)")
    assert not same(pixels(page), before)
    page.mouse.move(1, 1)
    page.wait_for_function("!document.querySelector('#flow .follow').innerText.startsWith('Following')")
    assert same(pixels(page), before)


def test_what_arrives_while_it_is_hidden_is_there_when_it_is_shown(look):
    page = look()
    before, was = pixels(page), page.evaluate("document.querySelector('#flow canvas').toDataURL()")
    page.add_style_tag(content="body.away #flow { display: none !important; }")
    page.evaluate("document.body.classList.add('away')")
    enter(page, "#eta", 1)
    page.wait_for_selector('#flow section[data-eta="1"]', state="attached")
    page.evaluate("document.body.classList.remove('away')")
    page.wait_for_function("(was) => document.querySelector('#flow canvas').toDataURL() !== was", arg=was)
    assert (pixels(page) != before).any(2).mean() > 0.1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_canvas_is_sharp_and_takes_the_colours_of_the_page(look, scheme):
    page = look(device_scale_factor=2)
    page.evaluate(f"document.body.classList.toggle('dark', {str(scheme == 'dark').lower()})")
    picture = at_rest(page)
    css_px = page.evaluate("document.querySelector('#flow canvas').clientWidth")
    assert len(picture) == pytest.approx(2 * css_px, abs=1)
    accent = {"light": (11, 93, 94), "dark": (108, 197, 189)}[scheme]
    assert (picture == (*accent, 255)).all(2).sum() > 500


def test_a_phone_never_scrolls_sideways_and_the_picture_keeps_its_square(look):
    page = look(size=(390, 844))
    assert page.evaluate(PAST_THE_SIDES) == []
    box = page.locator("#flow canvas").bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert box["width"] > 300
