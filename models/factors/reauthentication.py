"""Proving again, in a session that is open, that it is still the same person.

What changes how somebody signs in asks for it: a stolen session or a laptop left open is not enough.
The proof is kept with the session, and holds for a while.
"""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models import audit
from models.audit import AccountAct
from models.auth import Actor
from models.factors.errors import ReauthenticationNeeded
from models.factors.tables import Reauthentication

SECONDS = 10 * 60

# Who has neither a password nor a passkey proves it by signing in again at the provider.
_RECENT = text("""
    SELECT EXISTS (
        SELECT FROM reauthentications
        WHERE session_id = :session_id AND proved_at > now() - make_interval(secs => :seconds)
    ) OR EXISTS (
        SELECT FROM auth_sessions JOIN users ON users.id = auth_sessions.user_id
        WHERE auth_sessions.id = :session_id AND auth_sessions.created_at > now() - make_interval(secs => :seconds)
            AND users.password_hash IS NULL
            AND NOT EXISTS (SELECT FROM passkeys WHERE passkeys.user_id = users.id)
    )
""").bindparams(bindparam("session_id", type_=Uuid))


async def note(session: AsyncSession, user_id: UUID, session_id: UUID, *, method: str) -> None:
    """They have proved it just now."""
    row = insert(Reauthentication).values(session_id=session_id, method=method, proved_at=func.now())
    again = row.on_conflict_do_update(
        index_elements=["session_id"], set_={"method": row.excluded.method, "proved_at": row.excluded.proved_at}
    )
    await session.execute(again)
    await audit.record_account(session, user_id, AccountAct.REAUTHENTICATED, method=method)


async def demand(session: AsyncSession, actor: Actor) -> None:
    """Go on only in a session that has proved lately whose it is. Tokens for scripts belong to no session.

    Raises:
        ReauthenticationNeeded: it has not.
    """
    parameters = {"session_id": actor.session_id, "seconds": SECONDS}
    if actor.session_id is None or not await session.scalar(_RECENT, parameters):
        raise ReauthenticationNeeded()
