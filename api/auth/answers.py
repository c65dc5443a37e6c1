"""What every way to sign in ends with: cookies for browsers, a token for scripts."""

from fastapi import Request, Response

from api import cookies, devices
from api.auth.schemas import SignedIn, UserRead
from api.runtime import Runtime
from infra.bus import Revocation
from models import auth


async def signed_in(request: Request, response: Response, runtime: Runtime, sign_in: auth.SignIn) -> SignedIn:
    """The answer to somebody who is signed in now, after that was committed."""
    for session_id in sign_in.displaced:
        await runtime.revoke(Revocation(user_id=sign_in.user.id, session_id=session_id))
    access = auth.access_token(runtime.signer, sign_in, runtime.settings)
    cookies.store(response, runtime.settings, access=access, refresh=sign_in.refresh_token)
    devices.remember(request, response, runtime.settings, sign_in.user.email)
    return SignedIn(
        user=UserRead.model_validate(sign_in.user),
        access_token=access,
        expires_in=runtime.settings.access_token_seconds,
    )
