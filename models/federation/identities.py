"""Whose account an identity at a provider is, and what happens when it is nobody's yet.

An identity is issuer and subject; an address is what it had when it was linked, and decides nothing
afterwards. It is linked in two ways only:
- somebody who is signed in, and has just proved that it is them, comes back from the provider;
- nobody has an account with the address, and the provider vouches for it: an account is opened.
Never because the addresses are the same: then a provider, or whoever once had the address there, could
take over an account with a password. Who has one signs in to it and links it.
"""

from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from infra import clock
from infra.oidc import Person
from infra.settings import OidcProvider, Settings
from infra.tokens import Signer
from models import audit, auth, factors
from models.audit import AccountAct
from models.auth import Actor, AuthSession, Device, SignIn, User
from models.factors import SecondFactorNeeded, notices, reauthentication, ways
from models.federation.errands import Returned
from models.federation.errors import EmailUnverified, ErrandForeign, IdentityMissing, IdentityTaken, SignInToLink
from models.federation.tables import FederatedIdentity

FRESH_SECONDS = 5 * 60
"""How long ago a provider may have asked somebody who they are, for a sign-in that asked for it."""


async def sign_in(
    session: AsyncSession, provider: OidcProvider, person: Person, device: Device, settings: Settings, signer: Signer
) -> SignIn | SecondFactorNeeded:
    """Sign in whoever an identity belongs to, or open an account for it.

    A second factor is asked for as after a password: the identity stands in for nothing else. Where the
    provider says that it asked them just now who they are, or the account is new, that is proof enough to
    change how they sign in: a provider that remembers a browser may have asked nothing.

    Raises:
        EmailUnverified: it is unknown here, and the provider does not vouch for its address.
        SignInToLink: somebody has an account with the address.
    """
    identity = await _known(session, provider, person)
    fresh = identity is None or _asked_lately(person)
    if identity is not None:
        user = await session.get_one(User, identity.user_id)
        identity.last_used_at = clock.now()
    else:
        user = await _open_account(session, person)
        await _link(session, user, provider, person)
    first = f"oidc:{provider.id}"
    return await factors.signing_in.begin(session, user, device, settings, signer, first=first, fresh=fresh)


async def link(session: AsyncSession, provider: OidcProvider, person: Person, errand: Returned) -> FederatedIdentity:
    """Link an identity with the account that the errand was begun for; its session has to be open still.

    Raises:
        ErrandForeign: it is over.
        IdentityTaken: the identity is linked already.
    """
    open_session = await session.get(AuthSession, errand.session_id) if errand.session_id else None
    if open_session is None or open_session.revoked_at is not None or open_session.expires_at < clock.now():
        raise ErrandForeign()
    user = await session.get_one(User, open_session.user_id)
    if await _known(session, provider, person) is not None:
        raise IdentityTaken()
    return await _link(session, user, provider, person)


async def unlink(session: AsyncSession, actor: Actor, identity_id: UUID, settings: Settings) -> None:
    """Let an identity sign in no more.

    Raises:
        ReauthenticationNeeded: the session has not proved lately whose it is.
        IdentityMissing: there is none such.
        LastWay: there is no other way to sign in.
    """
    await reauthentication.demand(session, actor)
    await ways.lock(session, actor.user_id)
    query = select(FederatedIdentity).where(
        FederatedIdentity.id == identity_id, FederatedIdentity.user_id == actor.user_id
    )
    identity: FederatedIdentity | None = (await session.execute(query)).scalar_one_or_none()
    if identity is None:
        raise IdentityMissing()
    if identity.issuer in {provider.issuer for provider in settings.oidc_providers}:
        await ways.give_up_one(session, actor.user_id, settings)
    await session.delete(identity)
    await session.flush()
    await notices.tell(session, actor.user_id, f"{identity.provider} does not sign you in any more")
    details = {"provider": identity.provider, "identity_id": str(identity_id)}
    await audit.record_account(session, actor.user_id, AccountAct.IDENTITY_UNLINKED, **details)


async def mine(session: AsyncSession, actor: Actor) -> list[FederatedIdentity]:
    """One's own, oldest first."""
    query = select(FederatedIdentity).where(FederatedIdentity.user_id == actor.user_id)
    return list(await session.scalars(query.order_by(col(FederatedIdentity.id))))


async def _known(session: AsyncSession, provider: OidcProvider, person: Person) -> FederatedIdentity | None:
    query = select(FederatedIdentity).where(
        FederatedIdentity.issuer == provider.issuer, FederatedIdentity.subject == person.subject
    )
    found: FederatedIdentity | None = (await session.execute(query)).scalar_one_or_none()
    return found


def _asked_lately(person: Person) -> bool:
    return person.asked_at is not None and abs(clock.now().timestamp() - person.asked_at) < FRESH_SECONDS


async def _open_account(session: AsyncSession, person: Person) -> User:
    email = _address(person)
    if await auth.by_email(session, email) is not None:
        raise SignInToLink()
    name = (person.name or email.partition("@")[0]).strip()[:200]
    user = await auth.register(session, email=email, name=name, password_hash=None)
    user.email_verified_at = clock.now()
    return user


def _address(person: Person) -> str:
    if person.email is None or not person.email_verified:
        raise EmailUnverified()
    try:
        return validate_email(person.email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise EmailUnverified() from error


async def _link(session: AsyncSession, user: User, provider: OidcProvider, person: Person) -> FederatedIdentity:
    identity = FederatedIdentity(
        user_id=user.id,
        provider=provider.id,
        issuer=provider.issuer,
        subject=person.subject,
        email=person.email or "",
        last_used_at=clock.now(),
    )
    session.add(identity)
    await session.flush()
    await notices.tell(session, user.id, f"An account at {provider.name} signs you in from now on")
    details = {"provider": provider.id, "identity_id": str(identity.id)}
    await audit.record_account(session, user.id, AccountAct.IDENTITY_LINKED, **details)
    return identity
