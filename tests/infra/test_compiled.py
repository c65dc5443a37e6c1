"""A compiled copy is run if, and only if, it is of the very sources that are here."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import compiled, compiling
from tests.collab.world import running
from tests.conftest import Stack

MAIN = """
import sys
from infra import compiled
compiled.become("collab")
print("as it is written", *sys.argv[1:])
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small program that becomes compiled where it can."""
    for package in compiled.PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    shutil.copy(compiled.__file__, tmp_path / "infra")
    (tmp_path / "collab/__main__.py").write_text(MAIN)
    for name in ("pyproject.toml", "uv.lock"):
        (tmp_path / name).write_text("1")
    return tmp_path


def copied(sources: Path) -> Path:
    """What stands in for a compiled copy, as no compiler is needed to tell which one runs."""
    copy = sources / compiled.PLACE / compiled.key(sources)
    for package in compiled.PACKAGES:
        shutil.copytree(sources / package, copy / package)
    (copy / "collab/__main__.py").write_text(MAIN.replace("as it is written", "compiled"))
    return copy


def said(sources: Path) -> str:
    command = [sys.executable, "-m", "collab", "an argument"]
    environment = os.environ | {"PYTHONPATH": str(sources)}
    return subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=True).stdout


def test_who_has_a_compiled_copy_runs_it(sources: Path) -> None:
    assert said(sources) == "as it is written an argument\n"
    copied(sources)
    assert said(sources) == "compiled an argument\n"


@pytest.mark.parametrize("changed", ["models/__init__.py", "infra/added.py", "uv.lock", "pyproject.toml"])
def test_a_copy_of_other_sources_is_not_run(sources: Path, changed: str) -> None:
    copied(sources)
    (sources / changed).write_text("2")
    assert said(sources) == "as it is written an argument\n"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(compiling.NoCompiler, match="there is no C compiler"):
        compiling.compile_in(tmp_path)


def test_what_does_not_compile_leaves_nothing(sources: Path) -> None:
    if reason := compiling.missing():
        pytest.skip(reason)
    shutil.copy(compiling.__file__, sources / "infra")
    (sources / "uv.lock").write_text("")
    (sources / "pyproject.toml").write_text('[tool.doxie]\ncompiled = ["models.wrong"]\n')
    (sources / "models/wrong.py").write_text('number: int = "none"\n')
    with pytest.raises(compiling.CannotCompile, match="Incompatible types in assignment"):
        compiling.copy(sources)
    assert list((sources / compiled.PLACE).iterdir()) == []


async def test_a_node_is_what_was_compiled(stack: Stack) -> None:
    if (copy := compiled.find()) is None:
        pytest.skip("nothing was compiled: ./doxie compile")
    async with running(stack.settings) as node:
        assert (await node.metrics())["compiled"] == 1
        async with asyncio.timeout(60):  # its keepers, too, once they have started
            while not node.children() or not all(has(child.pid, copy / "models/yjs") for child in node.children()):
                await asyncio.sleep(0.1)


def has(pid: int, where: Path) -> bool:
    """Whether a process has loaded a library that lies there."""
    return f"{where}/" in Path(f"/proc/{pid}/maps").read_text()
