"""Which cells there are, what they are called, and in which order they are run."""

import pytest
from evaluate_small import make_files, make_setup

from core import RequestError, SamplerSettings
from core.evaluate.cells import ETAS, KINDS, VARIANTS, Cell, cells, only, settings
from core.evaluate.parts import load


def keys(*what, T=1000):
    return {cell.key for cell in cells(what, T, 1000, 200)}


def test_quality_is_the_grid_of_the_papers_table_1_and_a_floor():
    steps = (5, 10, 20, 50, 100, 1000)
    grid = {"quality/floor", *(f"quality/eta={eta}/S={S}" for eta in ETAS for S in steps)}
    grid |= {"quality/eta=0/S=8", "quality/eta=0/S=15"}  # beside the second-order solver's
    grid |= {f"quality/dpm-solver++/S={S}" for S in (5, 8, 10, 15, 20)}
    assert keys("quality") == grid | {f"quality/{way}/S={S}" for way in VARIANTS for S in (20, 50)}
    assert set(ETAS) == {"0", "0.2", "0.5", "1", "hat"}


def test_the_headline_has_pictures_of_its_own_number():
    assert keys("headline") == {"headline/floor", "headline/eta=1/S=1000",
                                *(f"headline/eta=0/S={S}" for S in (10, 20, 50, 100))}  # fmt: skip
    found = cells(["quality", "headline"], 1000, 256, 64, 1000)
    assert {cell.n for cell in found if cell.kind == "headline"} == {1000}
    assert {cell.n for cell in found if cell.kind == "quality"} == {256}
    assert {cell.n for cell in cells(["headline"], 1000, 256, 64)} == {256}


def test_the_other_tables():
    assert {key.rsplit("=")[1] for key in keys("reconstruction")} == {"10", "20", "50", "100", "200", "500", "1000"}
    assert len(keys("reconstruction")) == 14
    beyond = {f"consistency/dpm-solver++/S={S}" for S in (5, 10, 20, 50)}
    assert beyond < keys("consistency")
    assert len(keys("consistency")) == 14 + len(beyond)
    assert keys("interpolation") == {"interpolation/slerp", "interpolation/lerp", "interpolation/crossfade"}
    assert keys("speed") == {"speed/steps"}
    assert keys("denoising") == {"denoising/levels"}


def test_no_two_cells_have_one_name_and_the_cheap_come_first():
    every = cells(KINDS, 1000, 1000, 200)
    assert len({cell.key for cell in every}) == len(every)
    assert [cell.cost for cell in every] == sorted(cell.cost for cell in every)
    assert every[0].key == "quality/floor"
    full = [cell.key for cell in every if cell.kind == "quality" and cell.S == 1000]
    assert full[:3] == ["quality/eta=0/S=1000", "quality/eta=1/S=1000", "quality/eta=hat/S=1000"]


def test_all_steps_fit_a_short_schedule():
    assert {cell.S for cell in cells(KINDS, 20, 8, 4)} == {0, 5, 8, 10, 15, 20}


def test_the_settings_of_a_cell():
    by_key = {cell.key: cell.settings for cell in cells(["quality"], 1000, 8, 4) if cell.S}
    assert by_key["quality/trailing/S=20"] == SamplerSettings(20, spacing="trailing")
    assert by_key["quality/unclipped/S=50"] == SamplerSettings(50, clip=False)
    assert by_key["quality/eta=0.2/S=50"] == SamplerSettings(50, 0.2)
    assert by_key["quality/dpm-solver++/S=8"] == SamplerSettings(8, solver="dpm-solver++")
    assert by_key["quality/eta=hat/S=20"] == SamplerSettings(20, sigma_hat=True)


@pytest.mark.parametrize(("what", "n", "match"), [
    (["beauty"], 8, "quality, headline, denoising, reconstruction"), ([], 8, "empty"), (["quality"], 1, "at least 2"),
])  # fmt: skip
def test_what_cannot_be_is_refused(what, n, match):
    with pytest.raises(RequestError, match=match):
        cells(what, 1000, n, 4)


def test_single_cells_are_chosen_by_name():
    every = cells(KINDS, 1000, 8, 4)
    assert [cell.key for cell in only(every, ["speed/steps", "quality/eta=0/S=5"])] == [
        "quality/eta=0/S=5", "speed/steps",
    ]  # fmt: skip
    with pytest.raises(RequestError, match=r"'quality/S=5' is unknown.*quality/eta=0/S=5"):
        only(every, ["quality/S=5"])


def test_variants_draw_their_own_pictures_and_the_plain_row_keeps_its_parts(tmp_path, tiny_config):
    """Parts are shared by name: a variant that took another's name would measure the wrong pictures."""
    setup = make_setup(make_files(tmp_path, tiny_config), tmp_path / "state")
    asked = {"own": settings(5), "trailing": Cell("quality", 5, 6, 30, way="trailing").settings,
             "quadratic": Cell("quality", 5, 6, 30, way="quadratic").settings,
             "unclipped": Cell("quality", 5, 6, 30, way="unclipped").settings}  # fmt: skip
    drawn = {way: setup.drawn(6, chosen)[0] for way, chosen in asked.items()}
    assert len({part.path for part in drawn.values()}) == 4
    assert drawn["own"].path.parent.name == "eta=0-S=5"
    images = {}
    for way, part in drawn.items():
        part.finish(lambda _: None)
        images[way] = load([part], "images")
    assert not (images["own"] == images["trailing"]).all()
    assert not (images["own"] == images["quadratic"]).all()
