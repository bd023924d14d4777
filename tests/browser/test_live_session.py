"""The live session as people see it: whatever comes when, a tab shows its own last settings and says what is old."""

import random

import pytest
from browser.conftest import FASHION, LIGHT, enter, open_tab, pixels, settings, settle, state, wait_done, wait_status

from demo.settings import MAX_PAGE_SEED, VIEWS

# Messages that set out in any order, and answers that arrive in any order: each may be late by LATE_MS either way.
# (In here, as the handlers of page.route run one after the other.)
SHUFFLED = """{
  const plain = window.fetch;
  let seed = SEED;
  const random = () => { // mulberry32
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const wait = () => new Promise((resolve) => setTimeout(resolve, 150 * random()));
  window.fetch = async (address, ...more) => {
    if (!String(address).endsWith("/ddim/want")) return plain(address, ...more);
    await wait();
    const answer = await plain(address, ...more);
    await wait();
    return answer;
  };
}"""
# Sets one control after the other, as a hand does.
PLAY = """(moves) => {
  const change = (selector, value) => {
    const node = document.querySelector(selector);
    node.value = value;
    node.dispatchEvent(new Event("change"));
  };
  window.played = (async () => {
    for (const [name, value, pause_ms] of moves) {
      if (name === "view") document.querySelector(`#view button[data-view="${value}"]`).click();
      else if (name === "count") change("#count select", JSON.stringify(value));
      else change(`#${name.replace("_", "-")} input[type=number]`, value);
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
  })();
}"""
MOVES = 60
VALUES = {
    "steps": range(1, 13), "eta": (0, 0.25, 0.5, 1), "seed": range(1000), "count": (1, 4, 8), "steps_b": range(1, 13),
    "view": list(VIEWS),
}  # fmt: skip


def moves(rng):
    """Changes of one tab: (name, value, pause in ms); the last ten are in Explore."""
    names = rng.choices(list(VALUES), k=MOVES)
    names[-10:] = ["view", *rng.choices([name for name in VALUES if name != "view"], k=9)]
    made = [[name, rng.choice(VALUES[name]), rng.choice((0, 10, 60, 200))] for name in names]
    made[-10][1] = "explore"
    return made


@pytest.mark.parametrize("seed", [1])
def test_each_of_two_tabs_ends_with_its_own_last_settings_on_screen(open_page, seed):
    rng = random.Random(seed)
    query = LIGHT + "&grid_steps=2,4&grid_etas=0,1"
    tabs = [open_page(query, init=SHUFFLED.replace("SEED", str(rng.randrange(2**31)))) for _ in range(2)]
    played = [moves(rng) for _ in tabs]
    for page, made in zip(tabs, played, strict=True):
        page.evaluate(PLAY, made)
    for page, made in zip(tabs, played, strict=True):
        page.evaluate("window.played")
        wait_done(page)
        wanted = {"steps": 4, "eta": 0, "seed": 3, "count": 1, "steps_b": 4} | {name: value for name, value, _ in made}
        assert settings(page, *wanted) == wanted
        assert page.get_attribute('#view button[aria-selected="true"]', "data-view") == wanted["view"] == "explore"
        S, eta = str(wanted["steps"]), str(wanted["eta"])
        for place in ("#samples section", "#strip section", "#duel .lane >> nth=0"):
            assert [page.get_attribute(place, f"data-{name}") for name in ("state", "steps", "eta")] == ["done", S, eta]
        assert page.get_attribute("#duel .lane >> nth=1", "data-steps") == str(wanted["steps_b"])
        assert page.locator("#samples canvas").count() == wanted["count"]
        assert page.get_attribute("#samples canvas", "title") == f"seed {wanted['seed']}"
        assert state(page) == "done"
        fresh = open_page("?" + page.evaluate("window.ddim.link").partition("?")[2])
        for place in ("#samples canvas:last-child", "#strip canvas:nth-child(4)", "#duel .lane:nth-child(2) canvas"):
            assert pixels(page, place) == pixels(fresh, place), place


# What happens to the samples: attributes as they change, and whether anything is drawn.
WATCHED = """() => {
  const section = document.querySelector("#samples section"), draw = CanvasRenderingContext2D.prototype.drawImage;
  window.seen = [];
  CanvasRenderingContext2D.prototype.drawImage = function (...a) {
    if (section.contains(this.canvas)) window.seen.push("drawn");
    return draw.apply(this, a);
  };
  new MutationObserver((records) => {
    for (const { target, attributeName: name } of records) window.seen.push(`${name}=${target.getAttribute(name)}`);
  }).observe(section, { attributes: true, subtree: true, attributeFilter: ["class", "data-state", "width"] });
}"""


def test_a_change_that_leaves_the_samples_as_they_are_neither_dims_nor_draws_them(open_page):
    page = open_page(LIGHT.replace("count=1", "count=4"))
    page.evaluate(WATCHED)
    enter(page, "#steps-b", 60)
    page.wait_for_selector('#duel .lane[data-state="done"][data-steps="60"]')
    wait_done(page)
    assert set(page.evaluate("window.seen")) <= {"data-state=done", "class=readout"}
    enter(page, "#steps", 5)
    wait_done(page)
    seen = page.evaluate("window.seen")  # and this would have been seen
    assert "data-state=stale" in seen
    assert "drawn" in seen


