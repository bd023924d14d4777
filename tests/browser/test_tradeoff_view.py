"""Quality against time in the page."""

from browser.conftest import LIGHT, PAST_THE_SIDES, enter, settle, steps_shown


def test_a_point_sets_the_sliders_and_the_dot_follows_them(open_page):
    page = open_page(LIGHT + "&view=tradeoff")
    settle(page, '#tradeoff section[data-painted="done"]')
    assert page.locator("#tradeoff polyline").count() >= 3
    assert "no distance was measured" in page.inner_text("#tradeoff .said")  # S = 4
    page.locator('#tradeoff .point[data-steps="20"][data-eta="0.5"] .hit').click()
    page.wait_for_selector('#tradeoff section[data-steps="20"][data-eta="0.5"]')
    assert steps_shown(page) == 20
    assert page.input_value("#eta input[type=number]") == "0.5"
    assert "(measured)" in page.inner_text("#tradeoff .said")
    before = page.get_attribute("#tradeoff circle.dot", "cx")
    enter(page, "#steps", 33)
    page.wait_for_selector('#tradeoff section[data-steps="33"]')
    assert float(page.get_attribute("#tradeoff circle.dot", "cx")) > float(before)
    assert "read off between" in page.inner_text("#tradeoff .said")
    page.focus('#tradeoff .point[data-steps="50"][data-eta="0"]')
    page.keyboard.press("Enter")
    page.wait_for_selector('#tradeoff section[data-steps="50"][data-eta="0"]')
    assert page.evaluate("document.activeElement.dataset.steps") == "50"  # drawn anew, the focus stays


def test_it_fits_a_phone(open_page):
    page = open_page(LIGHT + "&view=tradeoff", size=(390, 844))
    settle(page, '#tradeoff section[data-painted="done"]')
    assert page.evaluate(PAST_THE_SIDES) == []
