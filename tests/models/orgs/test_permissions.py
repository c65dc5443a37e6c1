"""The table of permissions, as docs/access.md shows it."""

from pathlib import Path

from models.orgs import LEVELS, PERMISSIONS, Level, Permission, Role

DOCS = Path(__file__).parents[3] / "docs" / "access.md"


def table() -> str:
    """Roles and levels against permissions, in Markdown."""
    levels = [level for level in Level if level]
    lines = [
        "| permission | " + " | ".join([*Role, *(level.name.lower() for level in levels)]) + " |",
        "|---|" + "---|" * (len(Role) + len(levels)),
    ]
    for permission in Permission:
        wanted = LEVELS.get(permission)
        cells = ["✓" if permission in PERMISSIONS[role] else "·" for role in Role]
        cells += ["" if wanted is None else "✓" if level >= wanted else "·" for level in levels]
        lines.append(f"| `{permission}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def test_the_documentation_shows_what_the_code_allows() -> None:
    shown = DOCS.read_text().partition("<!-- permissions -->\n")[2].partition("\n<!-- end -->")[0]
    assert shown == table(), f"put this there:\n{table()}"
