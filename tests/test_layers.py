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


def needs(path, package="core"):
    """The modules of a package, as paths, that a file imports when it runs: all but those for the type checker."""
    found, nodes = set(), list(ast.parse(path.read_text(encoding="utf-8")).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            place = path_of(name)
            if name != package and name.partition(".")[0] == package and place:
                found.add(place)
    return found


def path_of(name):
    """The file of a module of this repository, or None for a name that is none."""
    at = ROOT.joinpath(*name.split("."))
    return next((p for p in (at.with_suffix(".py"), at / "__init__.py") if p.is_file()), None)


def all_needs(path):
    """What a file needs, and what that needs, and so on. A package's __init__ counts where it is named."""
    found, new = set(), {path}
    while new:
        found |= new
        new = {need for file in new for need in needs(file)} - found
    return found - {path}


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


def test_the_graph_follows_what_runs_and_not_what_the_type_checker_reads():
    timing, engine = ROOT / "core/timing.py", ROOT / "core/engine.py"
    assert engine not in needs(timing)
    assert {ROOT / "core/latents.py", ROOT / "core/checkpoint.py"} <= needs(engine)  # "from core import latents", too
    assert ROOT / "core/unet.py" in all_needs(engine)


@pytest.mark.parametrize("path", sorted((ROOT / "core" / "files").glob("*.py")), ids=lambda p: p.stem)
def test_writing_a_file_needs_neither_the_network_nor_the_engine(path):
    above = {ROOT / "core" / f"{name}.py" for name in ("unet", "checkpoint", "engine", "sampler", "result")}
    assert not above & all_needs(path)


def test_reading_a_record_needs_no_checkpoint():
    inner = {p.relative_to(ROOT / "core").as_posix() for p in all_needs(ROOT / "core" / "record.py")}
    assert inner == {"embedded.py", "errors.py", "request.py", "timesteps.py"}


@pytest.mark.parametrize("path", sorted((ROOT / "core").glob("*.py")), ids=lambda p: p.stem)
def test_no_module_of_the_core_needs_itself(path):
    assert path not in {need for file in needs(path) for need in {file} | all_needs(file)}


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
