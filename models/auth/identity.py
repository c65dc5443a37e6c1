"""Who a session belongs to: read from Postgres in one round trip, or recalled without any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra.direct import Executes
from models.auth import queries
from models.errors import Unauthenticated


class SessionOver(Unauthenticated):
    """This session is over: sign in again."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who is signed in."""

    user_id: UUID
    session_id: UUID | None
    name: str
    org_ids: frozenset[UUID] = frozenset()
    """Where they belong; what row-level security lets them see."""
    token_scopes: frozenset[str] | None = None
    """Of whoever comes with a personal access token what it is for; None of whoever signed in."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is true of everybody who comes with a live session."""

    user_id: UUID
    session_id: UUID
    name: str
    org_ids: frozenset[UUID]
    valid_from: float
    """Tokens issued before (seconds since 1970) are over."""

    def as_json(self) -> dict[str, Any]:
        """As it can be remembered."""
        return {
            "user_id": str(self.user_id),
            "session_id": str(self.session_id),
            "name": self.name,
            "org_ids": [str(org_id) for org_id in self.org_ids],
            "valid_from": self.valid_from,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Identity":
        """What `as_json` made."""
        return cls(
            user_id=UUID(kept["user_id"]),
            session_id=UUID(kept["session_id"]),
            name=kept["name"],
            org_ids=frozenset(map(UUID, kept["org_ids"])),
            valid_from=kept["valid_from"],
        )

    def actor(self, claims: dict[str, Any]) -> Actor:
        """Who a token of this session speaks for.

        Raises:
            SessionOver: it was issued too early.
        """
        if claims.get("iat", self.valid_from) < int(self.valid_from):
            raise SessionOver()
        return Actor(self.user_id, self.session_id, self.name, self.org_ids)


async def known(session: AsyncSession, claims: dict[str, Any]) -> Identity:
    """The identity behind an access token; from here on the session sees what they may see.

    One round trip. The session must be scoped to the user of the token (`subject`) already.

    Raises:
        SessionOver: the session of the token is over or revoked.
    """
    user_id, session_id = subject(claims), session_of(claims)
    row = await queries.enter(session, user_id=user_id, session_id=session_id)
    if row is None:
        raise SessionOver()
    valid_from: datetime | None = row.tokens_valid_from
    seconds = valid_from.timestamp() if valid_from else 0.0
    return Identity(user_id, session_id, row.name, frozenset(row.org_ids), seconds)


async def identify(session: AsyncSession, claims: dict[str, Any]) -> Actor:
    """Who an access token speaks for; see `known`.

    Raises:
        SessionOver: the session of the token is over or revoked, or the token was issued too early.
    """
    return (await known(session, claims)).actor(claims)


async def live(session: Executes, session_ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """Of many sessions those that are live, as pairs of session and user. One round trip."""
    return await queries.live_among(session, session_ids)


def subject(claims: dict[str, Any]) -> UUID:
    """The user that the claims of a verified token name."""
    return UUID(claims["sub"])


def session_of(claims: dict[str, Any]) -> UUID:
    """The session that the claims of a verified access token name."""
    return UUID(claims["sid"])
