"""Quality against time in the page."""

from browser.conftest import LIGHT, PAST_THE_SIDES, enter, settle, steps_shown


def press(page, selector):
    """A click of the mouse on the middle of it, whatever lies there."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_point_sets_the_sliders_and_the_dot_follows_them(open_page):
    page = open_page(LIGHT + "&view=tradeoff")
    settle(page, '#tradeoff section[data-painted="done"]')
    assert page.locator("#tradeoff polyline").count() >= 3
    assert "no distance was measured" in page.inner_text("#tradeoff .said")  # S = 4
    press(page, '#tradeoff .point[data-steps="20"][data-eta="0.5"] .hit')  # other curves pass within a few pixels
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


def test_the_papers_claim_is_a_race_away(open_page):
    page = open_page(LIGHT + "&view=tradeoff")
    settle(page, '#tradeoff section[data-painted="done"]')
    assert "within 10 % of DDPM's 1000, 20 times faster" in page.inner_text("#tradeoff .claim")
    page.click("#tradeoff .claim button")
    page.wait_for_selector('#race .lane[data-state="running"], #race .lane[data-state="done"]')
    assert page.evaluate("[ddim.settings.view, ddim.settings.lanes.map((l) => [l.steps, l.eta])]") == [
        "compare", [[50, 0], [1000, 1]],
    ]  # fmt: skip


def test_it_fits_a_phone(open_page):
    page = open_page(LIGHT + "&view=tradeoff", size=(390, 844))
    settle(page, '#tradeoff section[data-painted="done"]')
    assert page.evaluate(PAST_THE_SIDES) == []


BARS_PAST_THE_PLOT = """() => {
    const of = (selector) => [...document.querySelectorAll(`#tradeoff ${selector}`)];
    const ends = (line) => [line.getAttribute("y1"), line.getAttribute("y2")].map(Number).sort((a, b) => a - b);
    const [top, bottom] = ends(of("line.now")[0]);
    return of(".point line").filter((line) => { const [a, b] = ends(line); return a < top || b > bottom; }).length;
}"""


def test_no_bar_runs_out_of_the_plot(open_page):
    page = open_page(LIGHT + "&view=tradeoff")
    settle(page, '#tradeoff section[data-painted="done"]')
    assert page.locator("#tradeoff .point line").count() > 10
    assert page.evaluate(BARS_PAST_THE_PLOT) == 0


def test_a_point_that_no_slider_can_set_sets_nothing_though_others_are_near(open_page):
    page = open_page(LIGHT + "&view=tradeoff")
    settle(page, '#tradeoff section[data-painted="done"]')
    press(page, '#tradeoff .point[aria-label^="S = 20, DPM"] .hit')
    assert page.evaluate("[window.ddim.settings.steps, window.ddim.settings.eta]") == [4, 0]
