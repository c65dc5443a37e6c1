"""The published description of the API changes on purpose only."""

from pathlib import Path

from api import openapi

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_snapshot_is_current() -> None:
    """Refresh it with `python -m api.openapi > docs/openapi.json` and review the difference."""
    assert openapi.document() == SNAPSHOT.read_text()
