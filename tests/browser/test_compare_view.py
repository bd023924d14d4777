"""Runners from one x_T, and a race between them."""

from browser.conftest import (
    HEARD,
    LIGHT,
    LONG_RACE,
    RUNNING,
    download,
    enter,
    open_tab,
    pixels,
    race_done,
    scrub,
    settle,
    wait_done,
    wait_status,
)
from PIL import Image

from core.record import read_record


def test_a_race_starts_from_one_x_T_and_its_clocks_stop_one_after_the_other(open_page, tmp_path):
    page = open_page(LIGHT + "&view=compare")
    race_done(page)
    scrub(page, "#race", 0)
    starts = [pixels(page, f"#race .race .lane:nth-child({i}) canvas") for i in (1, 2, 3)]
    assert starts[0] == starts[1] == starts[2]
    totals = page.evaluate("[...document.querySelectorAll('#race .lane dd')].map(d => d.textContent)")
    assert totals
    scrub(page, "#race", 1000)
    assert page.locator("#race .lane.finished").count() == 3
    clocks = [float(c.rstrip(" s")) for c in page.locator("#race .clock").all_inner_texts()]
    assert all(c > 0 for c in clocks)
    scrub(page, "#race", round(500 * (min(clocks) + max(clocks)) / max(clocks)))  # between first and last arrival
    running = page.locator("#race .lane:not(.finished)").count()
    assert 1 <= running < 3  # by wall clock a short run has finished while a long one goes on
    page.click("#race button:has-text('By step')")
    scrub(page, "#race", 500)
    assert page.locator("#race .lane.finished").count() == 0  # in step all are half way
    assert page.locator("#apart canvas").count() == 3
    assert page.inner_text("#apart h3") in ("Difference from S = 8 · η = 0", "Difference from S = 1000 · η = 0")
    path = download(page, "#race", "gif", tmp_path)
    assert path.name == "fashion-mnist_seed3_race.gif"
    with Image.open(path) as image:
        assert image.n_frames > 5
        assert image.info["loop"] == 0
    record = read_record(path)
    assert [r["request"]["settings"]["steps"] for r in record["runs"]] == [4, 8, 12]


def test_runners_can_be_added_removed_and_given_their_own_settings(open_page):
    page = open_page(LIGHT + "&view=compare")
    race_done(page)
    page.click("#lanes button:has-text('Add a runner')")
    settle(page, '#race .lane:nth-child(4)[data-state="done"]')
    assert page.locator("#lanes button:has-text('Add a runner')").is_disabled()
    page.select_option('#lanes [data-at="3-spacing"]', "trailing")
    page.wait_for_selector("#race .lane:nth-child(4) h3:has-text('trailing')")
    for _ in range(2):
        page.click("#lanes .laneRow:last-of-type button")
    page.wait_for_function("document.querySelectorAll('#race .race > .lane').length === 2")
    wait_done(page)
    assert page.locator("#lanes .laneRow button").first.is_disabled()  # two at least


def test_stop_ends_a_race_and_leaving_the_view_does_too(open_page):
    page = open_page(LONG_RACE)
    open_tab(page, "compare")
    settle(page, RUNNING)
    page.click("#stop")
    wait_status(page, "stopped")
    page.wait_for_selector(RUNNING, state="detached")  # painted when decoded
    open_tab(page, "explore")
    wait_done(page)
    open_tab(page, "compare")
    settle(page, RUNNING)
    open_tab(page, "explore")
    wait_done(page)
    page.evaluate(HEARD)
    enter(page, "#steps", 40)
    wait_done(page)
    heard = page.evaluate("window.heard")
    assert any(entry.startswith("running") for entry in heard)
    assert not any("in turn" in entry for entry in heard)  # as beside a race that goes on


def test_runs_of_another_seed_leave_the_race_when_the_first_of_the_new_one_comes(open_page):
    page = open_page(LIGHT + "&view=compare")
    settle(page, '#race section[data-painted="done"]')
    wait_done(page)
    page.evaluate("""() => { const lane = document.querySelectorAll('#race .lane')[2]; window.seen = [];
      new MutationObserver(() => window.seen.push(`${lane.dataset.state} ${lane.querySelector('canvas').width}`))
        .observe(lane, { attributes: true, attributeFilter: ['data-state'] }); }""")
    enter(page, "#seed", 77)
    page.wait_for_function("window.seen.length > 1 && window.seen.at(-1).startsWith('done')")
    seen = [entry for entry in page.evaluate("window.seen") if not entry.startswith("stale")]
    assert seen[0] == "waiting 1"  # no picture of the old x_T beside new ones
