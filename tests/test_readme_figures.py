"""Every figure of the README's "Measured" is that of a stored cell."""

import json
import shutil
from pathlib import Path

import pytest

from core.evaluate.report import write_page
from core.evaluate.store import read_document

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def readme():
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def figures(name):
    document = json.loads((ROOT / "checkpoints" / name / "evaluation.json").read_text(encoding="utf-8"))
    return lambda key: document["cells"][key]["figures"]


def seconds(of, S, eta):
    return next(row["seconds"] for row in of("speed/steps")["rows"] if (row["S"], row["eta"]) == (S, eta))


def frechet(of, key, spread=False, kind="quality"):
    found = of(f"{kind}/{key}")
    return f"{found['frechet']:.1f}" + (f" ± {found['spread']:.1f}" if spread else "")


def test_the_readmes_figures_are_those_of_the_evaluations(readme):
    faces, garments = figures("toon-faces"), figures("fashion-mnist")
    times = [[seconds(of, S, eta) for S, eta in ((1000, 1.0), (100, 0.0), (20, 0.0))] for of in (faces, garments)]
    same = faces("consistency/eta=0/S=20")
    for text in (
        "n = {}; distances".format(*{of("quality/eta=0/S=20")["n"] for of in (faces, garments)}),
        "16 faces take {:.0f} s with DDPM's 1000 steps, {:.1f} s with 100 and {:.1f} s with 20".format(*times[0]),
        "16 garments, in another run, {:.1f} s, {:.1f} s and {:.1f} s.".format(*times[1]),
        f"have {frechet(faces, 'eta=0/S=20')} at S = 20 and {frechet(faces, 'eta=0/S=100')} at S = 100",
        f"1000 steps {frechet(faces, 'eta=1/S=1000', True)} in "
        f"{seconds(faces, 1000, 1.0) / seconds(faces, 20, 0.0):.0f} times the time of S = 20",
        f"held-out faces {frechet(faces, 'floor')}",
        f"garments {frechet(garments, 'eta=0/S=20')}, {frechet(garments, 'eta=0/S=100')}, "
        f"{frechet(garments, 'eta=1/S=1000', True)} and {frechet(garments, 'floor')}",
        f"In 50 steps faces have {frechet(faces, 'eta=0/S=50', True)} without noise, "
        f"{frechet(faces, 'eta=0.5/S=50', True)} at η = 0.5 and {frechet(faces, 'eta=1/S=50', True)} at η = 1, "
        f"garments {frechet(garments, 'eta=0/S=50', True)}, {frechet(garments, 'eta=0.5/S=50', True)} "
        f"and {frechet(garments, 'eta=1/S=50', True)}.",
        f"garments of 50 steps have {frechet(garments, 'eta=0/S=50', True, 'headline')}, and DDPM's "
        f"{frechet(garments, 'eta=1/S=1000', True, 'headline')} in "
        f"{seconds(garments, 1000, 1.0) / seconds(garments, 50, 0.0):.0f} times the time.",
        f"by {100 * same['pixels']:.1f} % of the full range, unrelated faces by {100 * same['pixels_unrelated']:.1f} %",
        f"{100 * same['same']:.0f} % of the parts of a face are the same (n = {same['n']})",
        f"mean square error of {faces('reconstruction/refined/S=20')['mse']:.5f}",
    ):
        assert text in readme


def test_the_page_of_results_is_what_the_stored_cells_and_the_claims_give_today(tmp_path):
    shutil.copy(ROOT / "docs" / "claims.md", tmp_path)
    stored = [ROOT / "checkpoints" / name / "evaluation.json" for name in ("toon-faces", "fashion-mnist")]
    write_page(tmp_path / "results.md", [read_document(path) for path in stored])
    rendered, kept = tmp_path / "results.md", ROOT / "docs" / "results.md"
    assert rendered.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8")
