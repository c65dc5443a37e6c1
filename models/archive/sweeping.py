"""Which objects are referred to from Postgres: all others may be swept up one day."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from infra import compression
from infra.settings import get_settings
from models import exports
from models.documents import history, state

_SNAPSHOTS = text("""
    SELECT DISTINCT org_id, sha256 FROM revisions WHERE sha256 IS NOT NULL AND state = 'stored'
    UNION SELECT org_id, snapshot_sha256 FROM document_streams WHERE snapshot_sha256 IS NOT NULL
""")
_SEGMENTS = text("SELECT DISTINCT org_id, sha256 FROM document_segments")
_EXPORTS = text("SELECT DISTINCT org_id, sha256 FROM exports WHERE sha256 IS NOT NULL AND format <> 'archive'")
_ARCHIVES = text("SELECT org_id, id, sha256 FROM exports WHERE sha256 IS NOT NULL AND format = 'archive'")


async def referenced(session: AsyncSession) -> dict[str, tuple[str, str]]:
    """Every object that some row refers to: its name to what it is and its SHA-256.

    The session's role has to see all organizations.
    """
    found: dict[str, tuple[str, str]] = {}
    for kind, statement, name in (
        ("snapshot", _SNAPSHOTS, state.snapshot_key),
        ("segment", _SEGMENTS, history.segment_key),
        ("export", _EXPORTS, exports.object_key),
    ):
        for org_id, sha256 in _pairs(await session.execute(statement)):
            found[name(org_id, sha256)] = (kind, sha256)
    for org_id, export_id, sha256 in await session.execute(_ARCHIVES):
        found[exports.archiving.archive_key(org_id, export_id)] = ("export", sha256)
    return found


def _pairs(rows: object) -> Iterator[tuple[UUID, str]]:
    yield from rows  # type: ignore[misc]


def content(kind: str, stored: bytes) -> bytes:
    """What an object's hash is of: snapshots and segments are compressed.

    Raises:
        DecompressionError: it is damaged.
    """
    return stored if kind == "export" else compression.decompress(stored, limit=4 * get_settings().max_document_bytes)
