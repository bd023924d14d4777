"""Every figure of the README's "Measured" is that of a stored cell."""

import shutil
from pathlib import Path

import pytest

from core.evaluate.claims import written
from core.evaluate.report import write_page
from core.evaluate.rows import cell
from core.evaluate.store import read_document
from core.evaluate.tables import NOT_RUN

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def readme():
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def figures(name):
    """One figure of a cell of that checkpoint, in one of the ways of docs/claims.md."""
    document = read_document(ROOT / "checkpoints" / name / "evaluation.json")

    def figure(key, what, way=None):
        found = cell(document, key)
        return NOT_RUN if found is None else written(found, what, way)

    return figure


def row(*cells):
    return f"|{'|'.join(f' {text} ' if text else ' ' for text in cells)}|"


@pytest.mark.parametrize(("name", "title", "same"), [
    ("toon-faces", "Faces", "same parts as with S = 1000"),
    ("fashion-mnist", "Garments", "same class as with S = 1000"),
])  # fmt: skip
def test_the_readmes_tables_are_those_of_the_evaluations(readme, name, title, same):
    of, index = figures(name), {10: 1, 20: 2, 50: 3, 100: 4}  # of each S in the rows of speed; DDPM's is 6
    distances = [of(f"headline/eta=0/S={S}", "frechet", "±") for S in index]
    distances += [of(key, "frechet", "±") for key in ("headline/eta=1/S=1000", "headline/floor")]
    assert row(f"**{title}**, η = 0", *distances) in readme
    assert [(of("speed/steps", f"rows.{i}.S"), of("speed/steps", f"rows.{i}.eta")) for i in (*index.values(), 6)] == [
        *((str(S), "0") for S in index), ("1000", "1"),
    ]  # fmt: skip
    seconds = [of("speed/steps", f"rows.{i}.seconds", ".1f") for i in index.values()]
    assert row("seconds for 16", *seconds, of("speed/steps", "rows.6.seconds", ".0f"), "") in readme
    shares = [of(f"consistency/eta=0/S={S}", "same", "%") for S in index]
    assert row(same, *shares, "", "") in readme
    assert {of(f"headline/eta=0/S={S}", "n") for S in index} == {"1000"}
    assert of("speed/steps", "n") == "16"


def test_the_readmes_sentences_have_the_figures_of_the_evaluations(readme):
    faces, garments = figures("toon-faces"), figures("fashion-mnist")
    noise = [[of(f"quality/eta={eta}/S=50", "frechet", "±") for eta in ("0", "0.5", "1")] for of in (faces, garments)]
    pixels = [faces("consistency/eta=0/S=20", what, "%") for what in ("pixels", "pixels_unrelated")]
    second_order = [of("consistency/dpm-solver++/S=10", "same", "%") for of in (garments, faces)]
    for text in (
        "(n = 256, whose distances are larger) faces have {} at η = 0, {} at η = 0.5 and {} at η = 1,".format(
            *noise[0]
        ),
        "garments {}, {} and {}: no difference".format(*noise[1]),
        "from that of 1000 by {} of the full range, unrelated faces by {} (n = 64)".format(*pixels),
        "keeps the class of {} of the garments and {} of the faces' parts.".format(*second_order),
        f"mean square error of {faces('reconstruction/refined/S=20', 'mse', '.5f')}.",
    ):
        assert text in readme
    assert {of(f"quality/eta={eta}/S=50", "n") for of in (faces, garments) for eta in ("0", "0.5", "1")} == {"256"}
    assert {
        garments("consistency/dpm-solver++/S=10", "n"),
        faces("consistency/eta=0/S=20", "n"),
        faces("reconstruction/refined/S=20", "n"),
    } == {"64"}


def test_the_page_of_results_is_what_the_stored_cells_and_the_claims_give_today(tmp_path):
    shutil.copy(ROOT / "docs" / "claims.md", tmp_path)
    stored = [ROOT / "checkpoints" / name / "evaluation.json" for name in ("toon-faces", "fashion-mnist")]
    write_page(tmp_path / "results.md", [read_document(path) for path in stored])
    rendered, kept = tmp_path / "results.md", ROOT / "docs" / "results.md"
    assert rendered.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8")
