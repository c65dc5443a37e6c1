"""`./doxie` makes its environment on first use, once, and says in one line why it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.stack.process import REPOSITORY

PYPROJECT = """\
[project]
name = "doxie"
version = "0"
requires-python = ">=3.11"
dependencies = []
"""
LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "doxie"
version = "0"
source = { virtual = "." }
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project without dependencies, whose command shows where and how it was called."""
    shutil.copy(REPOSITORY / "doxie", tmp_path / "doxie")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "uv.lock").write_text(LOCK)
    stack = tmp_path / "infra" / "stack"
    stack.mkdir(parents=True)
    (stack / "__main__.py").write_text("import os, sys; print(os.getcwd(), sys.prefix, sys.argv[1:])")
    return tmp_path


def doxie(tree: Path, *arguments: str, path: str = os.environ["PATH"]) -> "subprocess.Popen[str]":
    # `./doxie test` puts this project on the path, and there it would win over the one in the tree.
    without_own_packages = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(
        [tree / "doxie", *arguments],
        cwd="/",
        env={**without_own_packages, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_first_uses_at_once(tree: Path) -> None:
    uses = [doxie(tree, "up", "--home", "with space") for _ in range(2)]
    outputs = [use.communicate(timeout=120) for use in uses]
    assert [use.returncode for use in uses] == [0, 0], outputs
    assert {output for output, _ in outputs} == {f"/ {tree}/.venv ['up', '--home', 'with space']\n"}
    assert sum("making the environment in" in errors for _, errors in outputs) == 1
    assert (tree / ".venv" / "bin" / "uv").exists()

    output, errors = doxie(tree, "status").communicate(timeout=30)
    assert (output, errors) == (f"/ {tree}/.venv ['status']\n", "")


def test_no_python(tree: Path) -> None:
    use = doxie(tree, path="/nonexistent")
    _, errors = use.communicate(timeout=30)
    assert use.returncode == 1
    assert errors.startswith("doxie: no Python 3.11 or newer")
    assert errors.count("\n") == 1
