"""Who may import whom, and what is public."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import core
from demo.settings import VIEWS as VIEW_TITLES
from demo.views import VIEWS

ROOT = Path(__file__).parents[1]


def imported(path):
    """The top-level packages a file imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def needs(path, package="core"):
    """The modules of a package, as paths, that a file imports when it runs: all but those for the type checker, and but
    itself, which an __init__ names where it takes parts of its own folder."""
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
            if name != package and name.partition(".")[0] == package and place not in (None, path):
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
    assert inner == {
        "axes.py", "branches.py", "embedded.py", "errors.py", "plain_numbers.py", "request.py", "timesteps.py",
        "solvers/__init__.py", "solvers/ddim.py", "solvers/dpmpp_2m.py",
    }  # fmt: skip


@pytest.mark.parametrize("package", ["core", "demo"])
def test_no_module_needs_itself(package):
    """No circle of imports, not even of those inside functions."""
    paths = sorted((ROOT / package).rglob("*.py"))
    graph = {path: needs(path, package) for path in paths}
    assert sum(map(len, graph.values())) > len(paths), "the scan sees the imports"
    reached = {path: set() for path in paths}
    for path in paths:
        waiting = [path]
        while waiting:
            for after in graph[waiting.pop()] - reached[path]:
                reached[path].add(after)
                waiting.append(after)
    assert [path.relative_to(ROOT) for path in paths if path in reached[path]] == []


@pytest.mark.parametrize("path", sorted({*ROOT.glob("*.py"), *(ROOT / "docs").rglob("*.py")}), ids=lambda p: p.name)
def test_gradio_stays_in_the_demo(path):
    assert "gradio" not in imported(path)


ENGINE_ROOM = ("cache", "compute", "computing", "curve", "fields", "host", "jobs", "live", "live_run", "outbox",
               "patience", "pictures", "scene", "sessions", "settings", "view", "words")  # fmt: skip


@pytest.mark.parametrize("name", ENGINE_ROOM)
def test_the_engine_room_knows_neither_gradio_nor_a_web_server(name):
    assert not {"gradio", "starlette", "fastapi"} & set(imported(ROOT / "demo" / f"{name}.py"))


def test_what_a_view_shows_is_made_without_gradio_but_for_its_layout():
    parts = {path for path in (ROOT / "demo" / "views").rglob("*.py") if path.name != "__init__.py"}
    assert len(parts) >= 6
    assert [path.name for path in parts if "gradio" in imported(path)] == []


@pytest.mark.parametrize("name", ["words", "fields", "settings", "scene", "jobs", "live", "sessions", "page", "routes"])
def test_what_is_there_before_the_model_does_not_wait_for_torch(name):
    code = f"import sys; import demo.{name}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_view_is_a_folder_with_its_drawing_and_its_looks():
    folders = {path.parent.name for path in (ROOT / "demo" / "views").glob("*/__init__.py")}
    assert [view.name for view in VIEWS] == list(VIEW_TITLES)
    assert {view.folder.name for view in VIEWS} == folders
    assert all(view.script().strip() for view in VIEWS)
    assert all(view.style().strip() for view in VIEWS)


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


def test_the_rooms_of_the_core_need_each_other_in_one_direction():
    """Packages as wholes: the engine knows none of its applications, and evaluation does not know training."""
    core_ = ROOT / "core"
    rooms = ("train", "evaluate", "data", "solvers", "backends", "cli", "files")

    def room(path):
        inner = path.relative_to(core_).parts[0]
        return "cli" if inner == "__main__.py" else inner if inner in rooms else "engine"

    arrows = {(room(a), room(b)) for a in core_.rglob("*.py") for b in needs(a)}
    parts, applications = ("solvers", "backends", "files"), ("data", "evaluate", "train", "cli")
    allowed = {("backends", "solvers"), ("evaluate", "data"), ("train", "data"), ("train", "evaluate")}
    allowed |= {("engine", part) for part in parts} | {(part, "engine") for part in parts}
    allowed |= {(application, below) for application in applications for below in ("engine", *parts)}
    allowed |= {("cli", application) for application in applications[:-1]}
    assert {arrow for arrow in arrows if arrow[0] != arrow[1]} <= allowed


def test_what_lists_checkpoints_does_not_wait_for_torch():
    code = "import sys; import core.layouts, core.request; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
