"""`/auth/tokens`: what scripts sign in with."""

from datetime import timedelta
from uuid import UUID

from fastapi.routing import APIRoute

from api.auth.schemas import TokenCreated, TokenRead, Tokens, TokenWrite
from api.deps import CurrentActor, Revoked, Session
from api.routing import v1
from infra.bus import Revocation
from models import auth

router = v1("/auth/tokens", tags=["auth"])


async def create(body: TokenWrite, session: Session, actor: CurrentActor) -> TokenCreated:
    """A personal access token: what its owner may do, within its scopes. It is shown this once."""
    lifetime = timedelta(days=body.expires_in_days)
    token, secret = await auth.create_token(session, actor, name=body.name, scopes=body.scopes, lifetime=lifetime)
    return TokenCreated(**TokenRead.model_validate(token).model_dump(), token=secret)


# Not an idempotent route: those keep their answers, and this one is a secret.
router.add_api_route("", create, methods=["POST"], status_code=201, route_class_override=APIRoute)


@router.get("")
async def tokens(session: Session, actor: CurrentActor) -> Tokens:
    """One's tokens that work."""
    return Tokens(items=[TokenRead.model_validate(token) for token in await auth.tokens(session, actor)])


@router.delete("/{token_id}", status_code=204)
async def delete(token_id: UUID, session: Session, actor: CurrentActor, revoked: Revoked) -> None:
    """Let a token work no more."""
    await auth.delete_token(session, actor, token_id)
    revoked(Revocation(user_id=actor.user_id, session_id=token_id))
