"""`/auth/login`: signing in with a password, and with a second factor where the account has one."""

from uuid import UUID

from fastapi import Request, Response

from api import afterwards
from api.auth import answers
from api.auth.schemas import Login, SignedIn
from api.deps import CurrentDevice, CurrentRuntime
from api.factors.schemas import (
    CompleteLogin,
    LoginToken,
    PasskeyQuestion,
    SecondFactorChallenge,
    SecondFactorRequired,
)
from api.routing import v1
from api.runtime import Runtime
from models import audit, auth, factors
from models.audit import AccountAct

router = v1("/auth/login", tags=["auth"])


@router.post("")
async def login(
    body: Login, request: Request, response: Response, runtime: CurrentRuntime, device: CurrentDevice
) -> SignedIn | SecondFactorRequired:
    """Sign in; where the account has a second factor, nobody is signed in yet and a token for the next step comes."""
    async with runtime.db.transaction() as session:
        found = await auth.by_email(session, body.email)
    try:
        user = await auth.verify(found, body.password.get_secret_value())
    except auth.WrongCredentials:
        if found is not None:
            afterwards.do(_note_failure(runtime, found.id))
        raise
    async with runtime.db.transaction() as session:
        begun = await factors.signing_in.begin(
            session, user, device, runtime.settings, runtime.signer, first="password"
        )
    if isinstance(begun, factors.SecondFactorNeeded):
        return SecondFactorRequired(second_factor=SecondFactorChallenge.model_validate(begun))
    return await answers.signed_in(request, response, runtime, begun)


@router.post("/second-factor/options")
async def ask_for_passkey(body: LoginToken, runtime: CurrentRuntime) -> PasskeyQuestion:
    """What to ask a passkey that is to be the second factor."""
    async with runtime.db.transaction() as session:
        question = await factors.signing_in.ask_passkey(session, runtime.signer, body.token, runtime.settings)
    return PasskeyQuestion.model_validate(question)


@router.post("/second-factor")
async def complete(
    body: CompleteLogin, request: Request, response: Response, runtime: CurrentRuntime, device: CurrentDevice
) -> SignedIn:
    """Sign in with the second factor. A token allows five tries."""
    proof = body.proof()
    async with runtime.db.transaction() as session:
        tried = await factors.signing_in.attempt(session, runtime.signer, body.token, proof)
    async with runtime.db.transaction() as session:
        signed_in = await factors.signing_in.complete(session, tried, proof, device, runtime.settings)
    if signed_in is None:
        raise factors.WrongFactor()
    return await answers.signed_in(request, response, runtime, signed_in)


async def _note_failure(runtime: Runtime, user_id: UUID) -> None:
    async with runtime.db.transaction() as session:
        await audit.record_account(session, user_id, AccountAct.SIGN_IN_FAILED, method="password")
