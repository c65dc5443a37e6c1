"""Accounts: opening one, and changing its address, its name and its password."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.mail import page
from infra.settings import Settings
from models import audit, mail
from models.audit import AccountAct
from models.auth import links, queries
from models.auth.identity import Actor, SessionOver
from models.auth.links import Purpose, Wish
from models.auth.sessions import revoke_all
from models.auth.tables import MailLink, User
from models.errors import Conflict


class EmailTaken(Conflict):
    """There is an account with this email address already."""


async def by_email(session: AsyncSession, email: str) -> User | None:
    """The account of an address."""
    return await queries.user_by_email(session, email)


async def account(session: AsyncSession, actor: Actor) -> User:
    """The account of somebody who is signed in."""
    user = await session.get(User, actor.user_id)
    if user is None:
        raise SessionOver()
    return user


async def register(session: AsyncSession, *, email: str, name: str, password_hash: str | None) -> User:
    """A new account. Its address is not verified yet.

    Raises:
        EmailTaken: the address has one already.
    """
    if await queries.user_by_email(session, email) is not None:
        raise EmailTaken()
    user = User(email=email, name=name, password_hash=password_hash)
    session.add(user)
    await session.flush()
    await audit.record_account(session, user.id, AccountAct.REGISTERED)
    return user


async def ask_to_verify(session: AsyncSession, settings: Settings, user: User) -> None:
    """Mail somebody the link that verifies their address."""
    await links.send(session, settings, user, Purpose.VERIFY_EMAIL, to=user.email)


async def answer(session: AsyncSession, settings: Settings, request_id: UUID) -> str:
    """Do what a wish for a link asks for, if there is reason to; what was done."""
    taken = await links.take(session, settings, request_id)
    if taken is None:
        return "answered already"
    wish, content = taken
    user = await queries.user_by_email(session, content["email"])
    match wish:
        case Wish.REGISTER:
            return await _answer_registration(session, settings, user, content)
        case Wish.VERIFY_EMAIL if user is not None and user.email_verified_at is None:
            await ask_to_verify(session, settings, user)
        case Wish.RESET_PASSWORD if user is not None:
            await queries.drop_links(session, user.id, Purpose.RESET_PASSWORD)
            await links.send(session, settings, user, Purpose.RESET_PASSWORD, to=user.email)
        case Wish.CHANGE_EMAIL:
            return await _answer_change(session, settings, user, content)
        case _:
            return "nothing to do"
    return "link sent"


async def _answer_registration(
    session: AsyncSession, settings: Settings, user: User | None, content: dict[str, str]
) -> str:
    if user is not None and user.email_verified_at is not None:
        await mail.send(
            session, to=user.email, template="account_exists", name=user.name, link=page(settings, "sign-in")
        )
        return "there is an account"
    known = {"name": content["name"], "password_hash": content["password_hash"]}
    if user is None:
        user = await register(session, email=content["email"], **known)
    # Each registration has its own link, which makes its own password the account's: whoever registers
    # a foreign address first gains nothing when its owner registers later and follows theirs.
    await links.send(session, settings, user, Purpose.VERIFY_EMAIL, to=user.email, **known)
    return "link sent"


async def _answer_change(session: AsyncSession, settings: Settings, taken: User | None, content: dict[str, str]) -> str:
    user = await session.get(User, UUID(content["user_id"]))
    if user is None:
        return "nobody asks any more"
    await mail.send(session, to=user.email, template="email_changing", name=user.name, new_email=content["email"])
    if taken is not None:
        return "there is an account with that address"
    await queries.drop_links(session, user.id, Purpose.CHANGE_EMAIL)
    await links.send(session, settings, user, Purpose.CHANGE_EMAIL, to=content["email"])
    return "link sent"


async def verify_email(session: AsyncSession, token: str) -> UUID:
    """An address is its account's: the link that was mailed there was followed; whose it is.

    The password of a registration takes effect with its own link; a session begun with another one ends.

    Raises:
        LinkOver: the link does not work.
    """
    user, link = await _redeemed(session, Purpose.VERIFY_EMAIL, token)
    if user.email.lower() != link.email.lower():
        raise links.LinkOver()
    if link.password_hash is not None and user.email_verified_at is None:
        if link.password_hash != user.password_hash:
            await queries.revoke_all(session, user.id)
        user.password_hash, user.name = link.password_hash, link.name or user.name
    user.email_verified_at = user.email_verified_at or clock.now()
    await queries.drop_links(session, user.id, Purpose.VERIFY_EMAIL)
    await audit.record_account(session, user.id, AccountAct.EMAIL_VERIFIED)
    return user.id


async def rename(session: AsyncSession, actor: Actor, *, name: str) -> User:
    """Be called something else."""
    user = await account(session, actor)
    user.name = name
    await session.flush()
    await audit.record_account(session, user.id, AccountAct.RENAMED)
    return user


async def change_password(session: AsyncSession, actor: Actor, *, password_hash: str) -> list[UUID]:
    """Set another password, after the old one was verified; the sessions that end: all but this one."""
    user = await account(session, actor)
    user.password_hash = password_hash
    await queries.drop_links(session, user.id)
    ended = await queries.revoke_all(session, user.id, but=actor.session_id)
    await mail.send(session, to=user.email, template="password_changed", name=user.name)
    await audit.record_account(session, user.id, AccountAct.PASSWORD_CHANGED, sessions=len(ended))
    return ended


async def whose_reset(session: AsyncSession, token: str) -> User:
    """Whose password a link sets that was mailed. It goes on working.

    Raises:
        LinkOver: it does not work.
    """
    link = await links.find(session, Purpose.RESET_PASSWORD, token)
    user = await session.get(User, link.user_id)
    if user is None:
        raise links.LinkOver()
    return user


async def reset_password(session: AsyncSession, token: str, *, password_hash: str) -> UUID:
    """Set a password by the link that was mailed to the account's address; whose it is. Every session ends.

    Raises:
        LinkOver: the link does not work.
    """
    user, link = await _redeemed(session, Purpose.RESET_PASSWORD, token)
    if user.email.lower() != link.email.lower():
        raise links.LinkOver()
    user.password_hash = password_hash
    user.email_verified_at = user.email_verified_at or clock.now()
    await queries.drop_links(session, user.id)
    await mail.send(session, to=user.email, template="password_changed", name=user.name)
    await audit.record_account(session, user.id, AccountAct.PASSWORD_RESET)
    await revoke_all(session, user.id)
    return user.id


async def ask_to_change_email(session: AsyncSession, settings: Settings, actor: Actor, *, email: str) -> None:
    """Ask for another address, after the password was verified: both addresses get a mail."""
    await links.ask(session, settings, Wish.CHANGE_EMAIL, email=email, user_id=str(actor.user_id))
    await audit.record_account(session, actor.user_id, AccountAct.EMAIL_CHANGE_REQUESTED)


async def change_email(session: AsyncSession, token: str) -> UUID:
    """The link that was mailed to the new address was followed: it is the account's; whose it is.

    Raises:
        LinkOver: the link does not work, or somebody else has the address by now.
    """
    user, link = await _redeemed(session, Purpose.CHANGE_EMAIL, token)
    if await queries.user_by_email(session, link.email) is not None:
        raise links.LinkOver()
    old, user.email, user.email_verified_at = user.email, link.email, clock.now()
    await queries.drop_links(session, user.id)
    await mail.send(session, to=old, template="email_changed", name=user.name, new_email=user.email)
    await audit.record_account(session, user.id, AccountAct.EMAIL_CHANGED)
    return user.id


async def _redeemed(session: AsyncSession, purpose: Purpose, token: str) -> tuple[User, MailLink]:
    link = await links.redeem(session, purpose, token)
    user = await session.get(User, link.user_id, with_for_update=True)
    if user is None:
        raise links.LinkOver()
    return user, link
