"""House rules that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

import models.migrations.tables  # noqa: F401 (every table)
from models.base import OrgOwned, metadata
from models.orgs import LEVELS, PERMISSIONS, Permission, Role

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "collab", "flows", "infra", "models")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _calls(path: Path) -> Iterator[tuple[str, int]]:
    return _called(ast.parse(path.read_text()))


def _called(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node.lineno


@pytest.mark.parametrize(
    ("maker", "place"),
    [
        ("OrgScope", "models/orgs/scope.py"),
        ("DocumentScope", "models/orgs/scope.py"),
        ("LinkScope", "models/orgs/scope.py"),
        ("at_document", "models/documents/service.py"),
        ("by_link", "models/documents/service.py"),
        ("LinkVisitor", "models/sharing/links.py"),
    ],
)
def test_a_scope_comes_from_one_place_only(maker: str, place: str) -> None:
    places = {str(path.relative_to(ROOT)) for path in SOURCES for name, _ in _calls(path) if name == maker}
    assert places == {place}


def test_every_permission_belongs_to_somebody() -> None:
    assert set(Permission) == set().union(*PERMISSIONS.values())
    assert set(Role) == set(PERMISSIONS)
    assert {permission for permission in Permission if permission.startswith("document:")} - LEVELS.keys() == {
        Permission.DOCUMENT_CREATE,
        Permission.DOCUMENT_LIST,
    }


def test_services_never_commit() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        if path.is_relative_to(ROOT / "models") and "migrations" not in path.parts
        for name, line in _calls(path)
        if name in {"commit", "rollback", "begin_nested"}
    ]
    assert places == []


def test_tables_are_never_schemas_of_requests_or_answers() -> None:
    from tests import routes

    assert len(routes.live()) > 30
    for route in routes.live():
        for shape in [route.api.response_model, *route.bodies]:
            assert not (isinstance(shape, type) and issubclass(shape, SQLModel)), route.name


def test_table_keys_contain_the_organization() -> None:
    owned = {mapper.__table__.name for mapper in OrgOwned.__subclasses__()}  # type: ignore[attr-defined]
    for name in owned:
        table = metadata.tables[name]
        assert "org_id" in table.primary_key.columns, name
        for constraint in table.constraints:
            columns = {column.name for column in getattr(constraint, "columns", [])}
            if type(constraint).__name__ == "UniqueConstraint":
                assert "org_id" in columns, f"{name}: {constraint.name}"
        for key in table.foreign_key_constraints:
            if key.referred_table.name in owned:
                assert "org_id" in key.column_keys, f"{name}: {key.name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_flows_that_are_retried_raise() -> None:
    """A `Failed` that they return would be made a run that waits for its retry, and that then counts as crashed."""
    retried = {
        f"{path.stem}.{function.name}": {name for name, _ in _called(function)}
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.AsyncFunctionDef)
        if any(keyword.arg == "retries" for maker in function.decorator_list for keyword in _keywords(maker))
    }
    assert len(retried) >= 9
    assert [name for name, called in retried.items() if "Failed" in called] == []


def _keywords(node: ast.expr) -> list[ast.keyword]:
    return node.keywords if isinstance(node, ast.Call) else []
