"""The table of permissions, as docs/access.md shows it."""

from tests.models.orgs.permissions import DOCS, table, with_table


def test_the_documentation_shows_what_the_code_allows() -> None:
    shown = DOCS.read_text()
    assert table() in with_table(shown)
    assert shown == with_table(shown), "run python -m tests.models.orgs.permissions"
