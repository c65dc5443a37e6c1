"""What docs/security.md claims: every test it names exists, and every requirement is answered once."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
PROOFS = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", TEXT)))
PACKAGES = ("api", "collab", "flows", "infra", "models")

SECTIONS = {
    "V1.1": (1, 2),
    "V1.2": (1, 2, 3, 4, 5, 6, 7, 8, 9),
    "V1.3": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    "V1.4": (1, 2, 3),
    "V1.5": (1, 2),
    "V2.1": (1, 2, 3),
    "V2.2": (1, 2, 3),
    "V2.3": (1, 2, 3, 4),
    "V2.4": (1,),
    "V3.2": (1, 2),
    "V3.3": (1, 2, 3, 4),
    "V3.4": (1, 2, 3, 4, 5, 6),
    "V3.5": (1, 2, 3, 4, 5),
    "V3.7": (1, 2),
    "V4.1": (1, 2, 3),
    "V4.2": (1,),
    "V4.3": (1, 2),
    "V4.4": (1, 2, 3, 4),
    "V5.1": (1,),
    "V5.2": (1, 2, 3),
    "V5.3": (1, 2),
    "V5.4": (1, 2, 3),
    "V6.1": (1, 2, 3),
    "V6.2": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    "V6.3": (1, 2, 3, 4),
    "V6.4": (1, 2, 3, 4),
    "V6.5": (1, 2, 3, 4, 5),
    "V6.6": (1, 2, 3),
    "V6.8": (1, 2, 3, 4),
    "V7.1": (1, 2, 3),
    "V7.2": (1, 2, 3, 4),
    "V7.3": (1, 2),
    "V7.4": (1, 2, 3, 4, 5),
    "V7.5": (1, 2),
    "V7.6": (1, 2),
    "V8.1": (1, 2),
    "V8.2": (1, 2, 3),
    "V8.3": (1,),
    "V8.4": (1,),
    "V9.1": (1, 2, 3),
    "V9.2": (1, 2, 3, 4),
    "V10.1": (1, 2),
    "V10.2": (1, 2),
    "V10.3": (1, 2, 3, 4),
    "V10.4": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    "V10.5": (1, 2, 3, 4, 5),
    "V10.6": (1, 2),
    "V10.7": (1, 2, 3),
    "V11.1": (1, 2),
    "V11.2": (1, 2, 3),
    "V11.3": (1, 2, 3),
    "V11.4": (1, 2, 3, 4),
    "V11.5": (1,),
    "V11.6": (1,),
    "V12.1": (1, 2, 3),
    "V12.2": (1, 2),
    "V12.3": (1, 2, 3, 4),
    "V13.1": (1,),
    "V13.2": (1, 2, 3, 4, 5),
    "V13.3": (1, 2),
    "V13.4": (1, 2, 3, 4, 5),
    "V14.1": (1, 2),
    "V14.2": (1, 2, 3, 4),
    "V14.3": (1, 2, 3),
    "V15.1": (1, 2, 3),
    "V15.2": (1, 2, 3),
    "V15.3": (1, 2, 3, 4, 5, 6, 7),
    "V16.1": (1,),
    "V16.2": (1, 2, 3, 4, 5),
    "V16.3": (1, 2, 3, 4),
    "V16.4": (1, 2, 3),
    "V16.5": (1, 2, 3),
    "V17.1": (1,),
    "V17.2": (1, 2, 3, 4),
    "V17.3": (1, 2),
}
"""The requirements of levels 1 and 2 in ASVS 5.0.0, by section."""


@pytest.mark.parametrize("proof", PROOFS)
def test_every_test_that_is_named_exists(proof: str) -> None:
    path, _, name = proof.partition("::")
    assert (ROOT / path).is_file(), path
    functions = {
        node.name
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not name or name in functions, proof
    assert any(function.startswith("test_") for function in functions), path


def test_every_requirement_is_answered_once() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| V")]
    answered = [name for row in rows for name in re.findall(r"V\d+\.\d+\.\d+", row.split("|")[1])]
    wanted = [f"{section}.{number}" for section, numbers in SECTIONS.items() for number in numbers]
    assert sorted(answered) == sorted(wanted)


def test_what_is_met_is_proved() -> None:
    for line in TEXT.splitlines():
        if line.startswith("| V") and line.split("|")[2].strip() == "met":
            assert "`tests/" in line, line


def test_the_count_is_right() -> None:
    states = {"met": 0, "partly": 0, "n/a": 0}
    for line in TEXT.splitlines():
        if line.startswith("| V"):
            states[line.split("|")[2].strip()] += line.split("|")[1].count("V")
    total = sum(states.values())
    sentence = f"{total} requirements: {states['met']} met, {states['partly']} partly, {states['n/a']} not applicable."
    assert sentence in TEXT


def test_no_process_is_started_through_a_shell() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {"S602", "S604", "S605"}.isdisjoint(lint["ignore"])


def test_nothing_evaluates_what_it_is_given() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in {"eval", "exec", "compile", "__import__"}, path
                if isinstance(node, ast.Import):
                    assert {"pickle", "marshal", "shelve"}.isdisjoint(alias.name for alias in node.names), path


def test_every_package_is_locked_by_its_hash() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert len(packages) > 100
    for package in packages:
        if "registry" in package["source"]:
            files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
            assert files, package["name"]
            assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_tests_are_no_part_of_the_package() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == list(PACKAGES)
