"""Which ways somebody has to sign in, and that one is always left."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from infra.settings import Settings
from models.auth import SessionOver
from models.factors.errors import LastWay

# As text, since `factors` knows nothing of `federation`, which builds on it.
_OVERVIEW = text("""
    SELECT users.password_hash IS NOT NULL AS password,
        EXISTS (SELECT FROM totps WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS totp,
        (SELECT count(*) FROM passkeys WHERE user_id = users.id) AS passkeys,
        (SELECT count(*) FROM recovery_codes WHERE user_id = users.id AND used_at IS NULL) AS recovery_codes,
        (SELECT count(*) FROM federated_identities WHERE user_id = users.id AND issuer = ANY(:issuers)) AS identities
    FROM users WHERE users.id = :user_id
""").bindparams(bindparam("user_id", type_=Uuid), bindparam("issuers", type_=ARRAY(Text)))

_LOCK = text("SELECT FROM users WHERE id = :user_id FOR NO KEY UPDATE").bindparams(bindparam("user_id", type_=Uuid))


class Method(StrEnum):
    """What can be presented as a second factor."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody can sign in."""

    password: bool
    totp: bool
    passkeys: int
    recovery_codes: int
    """Those not used yet."""
    identities: int
    """At providers that are configured."""

    @property
    def count(self) -> int:
        """How many ways there are to begin with."""
        return self.password + self.passkeys + self.identities

    @property
    def second_factors(self) -> list[Method]:
        """What may follow a password; recovery codes only stand in for something else."""
        own = [method for method, there in ((Method.TOTP, self.totp), (Method.PASSKEY, self.passkeys)) if there]
        return [*own, Method.RECOVERY_CODE] if own and self.recovery_codes else own


async def of(session: AsyncSession, user_id: UUID, settings: Settings) -> Ways:
    """The ways of an account.

    Raises:
        SessionOver: it is gone.
    """
    issuers = [provider.issuer for provider in settings.oidc_providers]
    row = (await session.execute(_OVERVIEW, {"user_id": user_id, "issuers": issuers})).mappings().one_or_none()
    if row is None:
        raise SessionOver()
    return Ways(**row)


async def give_up_one(session: AsyncSession, user_id: UUID, settings: Settings) -> None:
    """Make sure that another way is left; until the transaction ends nobody else can give one up.

    Raises:
        LastWay: there is only one.
    """
    await lock(session, user_id)
    if (await of(session, user_id, settings)).count <= 1:
        raise LastWay()


async def lock(session: AsyncSession, user_id: UUID) -> None:
    """Let changes to the ways of an account wait for each other."""
    await session.execute(_LOCK, {"user_id": user_id})
