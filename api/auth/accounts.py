"""`/auth`: one's account: name, address and password."""

from api.auth.deps import Person
from api.auth.schemas import Address, Asked, EmailChange, PasswordChange, PasswordReset, Rename, Token, UserRead
from api.deps import CurrentActor, CurrentRuntime, Revoked, Session
from api.routing import v1
from api.runtime import Runtime
from infra.bus import Revocation
from models import auth
from models.auth import Actor, User, Wish

router = v1("/auth", tags=["auth"])

MAILED = Asked(detail="If there is such an account, it gets a mail.")


@router.get("/me")
async def me(session: Session, actor: CurrentActor) -> UserRead:
    """Who is signed in."""
    return UserRead.model_validate(await auth.account(session, actor))


@router.patch("/me")
async def rename(body: Rename, session: Session, actor: CurrentActor, revoked: Revoked) -> UserRead:
    """Be called something else."""
    user = await auth.rename(session, actor, name=body.name)
    revoked(Revocation(user_id=actor.user_id))
    return UserRead.model_validate(user)


@router.post("/verify-email", status_code=204)
async def verify_email(body: Token, runtime: CurrentRuntime) -> None:
    """Follow the link that was mailed: the address is the account's."""
    async with runtime.db.transaction() as session:
        user_id = await auth.verify_email(session, body.token.get_secret_value())
    await runtime.revoke(Revocation(user_id=user_id))


@router.post("/verify-email/resend", status_code=202)
async def resend(body: Address, runtime: CurrentRuntime) -> Asked:
    """Have the link mailed again."""
    return await _ask(runtime, Wish.VERIFY_EMAIL, body.email)


@router.post("/password", status_code=204)
async def change_password(body: PasswordChange, actor: Person, runtime: CurrentRuntime) -> None:
    """Change one's password; every other session ends."""
    user = await _confirmed(runtime, actor, body.old_password.get_secret_value())
    new = body.new_password.get_secret_value()
    password_hash = await auth.hash_new_password(new, email=user.email, name=user.name)
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        ended = await auth.change_password(session, actor, password_hash=password_hash)
    for session_id in ended:
        await runtime.revoke(Revocation(user_id=actor.user_id, session_id=session_id))


@router.post("/password/forgot", status_code=202)
async def forgot(body: Address, runtime: CurrentRuntime) -> Asked:
    """Have a link mailed that sets another password."""
    return await _ask(runtime, Wish.RESET_PASSWORD, body.email)


@router.post("/password/reset", status_code=204)
async def reset(body: PasswordReset, runtime: CurrentRuntime) -> None:
    """Follow the link that was mailed: set another password. Every session ends."""
    token = body.token.get_secret_value()
    async with runtime.db.transaction() as session:
        user = await auth.whose_reset(session, token)
    new = body.password.get_secret_value()
    password_hash = await auth.hash_new_password(new, email=user.email, name=user.name)
    async with runtime.db.transaction() as session:
        user_id = await auth.reset_password(session, token, password_hash=password_hash)
    await runtime.revoke(Revocation(user_id=user_id))


@router.post("/email", status_code=202)
async def ask_to_change_email(body: EmailChange, actor: Person, runtime: CurrentRuntime) -> Asked:
    """Ask for another address: it is changed once the link is followed that is mailed there."""
    await _confirmed(runtime, actor, body.password.get_secret_value())
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        await auth.ask_to_change_email(session, runtime.settings, actor, email=body.email)
    return Asked(detail="Follow the link in the mail to the new address.")


@router.post("/email/confirm", status_code=204)
async def change_email(body: Token, runtime: CurrentRuntime) -> None:
    """Follow the link that was mailed to the new address."""
    async with runtime.db.transaction() as session:
        user_id = await auth.change_email(session, body.token.get_secret_value())
    await runtime.revoke(Revocation(user_id=user_id))


async def _ask(runtime: Runtime, wish: Wish, email: str) -> Asked:
    """Nothing here depends on whether there is such an account."""
    async with runtime.db.transaction() as session:
        await auth.ask_for_link(session, runtime.settings, wish, email=email)
    return MAILED


async def _confirmed(runtime: Runtime, actor: Actor, password: str) -> User:
    """The account of somebody who knows its password."""
    async with runtime.db.transaction(user_id=actor.user_id) as session:
        user = await auth.account(session, actor)
    return await auth.verify(user, password)
