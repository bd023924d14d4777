"""What takes above a minute by estimate is asked about, in the panel that waits for it."""

import re

from browser.conftest import LIGHT, enter, pixels, said, wait_done, wait_status

# 120 pictures of 1000 steps each
LONG = "&view=interpolate&between=15&keys=1,2,3,4,5,6,7,8&steps=1000"
BUTTONS = "#path .ask button"


def asked(page):
    wait_status(page, "asked")
    page.wait_for_selector('#path section[data-state="asked"]')


def test_a_run_of_minutes_waits_for_a_word_and_the_quick_ones_do_not(open_page):
    page = open_page(LIGHT + "&view=interpolate")
    before = pixels(page, "#path .ribbon canvas")
    enter(page, "#steps", 1000)
    page.select_option("#between select", "15")
    for _ in range(5):
        page.click("#keys button:has-text('Add a seed')")
    asked(page)
    assert re.fullmatch(r"This takes ≈ \d+ min here: press Start, or Cancel\.", said(page))
    assert re.match(r"≈ \d+ min", page.inner_text("#path .ask"))
    assert page.locator(BUTTONS).all_inner_texts() == ["Start", "Cancel"]
    assert page.is_disabled("#stop")  # nothing runs
    assert page.locator("#square section[data-sheet=done]").count()  # ten steps at most, so it was made meanwhile
    assert "S = 4" in page.inner_text("#path .exports")  # what is on screen, and what its files hold, is the old path
    assert pixels(page, "#path .ribbon canvas") == before
    page.click(f"{BUTTONS}:has-text('Cancel')")
    wait_status(page, "stopped")
    assert said(page) == "Not started."
    assert page.locator(".ask button").count() == 0
    enter(page, "#steps", 4)  # and the page goes on living
    wait_done(page)
    assert page.get_attribute("#path section", "data-steps") == "4"


def test_start_begins_it_without_another_question_and_a_change_asks_anew(open_page):
    page = open_page(LIGHT + LONG, wait=False)
    asked(page)
    page.click(f"{BUTTONS}:has-text('Start')")
    page.wait_for_selector('#path section[data-state="running"]')
    assert page.locator(".ask button").count() == 0
    page.click("#stop")
    wait_status(page, "stopped")
    page.wait_for_selector('#path section[data-state="stopped"]')
    enter(page, "#steps", 999)
    asked(page)
    enter(page, "#steps", 4)  # a change is an answer, too
    wait_done(page)
    assert page.locator(".ask button").count() == 0


def test_on_a_phone_the_question_is_under_the_thumb_as_well(open_page):
    page = open_page(LIGHT + LONG, wait=False, size=(390, 844))
    asked(page)
    start, cancel = page.locator("#dock-start"), page.locator("#dock-cancel")
    for button in (start, cancel):
        box = button.bounding_box()
        assert 700 < box["y"] < 844 - box["height"]
    cancel.click()
    wait_status(page, "stopped")
    assert not start.is_visible()
    page.click("#again")
    asked(page)
    start.click()
    page.wait_for_selector('#path section[data-state="running"]')
    assert not start.is_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    enter(page, "#steps", 999)
    asked(page)
    assert not start.is_visible()  # beside the panel it would be one question twice
