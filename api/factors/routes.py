"""`/auth/totp`, `/auth/recovery-codes`, `/auth/reauthenticate`, `/auth/methods`."""

from api.auth.deps import Person
from api.deps import CurrentActor, CurrentRuntime, Session
from api.factors.schemas import (
    Methods,
    PasskeyQuestion,
    PasskeyRead,
    Reauthenticate,
    Reauthenticated,
    RecoveryCodes,
    TotpConfirm,
    TotpEnrolment,
)
from api.federation.schemas import IdentityRead
from api.routing import v1
from models import auth, factors, federation

router = v1("/auth", tags=["factors"])


@router.get("/methods")
async def methods(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> Methods:
    """How one can sign in."""
    ways = await factors.ways.of(session, actor.user_id, runtime.settings)
    passkeys = [PasskeyRead.model_validate(item) for item in await factors.passkeys.mine(session, actor)]
    return Methods(
        password=ways.password,
        totp=ways.totp,
        recovery_codes=ways.recovery_codes,
        passkeys=passkeys,
        identities=[IdentityRead.model_validate(item) for item in await federation.identities.mine(session, actor)],
    )


@router.post("/reauthenticate/options")
async def ask_for_passkey(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> PasskeyQuestion:
    """What to ask a passkey that is to prove that it is still you."""
    return PasskeyQuestion.model_validate(await factors.reauthenticating.ask(session, actor, runtime.settings))


@router.post("/reauthenticate")
async def reauthenticate(body: Reauthenticate, actor: Person, runtime: CurrentRuntime) -> Reauthenticated:
    """Prove that it is still you: with a passkey, or the password and a second factor where there is one.

    Changes to the ways of signing in ask for it.
    """
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        account = await auth.account(session, actor)
        tried = await factors.reauthenticating.attempt(session, actor, body.proof(), runtime.settings)
    if body.password is not None:  # Argon2 takes its time: no transaction is open meanwhile
        try:
            await auth.verify(account, body.password.get_secret_value())
        except auth.WrongCredentials:
            async with runtime.db.transaction(user_id=actor.user_id) as session:
                await factors.proofs.refuse(session, actor.user_id, first="password")
            raise
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        proved = await factors.reauthenticating.complete(session, tried, runtime.settings)
    if not proved:
        raise factors.WrongFactor()
    return Reauthenticated(expires_in=factors.reauthentication.SECONDS)


@router.post("/totp", status_code=201)
async def enrol(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> TotpEnrolment:
    """A secret for an authenticator app; it counts once confirmed. Needs `POST /auth/reauthenticate` before."""
    return TotpEnrolment.model_validate(await factors.totp.enrol(session, actor, runtime.settings))


@router.post("/totp/confirm")
async def confirm(body: TotpConfirm, session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> RecoveryCodes:
    """Show that the app has the secret; recovery codes come with the account's first second factor."""
    return RecoveryCodes(recovery_codes=await factors.totp.confirm(session, actor, body.code, runtime.settings))


@router.delete("/totp", status_code=204)
async def disable(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> None:
    """Ask for the app no more. Needs `POST /auth/reauthenticate` before."""
    await factors.totp.disable(session, actor, runtime.settings)


@router.post("/recovery-codes", status_code=201)
async def regenerate(session: Session, actor: CurrentActor, runtime: CurrentRuntime) -> RecoveryCodes:
    """Ten new codes; the former ones are void. Needs `POST /auth/reauthenticate` before."""
    return RecoveryCodes(recovery_codes=await factors.recovery.regenerate(session, actor, runtime.settings))
