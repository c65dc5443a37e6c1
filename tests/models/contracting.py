"""What a migration does that the code of the release before it may not survive (pure).

It looks at the SQL that Postgres is told, whoever wrote it. Tables and functions that a migration makes are its own.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_TABLE: Final = r'(?:IF EXISTS )?(?:ONLY )?(?P<table>[\w."]+)'
_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (rf"^DROP TABLE {_TABLE}", "the old code reads that table"),
        (r"^DROP (?:VIEW|TYPE|FUNCTION|SCHEMA|SEQUENCE|TRIGGER)", "the old code may use it"),
        (rf"^DROP POLICY \S+ ON {_TABLE}", "the old code no longer sees its rows"),
        (rf"^CREATE POLICY \S+ ON {_TABLE} AS RESTRICTIVE", "the old code no longer sees its rows"),
        (rf"^ALTER TABLE {_TABLE} (?:ENABLE|FORCE) ROW LEVEL SECURITY", "the old code no longer sees its rows"),
        (rf"^ALTER TABLE {_TABLE} .*\bRENAME\b", "the old code knows the old name"),
        (rf"^ALTER TABLE {_TABLE} .*\bDROP COLUMN\b", "the old code reads and writes that column"),
        (rf"^ALTER TABLE {_TABLE} .*\bTYPE\b", "the old code writes the old type, and the table is rewritten"),
        (rf"^ALTER TABLE {_TABLE} .*\bSET NOT NULL\b", "the old code may leave it out"),
        (rf"^ALTER TABLE {_TABLE} .*\bDROP DEFAULT\b", "the old code may leave it out"),
        (
            rf"^ALTER TABLE {_TABLE} ADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL\b",
            "the old code does not know the column, and it has no default",
        ),
        (rf"^ALTER TABLE {_TABLE} ADD (?:CONSTRAINT|CHECK|UNIQUE|FOREIGN|PRIMARY)", "the old code may break the rule"),
        (rf"^CREATE UNIQUE INDEX .*\bON {_TABLE}", "the old code may break the rule"),
        (rf"^CREATE INDEX (?!CONCURRENTLY).*\bON {_TABLE}", "nobody can write meanwhile: make it concurrently"),
        (rf"^(?:DELETE FROM|TRUNCATE(?: TABLE)?) {_TABLE}", "the old code may need these rows"),
        (rf"^REVOKE .*\bON (?:TABLE |FUNCTION )?{_TABLE}", "the old code may use the privilege"),
    )
)
_MADE: Final = re.compile(r'^CREATE (?:TABLE (?:IF NOT EXISTS )?|FUNCTION )(?P<table>[\w."]+)', re.IGNORECASE)


def contractions(statements: Iterable[str]) -> Iterator[str]:
    """What is wrong with some statements of one migration, in their order."""
    made: set[str] = set()
    for statement in (" ".join(part.split()) for whole in statements for part in whole.split(";")):
        if created := _MADE.match(statement):
            made.add(created["table"])
        for pattern, why in _RULES:
            found = pattern.match(statement)
            if found and found.groupdict().get("table") not in made:
                yield f"{statement}: {why}"
                break
