"""The keys that sign tokens: which there are, and taking a new one into use without logging anybody out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import delete, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock, sealing
from infra.settings import Settings
from infra.tokens import Key, private_key
from models.auth.tables import SigningKey

PUBLISHED = timedelta(seconds=60)
"""So long a new key is known everywhere before it signs; every process looks for keys more often than that."""
OUTLIVES = timedelta(hours=1)
"""A key verifies for so long after it has signed its last token, or as long as that token lives."""
REMEMBERED = timedelta(days=90)

_SEAL = "signing-key"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('doxie signing keys'))")


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new key, and when it takes over."""

    kid: str
    signs_from: datetime
    retired: list[str]


async def ring(session: AsyncSession, settings: Settings) -> list[Key]:
    """Every key that signs, signed, or is about to: the first is in the settings, the others here."""
    rows = {row.kid: row for row in await session.scalars(select(SigningKey))}
    first = Key.of(private_key(settings))
    known = [_key(settings, row, first) for row in rows.values()]
    return known if first.kid in rows else [first, *known]


async def rotate(
    session: AsyncSession, settings: Settings, *, after: timedelta = PUBLISHED, compromised: bool = False
) -> Rotation:
    """Make a new key. It signs after a while, when everybody knows it; the old ones verify until their tokens are over.

    Where an old key is compromised, the new one takes over now and the old ones verify nothing any more: everybody's
    access token ends, and is replaced when the session is refreshed.
    """
    await session.execute(_LOCK)
    now = clock.now()
    signs_from = now if compromised else now + after
    await _note_first(session, settings)
    until = now if compromised else signs_from + max(OUTLIVES, timedelta(seconds=settings.access_token_seconds))
    retired = await session.scalars(
        update(SigningKey)
        .where(col(SigningKey.verifies_until).is_(None) | (col(SigningKey.verifies_until) > until))
        .values(verifies_until=until)
        .returning(col(SigningKey.kid))
    )
    names = list(retired)
    await session.execute(update(SigningKey).where(col(SigningKey.verifies_until) <= now).values(sealed=None))
    await session.execute(delete(SigningKey).where(col(SigningKey.verifies_until) < now - REMEMBERED))
    key = Key.of(Ed25519PrivateKey.generate())
    assert key.private is not None
    sealed = sealing.seal(settings, _SEAL, key.private.private_bytes_raw(), place=key.kid.encode())
    session.add(SigningKey(kid=key.kid, public_key=key.public.public_bytes_raw(), sealed=sealed, signs_from=signs_from))
    await session.flush()
    return Rotation(key.kid, signs_from, names)


async def _note_first(session: AsyncSession, settings: Settings) -> None:
    """From the first rotation on, the key of the settings is one that ends, like all others."""
    first = Key.of(private_key(settings))
    if await session.get(SigningKey, first.kid) is None:
        begin = datetime.fromtimestamp(0, UTC)
        session.add(SigningKey(kid=first.kid, public_key=first.public.public_bytes_raw(), signs_from=begin))
        await session.flush()


def _key(settings: Settings, row: SigningKey, first: Key) -> Key:
    until = row.verifies_until.timestamp() if row.verifies_until else None
    private = first.private if row.kid == first.kid else None
    if row.sealed is not None:
        raw = sealing.unseal(settings, _SEAL, row.sealed, place=row.kid.encode())
        private = Ed25519PrivateKey.from_private_bytes(raw)
    public = Ed25519PublicKey.from_public_bytes(row.public_key)
    return Key(row.kid, public, private, row.signs_from.timestamp(), until)
