"""What operators do, without Prefect.

They see every organization: through the role that owns the tables, which row-level security lets
past only as a superuser or with BYPASSRLS, they find whose a document is, and work there.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from infra import clock
from infra.bus import Bus, Revocation
from infra.db import Database
from infra.settings import get_settings
from infra.storage import ObjectStore
from models import auth, backups, documents, factors, orgs, outbox, revisions
from models.auth import Rotation, User
from models.backups import Backup, Drill, OrganizationBackup
from models.backups import organizations as org_backups
from models.documents import DocumentGone, quarantine
from models.documents.tables import QuarantinedUpdate
from models.orgs import Organization, OrgNotFound
from models.revisions import Finding

if TYPE_CHECKING:
    from prefect import Flow

_ORG = text("SELECT org_id FROM documents WHERE id = :id").bindparams(bindparam("id", type_=Uuid))


class NoSuchUser(LookupError):
    """There is no account with that address."""


async def create_user(email: str, *, name: str, password: str, is_operator: bool) -> User:
    """A new account.

    Raises:
        EmailTaken: the address has one.
        WeakPassword: the password is none.
    """
    password_hash = await auth.hash_new_password(password)
    async with _owner() as db, db.transaction() as session:
        user = await auth.register(session, email=email, name=name, password_hash=password_hash)
        user.is_operator = is_operator
        user.email_verified_at = clock.now()  # whoever operates a deployment knows whom they mean
        return user


async def promote(email: str) -> User:
    """Make somebody an operator.

    Raises:
        NoSuchUser: there is no such account.
    """
    async with _owner() as db, db.transaction() as session:
        user = await _account(session, email)
        user.is_operator = True
        return user


async def usage(org_id: UUID) -> documents.Usage:
    """What an organization has, and may have.

    Raises:
        OrgNotFound: there is none such.
    """
    async with _owner() as db, db.transaction(org_ids=[org_id]) as session:
        if await session.get(Organization, org_id) is None:
            raise OrgNotFound()
        return await documents.count(session, org_id)


async def set_quota(org_id: UUID, **given: int | None) -> None:
    """Set what an organization may have at most; see `orgs.set_quota`."""
    async with _owner() as db, db.transaction(org_ids=[org_id]) as session:
        await orgs.set_quota(session, org_id, **given)


async def reset_factors(email: str) -> User:
    """Take every second factor and passkey from an account whose owner lost theirs, and end its sessions.

    Raises:
        NoSuchUser: there is no such account.
    """
    async with _owner() as db, db.transaction() as session:
        user = await _account(session, email)
        await factors.resetting.reset(session, user.id)
        await auth.revoke_all(session, user.id)
    bus = Bus(get_settings().redis_url.get_secret_value())
    await bus.revoke(Revocation(user_id=user.id))
    await bus.close()
    return user


async def verify(document_id: UUID) -> list[Finding]:
    """What checking a document finds.

    Raises:
        DocumentGone: there is no such document.
    """
    store = ObjectStore(get_settings())
    try:
        async with _owner() as db:
            org_id = await _org_of(db, document_id)
            async with db.transaction(org_ids=[org_id]) as session:
                return await revisions.verify(session, store, document_id)
    finally:
        await store.close()


async def rebuild(document_id: UUID) -> None:
    """Make a document due now, to be folded again even where nothing has changed.

    Raises:
        DocumentGone: there is no such document.
    """
    async with _owner() as db:
        org_id = await _org_of(db, document_id)
        async with db.transaction(org_ids=[org_id]) as session:
            subjects = [(org_id, document_id)]
            await outbox.emit(session, outbox.DOCUMENT_CHANGED, subjects, payload={"replay_of": "operator"})


async def quarantined(document_id: UUID | None, *, limit: int) -> Sequence[QuarantinedUpdate]:
    """The newest updates that were put aside, of a document or of all.

    Raises:
        DocumentGone: there is no such document.
    """
    async with _owner() as db:
        org_ids = [await _org_of(db, document_id)] if document_id else []
        async with db.transaction(org_ids=org_ids) as session:
            return await quarantine.newest(session, document_id, limit=limit)


async def quarantined_update(update_id: UUID) -> QuarantinedUpdate:
    """One update that was put aside.

    Raises:
        NotQuarantined: there is none such.
    """
    async with _owner() as db, db.transaction() as session:
        return await quarantine.read(session, update_id)


async def suspend_org(org_id: UUID, *, suspended: bool) -> Organization:
    """Close an organization to everybody, open sockets included, or open it again.

    Raises:
        OrgNotFound: there is none such.
    """
    bus = Bus(get_settings().redis_url.get_secret_value())
    try:
        async with _owner() as db, db.transaction(org_ids=[org_id]) as session:
            organization = await orgs.suspend_all(session, org_id, suspended=suspended)
        await bus.revoke(Revocation(org_id=org_id))
    finally:
        await bus.close()
    return organization


async def rotate_keys(*, after: timedelta, compromised: bool) -> Rotation:
    """Sign tokens with a new key, after a while or at once."""
    async with _owner() as db, db.transaction() as session:
        return await auth.rotate_keys(session, get_settings(), after=after, compromised=compromised)


async def back_up(*, base: bool = False) -> Backup:
    """Make a dump (or a base backup) now, as a flow run where Prefect is there; what became of it."""
    from flows.backups import nightly_backup
    from flows.bases import base_backup

    if base:
        await _run("base backup by hand", base_backup.with_options(retries=0), {"force": True}, "kind:backup")
    else:
        await _run("backup by hand", nightly_backup.with_options(retries=0), {}, "kind:backup")
    return (await newest_backups())[0]


async def back_up_org(org_id: UUID) -> OrganizationBackup:
    """Back one organization up now, as a flow run where Prefect is there; what became of it.

    Raises:
        OrgNotFound: there is none such.
    """
    from flows.shelving import back_up_one

    async with _owner() as db, db.transaction() as session:
        if await session.get(Organization, org_id) is None:
            raise OrgNotFound()
    await _run("back up organization by hand", back_up_one, {"org_id": org_id}, "kind:backup", f"org:{org_id}")
    return (await newest_org_backups(org_id, limit=1))[0]


async def newest_org_backups(org_id: UUID, *, limit: int = 20) -> list[OrganizationBackup]:
    """The newest first."""
    async with _owner() as db, db.transaction(org_ids=[org_id]) as session:
        return await org_backups.newest(session, org_id, limit=limit)


async def drill() -> Drill:
    """Carry out a restore drill now, as a flow run where Prefect is there; what it showed."""
    from flows.drills import restore_drill

    await _run("drill by hand", restore_drill, {}, "kind:drill")
    return (await newest_drills())[0]


async def newest_drills() -> list[Drill]:
    """The newest first."""
    async with _owner() as db, db.transaction() as session:
        return await backups.newest_drills(session)


async def restore(
    source: UUID | datetime | None,
    *,
    org_id: UUID | None = None,
    document_id: UUID | None = None,
    as_new: bool = False,
) -> list[str]:
    """Make a document, or an organization, what it was in a backup; see `recovering.restore`."""
    from flows import recovering, runtime

    async with runtime.opened_with(get_settings()) as worker:
        return await recovering.restore(worker, source, org_id=org_id, document_id=document_id, as_new=as_new)


async def newest_backups() -> list[Backup]:
    """The newest first."""
    async with _owner() as db, db.transaction() as session:
        return await backups.newest(session)


async def _run(name: str, flow: "Flow[..., Any]", parameters: dict[str, Any], *tags: str) -> None:
    from flows import recording, runtime

    async with runtime.opened_with(get_settings()) as worker, recording.opened(worker.settings) as recorder:
        with runtime.use(worker):
            await recorder.run(flow.with_options(flow_run_name=name), parameters, name=name, tags=tags)


async def _org_of(db: Database, document_id: UUID) -> UUID:
    async with db.transaction() as session:
        org_id: UUID | None = await session.scalar(_ORG, {"id": document_id})
    if org_id is None:
        raise DocumentGone([document_id])
    return org_id


@asynccontextmanager
async def _owner() -> AsyncIterator[Database]:
    db = Database(get_settings().database_url.get_secret_value(), pool_size=1)
    try:
        yield db
    finally:
        await db.close()


async def _account(session: AsyncSession, email: str) -> User:
    user = await auth.by_email(session, email)
    if user is None:
        raise NoSuchUser(f"nobody has the address {email}")
    return user
