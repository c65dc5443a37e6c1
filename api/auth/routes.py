"""`/auth`: registering, signing in and out, refreshing, sessions."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import cookies
from api.auth.schemas import Login, Register, SessionRead, Sessions, SignedIn, UserRead
from api.deps import CurrentActor, CurrentDevice, CurrentRuntime, Revoked, Session
from api.idempotency import IdempotentRoute
from api.runtime import Runtime
from infra.bus import Revocation
from models import auth

router = APIRouter(prefix="/auth", tags=["auth"], route_class=IdempotentRoute)


@router.post("/register", status_code=201)
async def register(body: Register, response: Response, runtime: CurrentRuntime, device: CurrentDevice) -> SignedIn:
    """Open an account and sign in."""
    # Argon2 takes its time: no transaction is open meanwhile.
    password_hash = await auth.hash_new_password(body.password.get_secret_value())
    async with runtime.db.transaction() as session:
        user = await auth.register(session, email=body.email, name=body.name, password_hash=password_hash)
        signed_in = await auth.sign_in(session, user, device, runtime.settings)
    return _answer(response, runtime, signed_in)


@router.post("/login")
async def login(body: Login, response: Response, runtime: CurrentRuntime, device: CurrentDevice) -> SignedIn:
    """Sign in."""
    async with runtime.db.transaction() as session:
        found = await auth.by_email(session, body.email)
    user = await auth.verify(found, body.password.get_secret_value())
    async with runtime.db.transaction() as session:
        signed_in = await auth.sign_in(session, user, device, runtime.settings)
    return _answer(response, runtime, signed_in)


@router.post("/refresh")
async def refresh(request: Request, response: Response, runtime: CurrentRuntime) -> SignedIn:
    """Exchange the refresh token in the cookie for a new pair."""
    token = cookies.refresh_token(request)
    if token is None:
        raise auth.SessionOver()
    async with runtime.db.transaction() as session:
        result = await auth.refresh(session, token, runtime.settings)
    if isinstance(result, auth.Replayed):
        await runtime.revoke(Revocation(session_id=result.session_id))
        raise auth.SessionOver()
    return _answer(response, runtime, result)


@router.post("/logout", status_code=204)
async def logout(request: Request, response: Response, runtime: CurrentRuntime) -> None:
    """End the session of the cookies or of the bearer token. Never fails."""
    await _end_session(request, runtime)
    cookies.clear(response, runtime.settings)


@router.get("/me")
async def me(session: Session, actor: CurrentActor) -> UserRead:
    """Who is signed in."""
    return UserRead.model_validate(await auth.account(session, actor))


@router.get("/sessions")
async def sessions(session: Session, actor: CurrentActor) -> Sessions:
    """Where one is signed in."""
    found = [SessionRead.model_validate(item) for item in await auth.sessions(session, actor)]
    for item in found:
        item.current = item.id == actor.session_id
    return Sessions(items=found)


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke(session_id: UUID, session: Session, actor: CurrentActor, revoked: Revoked) -> None:
    """Sign out somewhere else."""
    await auth.revoke(session, actor, session_id)
    revoked(Revocation(session_id=session_id))


@router.delete("/sessions", status_code=204)
async def revoke_others(session: Session, actor: CurrentActor, revoked: Revoked) -> None:
    """Sign out everywhere else."""
    for item in await auth.sessions(session, actor):
        if item.id != actor.session_id:
            await auth.revoke(session, actor, item.id)
            revoked(Revocation(session_id=item.id))


async def _end_session(request: Request, runtime: Runtime) -> None:
    bearer = request.headers.get("authorization", "").partition(" ")[2]
    ended: set[UUID | None] = set()
    async with runtime.db.transaction() as session:
        if refresh_token := cookies.refresh_token(request):
            ended.add(await auth.sign_out(session, refresh_token))
        for token in filter(None, (bearer, cookies.access_token(request))):
            ended.add(await auth.sign_out_access(session, runtime.signer, token))
    for session_id in ended - {None}:
        await runtime.revoke(Revocation(session_id=session_id))


def _answer(response: Response, runtime: Runtime, signed_in: auth.SignIn) -> SignedIn:
    access = auth.access_token(runtime.signer, signed_in, runtime.settings)
    cookies.store(response, runtime.settings, access=access, refresh=signed_in.refresh_token)
    return SignedIn(
        user=UserRead.model_validate(signed_in.user),
        access_token=access,
        expires_in=runtime.settings.access_token_seconds,
    )
