"""`/auth`: registering, refreshing, signing out; `login` is signing in, `sessions` what came of it."""

from uuid import UUID

from fastapi import Request, Response

from api import cookies
from api.auth import answers
from api.auth.schemas import Asked, Register, SignedIn
from api.deps import CurrentDevice, CurrentRuntime
from api.routing import v1
from api.runtime import Runtime
from infra.bus import Revocation
from models import auth
from models.auth import Wish

router = v1("/auth", tags=["auth"])


@router.post("/register", status_code=201, responses={202: {"model": Asked}})
async def register(
    body: Register, request: Request, response: Response, runtime: CurrentRuntime, device: CurrentDevice
) -> SignedIn | Asked:
    """Open an account and sign in; where addresses have to be verified: ask for the link that opens it (202)."""
    # Argon2 takes its time: no transaction is open meanwhile.
    password = body.password.get_secret_value()
    password_hash = await auth.hash_new_password(password, email=body.email, name=body.name)
    async with runtime.db.transaction() as session:
        if runtime.settings.requires_verified_email:
            known = {"email": body.email, "name": body.name, "password_hash": password_hash}
            await auth.ask_for_link(session, runtime.settings, Wish.REGISTER, **known)
            response.status_code = 202
            return Asked(detail="Follow the link in the mail that you get.")
        user = await auth.register(session, email=body.email, name=body.name, password_hash=password_hash)
        await auth.ask_to_verify(session, runtime.settings, user)
        signed_in = await auth.sign_in(session, user, device, runtime.settings)
    return await answers.signed_in(request, response, runtime, signed_in)


@router.post("/refresh")
async def refresh(request: Request, response: Response, runtime: CurrentRuntime) -> SignedIn:
    """Exchange the refresh token in the cookie for a new pair."""
    token = cookies.refresh_token(request)
    if token is None:
        raise auth.SessionOver()
    async with runtime.db.transaction() as session:
        result = await auth.refresh(session, token, runtime.settings)
    if isinstance(result, auth.Replayed):
        await runtime.revoke(Revocation(user_id=result.user_id, session_id=result.session_id))
        raise auth.SessionOver()
    return await answers.signed_in(request, response, runtime, result)


@router.post("/logout", status_code=204)
async def logout(request: Request, response: Response, runtime: CurrentRuntime) -> None:
    """End the session of the cookies or of the bearer token. Never fails."""
    await _end_session(request, runtime)
    cookies.clear(response, runtime.settings)


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
