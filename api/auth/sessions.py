"""`/auth/sessions`: where one is signed in."""

from uuid import UUID

from fastapi import Response

from api import cookies
from api.auth.schemas import SessionRead, Sessions
from api.deps import CurrentActor, CurrentRuntime, Revoked, Session
from api.routing import v1
from infra.bus import Revocation
from models import auth

router = v1("/auth/sessions", tags=["auth"])


@router.get("")
async def sessions(session: Session, actor: CurrentActor) -> Sessions:
    """Where one is signed in."""
    found = await auth.sessions(session, actor)
    return Sessions(items=[SessionRead.of(item, actor.session_id) for item in found])


@router.delete("/{session_id}", status_code=204)
async def revoke(session_id: UUID, session: Session, actor: CurrentActor, revoked: Revoked) -> None:
    """Sign out somewhere else."""
    await auth.revoke(session, actor, session_id)
    revoked(Revocation(user_id=actor.user_id, session_id=session_id))


@router.delete("", status_code=204)
async def revoke_others(session: Session, actor: CurrentActor, revoked: Revoked) -> None:
    """Sign out everywhere else."""
    for session_id in await auth.revoke_others(session, actor):
        revoked(Revocation(user_id=actor.user_id, session_id=session_id))


@router.post("/revoke-all", status_code=204)
async def revoke_all(
    session: Session, actor: CurrentActor, revoked: Revoked, response: Response, runtime: CurrentRuntime
) -> None:
    """Sign out everywhere, here as well."""
    await auth.revoke_all(session, actor.user_id)
    cookies.clear(response, runtime.settings)
    revoked(Revocation(user_id=actor.user_id))
