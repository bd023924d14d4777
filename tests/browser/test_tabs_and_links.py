"""Several tabs, links, and what sets the page from elsewhere."""

import pytest
from browser.conftest import LIGHT, LONG_RACE, RUNNING, open_tab, said, settle, wait_done, wait_samples, wait_status
from browser.test_page import drag, pixels, steps_shown


def test_the_second_tab_is_told_its_place_and_gets_its_turn(open_page):
    first, second = open_page(query=LONG_RACE), open_page(query=LIGHT)
    open_tab(first, "compare")
    settle(first, RUNNING)
    second.fill("#steps input[type=number]", "6")
    second.keyboard.press("Enter")
    wait_status(second, "waiting")
    assert "one run is before yours" in said(second)
    first.click("#stop")
    wait_samples(second, 6, 0)


def test_a_closed_tab_ends_its_run(open_page):
    first, second = open_page(query=LONG_RACE), open_page(query=LIGHT)
    open_tab(first, "compare")
    settle(first, RUNNING)
    first.close()
    second.fill("#steps input[type=number]", "6")
    second.keyboard.press("Enter")
    wait_samples(second, 6, 0)  # a thousand-step run in front would still be waited for


def test_a_drag_while_a_run_is_going_ends_with_the_last_value(open_page):
    page = open_page(query=LIGHT)
    drag(page, "#steps input[type=range]", 0.9)
    drag(page, "#steps input[type=range]", 0.1)
    S = steps_shown(page)
    assert S < 8
    wait_samples(page, S, 0)
    wait_done(page)
    assert steps_shown(page) == S


def test_a_copied_link_opens_the_same_state_elsewhere(open_page):
    page = open_page(query=LIGHT + "&seed=5&eta=0.5&view=interpolate&keys=1,2")
    page.click("#copy-link")
    page.wait_for_function("location.search.includes('keys=1')")
    query = page.evaluate("location.search")
    other = open_page(query=query)
    assert other.locator('#views button[data-view="interpolate"]').get_attribute("aria-selected") == "true"
    assert other.input_value("#eta input[type=number]") == "0.5"
    wait_done(page)
    places = ["#path .ribbon canvas:nth-child(3)", "#square figure canvas"]
    assert [pixels(page, p) for p in places] == [pixels(other, p) for p in places]


def test_a_link_with_bad_values_is_adjusted_and_says_so(open_page):
    page = open_page(query=LIGHT.replace("steps=4", "steps=99999", 1).replace("99999&", "0&", 1) + "&spacing=odd")
    assert "steps=0 became 1" in page.inner_text("#guide")
    assert "spacing=odd" in page.inner_text("#guide")
    assert steps_shown(page) == 1


def test_an_experiment_sets_the_state_and_says_what_to_look_at(open_page):
    page = open_page(query=LIGHT)
    open_tab(page, "learn")
    page.wait_for_selector("#flow section[data-painted]")
    wait_done(page)
    page.click("#try-eta")
    page.wait_for_selector('#views button[data-view="explore"][aria-selected="true"]')
    assert "B trembles" in page.inner_text("#guide")
    settle(page, '#duel .lane:nth-child(2)[data-state="done"][data-eta="1"][data-steps="20"]')


def test_the_exact_flow_moves_with_the_same_sliders(open_page):
    page = open_page(query=LIGHT + "&view=learn")
    page.wait_for_selector('#flow section[data-painted][data-steps="4"][data-eta="0"]')
    page.fill("#eta input[type=number]", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector('#flow section[data-eta="1"]')
    page.fill("#steps input[type=number]", "9")
    page.keyboard.press("Enter")
    page.wait_for_selector('#flow section[data-eta="1"][data-steps="9"]')


# Counts the runs that the page asks for, and lets every answer come late, so that events of the page overlap.
COUNT = """{
  const plain = window.fetch;
  window.joins = 0;
  window.fetch = async (...a) => {
    if (String(a[0].url ?? a[0]).includes("/queue/join")) window.joins += 1;
    await new Promise((r) => setTimeout(r, LATE_MS));
    return plain(...a);
  };
}"""
MOST_RUNS = 8  # of a link that sets eight controls: 3 or 4 are seen, and 10 up to no end where events called each other


@pytest.mark.parametrize(("view", "late_ms"), [("explore", 0), ("tradeoff", 0), ("reproduce", 0), ("learn", 400)])
def test_a_page_at_rest_asks_the_server_for_nothing(open_page, view, late_ms):
    init = COUNT.replace("LATE_MS", str(late_ms))
    page = open_page(query=LIGHT + f"&seed=5&eta=0.5&view={view}", init=init)
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.method == "POST" or "/queue/data" in r.url else None)
    for _ in range(15):  # changes that the link made are told of and found done
        before = len(asked)
        page.wait_for_timeout(2000)
        if len(asked) == before:
            break
    else:
        pytest.fail(f"{len(asked)} requests in 30 s")
    joins = page.evaluate("window.joins")
    print(f"{view}: {joins} runs asked for")
    assert joins <= MOST_RUNS
