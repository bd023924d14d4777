"""What a newcomer meets: the recorded race, the sweep under the slider, the tour, the hints and the keys."""

import pytest
from browser.conftest import FASHION, HELD, enter, settle, state, wait_done, wait_status
from PIL import Image

LANES = "#hero .lane canvas"


def painted(page, selector):
    """Whether a canvas shows more than one colour."""
    return page.evaluate(
        """(selector) => { const c = document.querySelector(selector);
          const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
          return new Set(Array.from({ length: d.length / 4 }, (_, i) => `${d[4 * i]} ${d[4 * i + 1]}`)).size > 9; }""",
        selector,
    )


def test_the_race_and_the_sweep_are_there_before_the_server_has_said_a_word(open_page):
    page = open_page(None, wait=False, init=HELD + "window.hold();")
    page.wait_for_selector('#hero section[data-painted="recorded"]')
    assert page.locator("#hero .lane h3").all_inner_texts() == [
        "A · S = 10 · η = 0", "B · S = 50 · η = 0", "C · S = 1000 · η = 1",
    ]  # fmt: skip
    assert all(painted(page, f"#hero .lane:nth-child({i}) canvas") for i in (1, 2, 3))
    assert page.inner_text("#hero .chip") == "recorded run"
    clocks = [float(text.split()[0]) for text in page.locator("#hero .clock").all_inner_texts()]
    assert clocks[0] < clocks[1] < clocks[2]
    page.wait_for_selector('#duel section[data-painted="recorded"]')
    page.focus("#steps input[type=range]")
    page.keyboard.press("ArrowLeft")  # S = 15, of which there is a recording
    assert not page.is_visible("#hero-card")
    assert page.inner_text("#duel .lane h3") == "A · S = 15 · η = 0, recorded"
    assert page.inner_text("#duel .chip") != "live"
    assert painted(page, "#duel .lane canvas")


@pytest.fixture
def slow_page(chromium, server):
    """Opens a page to which none of Gradio's scripts comes, until they are let through."""
    contexts = []

    def open_(query="", **options):
        contexts.append(chromium.new_context(**options))
        page, held = contexts[0].new_page(), []
        page.set_default_timeout(90_000)
        page.route("**/*.js", lambda route: held.append(route))

        def let_through():
            for route in held:
                route.continue_()
            page.unroute("**/*.js")

        page.goto(f"{server}/{query}", wait_until="commit")
        return page, let_through

    yield open_
    contexts[0].close()


def test_the_race_runs_before_gradio_is_there_and_its_panel_goes_on_with_it(slow_page):
    page, let_through = slow_page()
    clock = page.locator("#early time").last
    clock.wait_for()
    for after in ("0.00 s", "1.00 s"):  # DDPM's, which takes twenty
        page.wait_for_function(
            "([n, t]) => parseFloat(n.textContent) > parseFloat(t)", arg=[clock.element_handle(), after]
        )
    assert page.locator("#hero").count() == 0
    assert all(painted(page, f"#early .race > :nth-child({i}) canvas") for i in (1, 2, 3))
    reached = float(clock.inner_text().split()[0])
    let_through()
    page.wait_for_selector('#hero section[data-painted="recorded"]')
    assert page.locator("#early").count() == 0
    assert float(page.locator("#hero .clock").last.inner_text().split()[0]) >= reached


@pytest.mark.parametrize(("query", "motion"), [("?count=1&steps=2&steps_b=2", "no-preference"), ("", "reduce")])
def test_who_follows_a_link_or_wants_no_motion_sees_nothing_of_that(slow_page, query, motion):
    page, _ = slow_page(query, reduced_motion=motion)
    page.wait_for_function("window.ddim && document.body")
    page.wait_for_timeout(200)
    assert page.locator("#early").count() == 0


def test_who_follows_a_link_is_not_shown_the_race(open_page):
    page = open_page("count=1&steps=2&steps_b=2")
    assert not page.is_visible("#hero-card")


