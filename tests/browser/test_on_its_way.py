"""Sheets fill in batches, and a tile that has not begun is black in its sheet: no large picture may show it as one."""

import pytest
from browser.conftest import LIGHT, open_tab, pixels, scrub, wait_done

# Of each large canvas that is drawn in: whether it is black all over, and the pictures it showed dimmed.
WATCHED = """(selector) => {
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  window.seen = { drawn: 0, black: 0, dimmed: 0 };
  CanvasRenderingContext2D.prototype.drawImage = function (...a) {
    draw.apply(this, a);
    const canvas = this.canvas;
    if (!canvas.matches(selector)) return;
    const { data } = this.getImageData(0, 0, canvas.width, canvas.height);
    window.seen.drawn += 1;
    window.seen.black += data.every((value, i) => value === (i % 4 === 3 ? 255 : 0));
  };
  new MutationObserver((records) => records.forEach(({ target }) => {
    if (target.matches(selector) && target.classList.contains("old")) window.seen.dimmed += 1;
  })).observe(document.querySelector(selector), { attributes: true, attributeFilter: ["class"] });
}"""
SLOW = LIGHT.replace("steps=4&", "steps=30&")  # several pictures of a batch on its way


def at_the_end_of_the_strip(page):
    page.evaluate("""() => { const pick = document.querySelector("#strip .loopbox input");
                             pick.value = pick.max; pick.dispatchEvent(new Event("input")); }""")


def at_the_end_of_the_path(page):
    open_tab(page, "interpolate")
    wait_done(page)
    scrub(page, "#path", 1000)


@pytest.mark.parametrize(
    ("go", "change", "large", "small"),
    [
        (at_the_end_of_the_strip, {"seed_to": 77}, "#strip .loopbox canvas", "#strip .strip canvas:last-child"),
        (at_the_end_of_the_path, {"keys": [77, 78, 79]}, "#path figure:first-child canvas",
         "#path .ribbon canvas:last-child"),
    ],
)  # fmt: skip
def test_a_large_picture_waits_dimmed_for_a_tile_that_has_not_begun(open_page, go, change, large, small):
    page = open_page(SLOW)
    go(page)
    before = pixels(page, large)
    assert before == pixels(page, small)
    page.evaluate(WATCHED, large)
    page.evaluate("(change) => window.ddim.set(change)", change)
    wait_done(page)
    seen = page.evaluate("window.seen")
    assert seen["black"] == 0
    assert seen["drawn"] > 2
    assert seen["dimmed"] > 0
    assert before != pixels(page, large) == pixels(page, small)
    assert "old" not in (page.get_attribute(large, "class") or "")


def test_a_place_on_a_sheet_that_is_still_filled_is_not_black(open_page):
    page = open_page(SLOW)
    open_tab(page, "interpolate")
    wait_done(page)
    page.evaluate(WATCHED, "#square .atPlace canvas")
    page.evaluate("window.ddim.set({ corners: [77, 8, 12, 20] })")
    page.wait_for_selector('#square section[data-sheet="running"]')
    page.evaluate("""() => document.querySelectorAll("#square .axes input").forEach((slider) => {
                       slider.value = 1; slider.dispatchEvent(new Event("input")); })""")
    seen = page.evaluate("window.seen")
    assert seen["black"] == 0
    wait_done(page)
    assert page.evaluate("window.seen.black") == 0
