"""Who may import whom, and what is public."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import core

ROOT = Path(__file__).parents[1]


def imported(path):
    """The top-level packages a file imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def test_the_scan_sees_imports_wherever_they_stand(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("import a.b, c\nfrom d.e import f\nfrom . import g\ndef h():\n    import i as j\n")
    assert list(imported(path)) == ["a", "c", "d", "i"]


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_knows_neither_gradio_nor_the_demo(path):
    assert not {"gradio", "demo", "app"} & set(imported(path))


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_runs_without_diffusers(path):
    assert "diffusers" not in imported(path)


def test_views_do_not_touch_torch():
    for path in (ROOT / "demo").glob("views*.py"):
        assert "torch" not in imported(path), path.name


def test_every_public_name_can_be_imported_and_the_list_is_sorted():
    assert all(hasattr(core, name) for name in core.__all__)
    assert sorted(core.__all__) == sorted(set(core.__all__))


def test_every_error_is_one_family():
    for name in ("CheckpointError", "DataError", "NetworkError", "RequestError"):
        assert issubclass(getattr(core, name), core.DDIMError)


def test_importing_the_core_loads_neither_gradio_nor_diffusers():
    code = "import core, sys; print(sorted({'gradio', 'diffusers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