def test_a_panel_of_earlier_settings_says_from_what_it_is_while_a_long_run_goes_on(open_page):
    page = open_page(LIGHT.replace("count=1", "count=4"))
    assert page.inner_text("#samples .chip") in ("live", "done before")
    enter(page, "#steps", 1000)
    settle(page, '#duel .lane[data-state="running"]')
    page.evaluate("""() => { window.chips = []; const chip = document.querySelector("#samples .chip");
      const note = () => window.chips.push(chip.textContent);
      note();
      new MutationObserver(note).observe(chip, { childList: true, characterData: true, subtree: true }); }""")
    assert page.get_attribute("#samples section", "data-state") == "stale"
    assert page.inner_text("#samples .caption") == ""
    dimmed = "getComputedStyle(document.querySelector('#samples canvas')).opacity"
    assert float(page.evaluate(dimmed)) < 0.6
    assert "of S = 4 · η = 0" in page.inner_text("#samples .exports")
    enter(page, "#steps", 999)  # and so it stays, through another change
    settle(page, '#duel .lane[data-state="running"][data-steps="999"]')
    page.click("#stop")
    wait_status(page, "stopped")
    chips = set(page.evaluate("window.chips"))
    assert "from S = 4 · η = 0, seed 3, fashion-mnist" in chips
    assert not chips & {"live", "done before"}
    enter(page, "#steps", 4)
    wait_done(page)
    assert page.inner_text("#samples .chip") in ("live", "done before")
    assert float(page.evaluate(dimmed)) == 1


def test_samples_of_a_new_run_replace_the_old_ones_tile_by_tile(open_page):
    page = open_page(LIGHT.replace("count=1", "count=16"))
    page.evaluate("""() => { window.old = []; const tiles = document.querySelector("#samples .tiles");
      new MutationObserver(() => window.old.push(tiles.querySelectorAll("canvas.old").length))
        .observe(tiles, { attributes: true, subtree: true, attributeFilter: ["class"] }); }""")
    enter(page, "#steps", 60)
    wait_done(page)
    seen = page.evaluate("window.old")
    assert seen[-1] == 0
    assert any(0 < old < 16 for old in seen)


TYPED = [  # what is typed, and what runs then
    ("seed", "-5", 0), ("seed", "1.5", 1), ("seed", "", 1), ("seed", "e", 1), ("seed", "abc", 1),
    ("seed", "1e30", MAX_PAGE_SEED), ("seed", "7", 7),
    ("eta", "2", 1), ("eta", "-5", 0), ("eta", "0.5", 0.5), ("eta", "", 0.5), ("eta", "-", 0.5),
    ("steps_b", "1e9", 1000), ("steps_b", "0", 1), ("steps_b", "2.9", 2),
    ("steps", "-5", 1), ("steps", "1e9", 1000), ("steps", "e", 1000), ("steps", "3", 3),
]  # fmt: skip
LISTED = [
    ("#grid-steps input", "abc", "2, 4"), ("#grid-steps input", "", "2, 4"),
    ("#grid-steps input", "-5 3 2.7", "1, 2, 3"),
    ("#grid-steps input", "1,x,3,3", "1, 3"), ("#grid-etas input", "2, 0.25, -1", "0, 0.25, 1"),
]  # fmt: skip


def type_into(page, box, text):
    page.click(box, click_count=3)
    page.keyboard.press("Delete")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_what_cannot_be_run_leaves_the_box_at_the_value_that_runs(open_page):
    page = open_page(LIGHT)
    for name, text, kept in TYPED:
        box = f"#{name.replace('_', '-')} input[type=number]"
        type_into(page, box, text)
        shown = page.input_value(box)
        assert (float(shown), settings(page, name)[name]) == (kept, kept), (name, text)
    wait_done(page)
    assert settings(page, "seed", "eta", "steps", "steps_b") == {"seed": 7, "eta": 0.5, "steps": 3, "steps_b": 2}
    assert page.inner_text("#guide") == ""  # there was nothing to put right


def test_what_cannot_be_run_in_a_list_leaves_the_box_at_the_list_that_runs(open_page):
    page = open_page(f"?{FASHION}&view=grid&grid_steps=2,4&grid_etas=0,1")
    for box, text, kept in LISTED:
        type_into(page, box, text)
        assert page.input_value(box) == kept, text
    wait_done(page)
    assert settings(page, "grid_steps", "grid_etas") == {"grid_steps": [1, 3], "grid_etas": [0, 0.25, 1]}
    open_tab(page, "interpolate")
    type_into(page, "#keys .key:nth-child(2) input", "-5")
    assert page.input_value("#keys .key:nth-child(2) input") == "0"
    type_into(page, "#keys .key:nth-child(2) input", "")
    assert page.input_value("#keys .key:nth-child(2) input") == "0"
    assert settings(page, "keys")["keys"] == [3, 0, 12]