def test_the_tour_goes_through_five_stops_on_the_page_itself(open_page):
    page = open_page("count=1&steps=2&steps_b=2&between=4")
    page.get_by_role("button", name="New here? One minute").click()
    seen = []
    while True:
        title = page.inner_text("#tour h2")
        seen.append((title, page.evaluate("document.documentElement.dataset.view")))
        page.wait_for_selector(".toured")
        page.wait_for_function("""() => { const b = document.querySelector(".toured").getBoundingClientRect();
          return b.bottom > 0 && b.top < innerHeight && b.width > 0; }""")
        if page.get_by_role("button", name="Done").count():
            break
        page.get_by_role("button", name="Next").click()
    assert seen == [
        ("Fewer steps", "compare"), ("Turn up the randomness", "explore"), ("The noise is a code", "explore"),
        ("Between two noises", "interpolate"), ("Take it with you", "interpolate"),
    ]  # fmt: skip
    page.get_by_role("button", name="Back", exact=True).click()
    assert page.inner_text("#tour h2") == "Between two noises"
    assert page.evaluate("window.ddim.settings.keys") == [32, 27, 2]
    page.keyboard.press("Escape")
    assert page.locator("#tour, .toured").count() == 0
    page.evaluate("window.ddim.stop()")  # the button, where something runs yet


def test_a_control_says_in_a_line_what_it_is(open_page):
    page = open_page("count=1&steps=2&steps_b=2")
    tip = page.locator("#eta .tip")
    assert not tip.is_visible()
    page.get_by_role("button", name="What is Randomness η?").hover()
    tip.wait_for(state="visible")
    assert "DDIM" in tip.inner_text()
    page.mouse.move(5, 5)
    tip.wait_for(state="hidden")
    page.get_by_role("button", name="What is Steps S?", exact=True).focus()
    page.locator("#steps .tip").wait_for(state="visible")


def test_the_keys_are_listed_and_the_list_leaves_again(open_page):
    page = open_page("count=1&steps=2&steps_b=2")
    enter(page, "#steps", 1000)
    settle(page, '#duel .lane[data-state="running"]')  # the line says "running" before it asks, too
    page.locator("#duel h2").click()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for(state="visible")
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")
    page.wait_for_timeout(300)
    assert state(page) == "running"  # it closes the list and nothing else
    page.keyboard.press("Escape")
    wait_status(page, "stopped")


def test_a_run_says_its_time_in_one_line_and_the_rest_on_request(open_page):
    page = open_page("count=1&steps=4&steps_b=2")
    wait_done(page)
    line = page.inner_text("#duel .lane .headline")
    assert "a step" in line
    assert "less time than DDPM 1000 (estimated)" in line
    assert not page.is_visible("#duel .lane dl.readout")
    page.locator("#duel .lane summary").first.click()
    assert page.is_visible("#duel .lane dl.readout")


SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => {
    for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifted += e.value;
  }).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("query", [None, "count=4&steps=4&steps_b=4", "view=compare&lanes=4:0,8:0&count=1"])
def test_nothing_jumps_while_the_page_opens(open_page, size, query):
    page = open_page(None if query is None else f"?{FASHION}&{query}", size=size, init=SHIFTS)
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifted") < 0.02


def test_someone_who_knows_nothing_finds_everything_by_what_is_written(open_page, tmp_path):
    """Fewer steps, randomness, interpolation and a GIF: only what is on screen in words is used."""
    page = open_page(None)
    page.get_by_text("Now drag the steps.").wait_for()
    page.get_by_label("Steps S", exact=True).fill("9")  # the slider's tenth stop
    page.get_by_text("A · S = 10 · η = 0").locator("visible=true").wait_for()
    wait_done(page)
    page.get_by_label("Randomness η", exact=True).fill("1")
    page.get_by_text("A · S = 10 · η = 1").locator("visible=true").wait_for()
    wait_done(page)
    page.get_by_text("Interpolate", exact=True).click()
    page.get_by_text("Path through x_T").wait_for()
    settle(page, '#path section[data-state="done"]')
    with page.expect_download() as event:
        page.get_by_text("Export GIF").locator("visible=true").first.click()
    path = tmp_path / event.value.suggested_filename
    event.value.save_as(path)
    with Image.open(path) as image:
        assert image.n_frames > 10
