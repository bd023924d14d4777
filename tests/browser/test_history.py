"""The last runs, each with its picture, to go back to; and what may be done with a sample."""

from browser.conftest import LIGHT, download, enter, open_tab, reload, settings, settle, wait_done

ITEMS = "#history li button"


def kept(page, count):
    page.wait_for_function("n => document.querySelectorAll('#history li button').length === n", arg=count)
    return page.locator(ITEMS).all_inner_texts()


def test_a_run_of_before_is_come_back_to_with_all_its_settings(open_page):
    page = open_page(LIGHT)
    assert kept(page, 1) == ["Explore\nS 4 · η 0 · seed 3"]
    first = page.get_attribute(f"{ITEMS} img", "src")
    enter(page, "#steps", 5)
    wait_done(page)
    enter(page, "#eta", 0.5)
    wait_done(page)
    assert kept(page, 3) == [f"Explore\n{run} · seed 3" for run in ("S 5 · η 0.5", "S 5 · η 0", "S 4 · η 0")]
    pictures = [one.get_attribute("src") for one in page.locator(f"{ITEMS} img").all()]
    assert len(set(pictures)) == 3
    assert pictures[2] == first
    assert page.get_attribute(ITEMS, "aria-current") == "true"
    page.locator(ITEMS).last.click()
    wait_done(page)
    assert settings(page, "steps", "eta", "seed") == {"steps": 4, "eta": 0, "seed": 3}
    page.wait_for_function("document.querySelector('#history [aria-current] span')?.textContent.startsWith('S 4')")
    assert kept(page, 3)[0].startswith("Explore\nS 4")  # it has moved to the front, and is not there twice
    reload(page)
    assert len(kept(page, 3)) == 3


def test_a_change_right_after_a_run_loses_nothing(open_page):
    page = open_page(LIGHT)  # the opening run may be done before Gradio has put the panels in place
    page.evaluate(
        """async () => { for (const steps of [2, 3, 5]) { ddim.set({ steps });
          while (!ddim.atRest || !ddim.answered) await new Promise((r) => setTimeout(r, 5));
          await ddim.drawn(); } }"""
    )
    assert [item.split("·")[0] for item in kept(page, 4)] == [f"Explore\nS {S} " for S in (5, 3, 2, 4)]


def test_no_more_than_twelve_are_kept_and_other_views_come_back_as_well(open_page):
    page = open_page(LIGHT + "&view=grid&grid_steps=2,3&grid_etas=0")
    assert kept(page, 1) == ["Grid\n2 × 1 · seed 3"]
    open_tab(page, "explore")
    wait_done(page)
    page.locator(ITEMS).last.click()
    wait_done(page)
    assert settings(page, "view", "grid_steps") == {"view": "grid", "grid_steps": [2, 3]}
    open_tab(page, "explore")
    wait_done(page)
    now = "s => document.querySelector('#history [aria-current]')?.textContent.endsWith(`seed ${s}`)"
    for seed in range(20, 33):
        enter(page, "#seed", seed)
        page.wait_for_function(now, arg=seed)
    assert len(kept(page, 12)) == 12
    assert page.locator(ITEMS).last.inner_text().endswith("seed 21")


def test_a_sample_can_be_started_from_blended_to_and_added_to_interpolate(open_page, tmp_path):
    page = open_page(LIGHT.replace("count=1", "count=4"))
    tile = page.get_by_role("button", name="Sample of seed 5")
    tile.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Blend to it").click()
    wait_done(page)
    assert settings(page, "seed", "seed_to") == {"seed": 3, "seed_to": 5}
    tile.click()
    page.get_by_role("button", name="Add it to Interpolate").click()
    settle(page, '#path section[data-state="done"]')
    assert settings(page, "view", "keys") == {"view": "interpolate", "keys": [3, 8, 12, 5]}
    assert "_seed3-8-12-5_" in download(page, "#path", "gif", tmp_path).name
    open_tab(page, "explore")
    wait_done(page)
    tile.click()
    page.get_by_role("button", name="Start from it").click()
    wait_done(page)
    assert settings(page, "seed") == {"seed": 5}
    assert page.inner_text("#samples .chosen") == ""
