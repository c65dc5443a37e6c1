"""`/auth/passkeys`: registering, naming and removing passkeys, and signing in with nothing else."""

from uuid import UUID

from fastapi import Request, Response

from api.auth import answers
from api.auth.schemas import SignedIn
from api.deps import CurrentActor, CurrentDevice, CurrentRuntime, Session
from api.factors.schemas import (
    PasskeyAnswer,
    PasskeyQuestion,
    PasskeyRead,
    PasskeyRegister,
    PasskeyRegistered,
    PasskeyRename,
    Passkeys,
)
from api.routing import v1
from models import factors

router = v1("/auth/passkeys", tags=["factors"])


@router.get("")
async def passkeys(session: Session, actor: CurrentActor) -> Passkeys:
    """One's own passkeys."""
    return Passkeys(items=[PasskeyRead.model_validate(item) for item in await factors.passkeys.mine(session, actor)])


@router.post("/options")
async def ask_to_register(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> PasskeyQuestion:
    """What to ask an authenticator that is to make a passkey. Needs `POST /auth/reauthenticate` before."""
    question = await factors.passkeys.ask_to_register(session, actor, runtime.settings)
    return PasskeyQuestion.model_validate(question)


@router.post("", status_code=201)
async def register(
    body: PasskeyRegister, session: Session, actor: CurrentActor, runtime: CurrentRuntime
) -> PasskeyRegistered:
    """Register the passkey that the authenticator made."""
    passkey, codes = await factors.passkeys.register(
        session, actor, body.assertion(), name=body.name, settings=runtime.settings
    )
    return PasskeyRegistered(passkey=PasskeyRead.model_validate(passkey), recovery_codes=codes)


@router.patch("/{passkey_id}")
async def rename(passkey_id: UUID, body: PasskeyRename, session: Session, actor: CurrentActor) -> PasskeyRead:
    """Call a passkey something else."""
    return PasskeyRead.model_validate(await factors.passkeys.rename(session, actor, passkey_id, name=body.name))


@router.delete("/{passkey_id}", status_code=204)
async def remove(passkey_id: UUID, session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> None:
    """Forget a passkey. Needs `POST /auth/reauthenticate` before; the last way to sign in stays."""
    await factors.passkeys.remove(session, actor, passkey_id, runtime.settings)


@router.post("/sign-in/options")
async def ask_anybody(runtime: CurrentRuntime) -> PasskeyQuestion:
    """What to ask a passkey of whoever wants to sign in."""
    async with runtime.db.transaction() as session:
        question = await factors.signing_in.ask_anybody(session, runtime.settings)
    return PasskeyQuestion.model_validate(question)


@router.post("/sign-in")
async def sign_in(
    body: PasskeyAnswer, request: Request, response: Response, runtime: CurrentRuntime, device: CurrentDevice
) -> SignedIn:
    """Sign in with a passkey and nothing else: it has verified its user, so it is two factors."""
    async with runtime.db.transaction() as session:
        signed_in = await factors.signing_in.with_passkey(session, body.assertion(), device, runtime.settings)
    if signed_in is None:
        raise factors.WrongFactor()
    return await answers.signed_in(request, response, runtime, signed_in)
