"""Proving again, in a session that is open, that it is still the same person.

What changes how somebody signs in asks for it: a stolen session or a laptop left open is not enough.
The proof is kept with the session, and holds for a while.
"""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from models import audit
from models.audit import AccountAct
from models.auth import Actor, User
from models.factors.errors import ReauthenticationNeeded
from models.factors.tables import Passkey, Reauthentication

SECONDS = 10 * 60

_RECENT = text("""
    SELECT EXISTS (
        SELECT FROM reauthentications
        WHERE session_id = :session_id AND proved_at > now() - make_interval(secs => :seconds)
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


async def note_sign_in(session: AsyncSession, user: User, session_id: UUID, *, method: str) -> None:
    """They have signed in at a provider that asked them just now who they are.

    That counts for whoever has nothing to prove it with here, no password and no passkey.
    """
    has_passkey = await session.scalar(select(Passkey.id).where(Passkey.user_id == user.id).limit(1))
    if user.password_hash is None and has_passkey is None:
        await note(session, user.id, session_id, method=method)


async def demand(session: AsyncSession, actor: Actor) -> None:
    """Go on only in a session that has proved lately whose it is. Tokens for scripts belong to no session.

    Raises:
        ReauthenticationNeeded: it has not.
    """
    parameters = {"session_id": actor.session_id, "seconds": SECONDS}
    if actor.session_id is None or not await session.scalar(_RECENT, parameters):
        raise ReauthenticationNeeded()
