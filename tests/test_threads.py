"""How torch's threads wait, as OpenMP itself reports it, and that every way in says it before torch is loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
gnu = pytest.mark.skipif(sys.platform != "linux", reason="torch brings GNU OpenMP on Linux alone")


def python(*argv, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env={**kept, "OMP_NUM_THREADS": "1", **environment}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


@gnu
@pytest.mark.parametrize(("environment", "turns"), [({}, "8000"), ({"GOMP_SPINCOUNT": "77"}, "77")])
def test_the_command_line_spins_as_the_page_does_unless_the_environment_says_otherwise(environment, turns):
    done = python("-m", "core", "sample", "--help", OMP_DISPLAY_ENV="verbose", **environment)
    assert done.returncode == 0
    assert f"GOMP_SPINCOUNT = '{turns}'" in done.stderr


PAGE = """
import os, sys
seen = []
sys.addaudithook(lambda event, args: event == "import" and args[0] == "torch" and seen.append(
    os.environ.get("GOMP_SPINCOUNT")))
import app
from pathlib import Path
from demo.host import EngineHost
EngineHost(Path(sys.argv[1]), "cpu", threads=1).engine(sys.argv[2])
print(seen[0])
"""


def test_the_page_says_it_before_torch_is_loaded(tiny_folder):
    done = python("-c", PAGE, str(tiny_folder.parent), tiny_folder.name)
    assert done.stdout.splitlines()[:1] == ["8000"], done.stderr
