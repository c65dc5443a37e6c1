"""`python -m infra.compiling`: compiles the modules that pyproject.toml names, beside their sources (for an image).

`./doxie compile` does so in a copy: see infra/compiled.py.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from infra import compiled

KEPT: Final = 2
"""Copies: processes that still run may need the one before."""


class CannotCompile(Exception):
    """The sources are nothing that can be compiled; the message says why."""


class NoCompiler(CannotCompile):
    """Nothing can be compiled here; the message says what is missing."""


def copy(root: Path = compiled.ROOT) -> Path:
    """Make the compiled copy of the sources, if it is not there yet.

    Raises:
        NoCompiler: the compiler, or the headers of this Python, are missing.
        CannotCompile: they are there, and do not take it.
    """
    if (made := compiled.find(root)) is not None:
        return made
    place = root / compiled.PLACE
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=place) as scratch:
        tree = Path(scratch) / "tree"
        for package in compiled.PACKAGES:
            shutil.copytree(root / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in compiled.FILES:
            shutil.copy(root / name, tree)
        made = place / compiled.key(tree)  # not of what may have been edited since
        compile_in(tree)
        if not made.is_dir():  # not made by somebody else meanwhile
            tree.rename(made)
    others = [other for other in place.iterdir() if not other.name.startswith(".")]
    for old in sorted(others, key=lambda other: other.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return made


def missing() -> str:
    """What nothing can be compiled without, and is not here; empty where nothing is missing."""
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler ({compiler}): install one (Debian: gcc libc6-dev), then try again"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.exists():
        return f"there is no {header}: install the headers of this Python (Debian: python3-dev), then try again"
    return ""


def compile_in(tree: Path) -> None:
    """Compile the modules in a tree of sources, in place, in a process of its own: mypyc goes by the directory.

    Raises:
        NoCompiler, CannotCompile.
    """
    if reason := missing():
        raise NoCompiler(reason)
    command = [sys.executable, "-P", "-m", "infra.compiling"]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCompile(f"this does not compile:\n{done.stdout}{done.stderr}")


def main() -> None:
    """Compile in place, where the sources of this very module are."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    os.chdir(compiled.ROOT)
    os.environ["MYPY_CACHE_DIR"] = os.devnull
    modules = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["doxie"]["compiled"]
    with tempfile.TemporaryDirectory() as scratch:
        paths = [f"{name.replace('.', '/')}.py" for name in modules]
        extensions = mypycify(paths, target_dir=scratch, opt_level="3", debug_level="0")
        build = build_ext(Distribution({"name": "doxie", "ext_modules": extensions}))
        build.inplace, build.build_lib, build.build_temp = True, scratch, scratch
        build.ensure_finalized()
        build.run()


if __name__ == "__main__":
    main()
