"""`python -m tests.models.orgs.permissions`: write the table of permissions into docs/access.md, as the code has it."""

import re
from pathlib import Path

from models.orgs import LEVELS, PERMISSIONS, Level, Permission, Role

DOCS = Path(__file__).parents[3] / "docs" / "access.md"
_PLACE = re.compile(r"(?<=<!-- permissions -->\n).*(?=\n<!-- end -->)", re.DOTALL)


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


def with_table(text: str) -> str:
    """The documentation with the table as it is now."""
    return _PLACE.sub(table().replace("\\", "\\\\"), text)


if __name__ == "__main__":
    DOCS.write_text(with_table(DOCS.read_text()))
