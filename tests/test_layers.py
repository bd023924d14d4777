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


def modules_of(folder):
    """Module name → path, for every module of a package."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def top_level_imports(tree):
    """Statements that run when a module is imported: not those inside functions or under TYPE_CHECKING."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.Try) or (isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test)):
            yield from top_level_imports(node)


def needs(path, modules):
    """The modules among these that a module needs to be imported, its own packages left out."""
    found = set()
    for node in top_level_imports(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in inner}
    return found & set(modules)


def circles(graph):
    """Every set of nodes that reach each other, by name; empty for a graph without a circle."""
    reached = {name: set() for name in graph}
    for name in graph:
        waiting = [name]
        while waiting:
            for after in graph[waiting.pop()] - reached[name]:
                reached[name].add(after)
                waiting.append(after)
    return sorted({tuple(sorted(b for b in graph if b in reached[a] and a in reached[b])) for a in graph} - {()})


def test_a_circle_is_found_and_a_line_is_none():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("folder", ["core", "demo"])
def test_no_two_modules_need_each_other(folder):
    modules = modules_of(folder)
    graph = {name: needs(path, modules) - {name} for name, path in modules.items()}
    assert sum(len(after) for after in graph.values()) > len(graph) / 2, "the scan sees the imports"
    assert circles(graph) == []


def test_the_rooms_of_the_core_need_each_other_in_one_direction():
    """Packages as wholes: the engine knows none of its applications, and evaluation does not know training."""
    modules = modules_of("core")
    rooms = ("train", "evaluate", "data", "solvers", "backends", "cli")

    def room(name):
        inner = name.split(".")[1] if name.count(".") else ""
        return "cli" if inner == "__main__" else inner if inner in rooms else "engine"

    arrows = {(room(a), room(b)) for a, path in modules.items() for b in needs(path, modules)}
    allowed = {
        ("evaluate", "data"), ("train", "data"), ("train", "evaluate"),
        *((application, "engine") for application in ("train", "evaluate", "data", "cli", "solvers", "backends")),
        *(("engine", part) for part in ("solvers", "backends")), ("backends", "solvers"), ("evaluate", "solvers"),
        *(("cli", application) for application in ("train", "evaluate", "data", "backends", "solvers")),
    }  # fmt: skip
    assert {arrow for arrow in arrows if arrow[0] != arrow[1]} <= allowed


def test_what_lists_checkpoints_does_not_wait_for_torch():
    code = "import sys; import core.layouts, core.request; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
