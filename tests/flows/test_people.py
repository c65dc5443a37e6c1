"""Personal data: handed out whole, and forgotten for good."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from flows.runtime import Runtime
from infra import clock, origin
from infra.db import Database
from models import auth, outbox, people
from models.audit import AccountEvent
from models.auth import Actor, Device, TokenScope, User
from models.errors import Forbidden
from models.mail import Mail
from models.people import Erasure, PersonalExport
from tests.flows.desk import Desk, dispatching, new_desk, port_of, settled, snapshotted, storing_at, until
from tests.flows.test_exports import paragraph
from tests.flows.valve import Valve

IP, HASH = "203.0.113.77", "the-hash-of-a-password"


async def lived(desk: Desk, *, ip: str = IP, password_hash: str = HASH) -> tuple[UUID, str]:
    """Somebody who has used the place: a document of their own, and an address."""
    origin.set_origin(origin.Origin("request", ip, "Mozilla/5.0 Firefox/128.0"))
    document_id = await desk.document("My plans & dreams")
    await desk.write(document_id, paragraph("To the moon."))
    async with desk.worker.db.transaction() as session:
        user = await session.get(User, desk.actor.user_id)
        assert user is not None
        user.password_hash = password_hash
    async with desk.worker.db.transaction(user_id=user.id) as session:
        await auth.sign_in(session, user, Device("Mozilla/5.0 Firefox/128.0", ip), desk.worker.settings)
        scopes, lifetime = [TokenScope.READ], timedelta(days=1)
        await auth.create_token(session, desk.actor, name="CI", scopes=scopes, lifetime=lifetime)
    origin.set_origin(origin.Origin())
    return document_id, user.email


async def test_everything_about_somebody_is_in_one_zip(worker: Runtime, desk: Desk) -> None:
    document_id, email = await lived(desk)
    other = await new_desk(worker)
    await other.document("Somebody else's")
    async with worker.db.transaction(user_id=desk.actor.user_id) as session:
        export = await people.request_export(session, desk.actor)
        assert (await people.request_export(session, desk.actor)).id == export.id, "one at a time"
    async with dispatching(worker):

        async def made() -> bool:
            async with worker.db.transaction() as session:
                found = await people.find_export(session, export.id)
                return found is not None and found.state == "succeeded"

        await until(made, 60)
    data = await worker.store.get(people.object_key(export))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        known = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
        (markdown,) = [name for name in names if name.startswith("documents/")]
        assert markdown == f"documents/My-plans-dreams-{document_id}.md"
        assert archive.read(markdown).decode().strip() == "To the moon."
    assert known["profile.json"]["email"] == email
    assert [session["ip"] for session in known["data/auth_sessions.json"] if session["kind"] == "browser"] == [IP]
    assert [token["name"] for token in known["data/personal_access_tokens.json"]] == ["CI"]
    assert "account.signed_in" in {event["action"] for event in known["data/account_events.json"]}
    assert [membership["org_id"] for membership in known["memberships.json"]] == [str(desk.org_id)]
    assert [(edit["document_id"], edit["edits"]) for edit in known["edits.json"]] == [(str(document_id), 1)]
    everything = json.dumps(known)
    for secret in (HASH, '"hash"', "sealed", "Somebody else", str(other.actor.user_id)):
        assert secret not in everything
    await _expire(worker, export.id)
    assert not await worker.store.exists(people.object_key(export))


async def test_a_store_that_is_down_is_no_reason_to_give_up(worker: Runtime, desk: Desk) -> None:
    await snapshotted(desk)
    async with Valve(port_of(worker.settings.s3_endpoint)) as valve:
        await valve.close()
        async with worker.db.transaction(user_id=desk.actor.user_id) as session:
            export = await people.request_export(session, desk.actor)

        async def is_put_off() -> bool:
            async with worker.db.transaction() as session:
                query = text("SELECT error FROM outbox WHERE subject_id = :id")
                return "StateUnavailable" in str(await session.scalar(query, {"id": export.id}))

        async def is_made() -> bool:
            async with worker.db.transaction() as session:
                found = await people.find_export(session, export.id)
                return found is not None and found.state == "succeeded"

        async with dispatching(storing_at(worker, valve.port)):
            await until(is_put_off)
            await valve.open()
            await until(is_made, 60)


async def _expire(worker: Runtime, export_id: UUID) -> None:
    async with worker.db.transaction() as session:
        due = text("UPDATE outbox SET due_at = now() WHERE kind = :kind AND subject_id = :id")
        await session.execute(due, {"kind": outbox.PERSONAL_EXPORT_EXPIRED, "id": export_id})
    async with dispatching(worker):
        await settled(worker, [export_id])
    async with worker.db.transaction() as session:
        found = await people.find_export(session, export_id)
        assert found is not None
        assert found.state == "expired"


async def leave(desk: Desk, **changes: Any) -> None:
    settings = desk.worker.settings.model_copy(update={"deletion_grace_seconds": 0.0, **changes})
    async with desk.worker.db.transaction(user_id=desk.actor.user_id) as session:
        await people.request_deletion(session, settings, desk.actor)


async def join(desk: Desk, other: Desk, role: str) -> None:
    """Make somebody a member elsewhere."""
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        query = text("INSERT INTO memberships (org_id, user_id, role, created_at) VALUES (:org, :user, :role, now())")
        await session.execute(query, {"org": desk.org_id, "user": other.actor.user_id, "role": role})


async def test_whoever_is_erased_leaves_no_trace_but_an_id(worker: Runtime, desk: Desk) -> None:
    traces = {"ip": "203.0.113.99", "password_hash": "the-hash-of-another-password"}
    _, email = await lived(desk, **traces)
    friend = await new_desk(worker)
    await join(friend, desk, "member")
    shared = await friend.document("Shared")
    guest = replace(desk, org_id=friend.org_id)
    await guest.write(shared, paragraph("We wrote this."))
    async with worker.db.transaction(user_id=desk.actor.user_id) as session:
        export = await people.request_export(session, desk.actor)
    await worker.store.put(people.object_key(export), b"zip")
    await leave(desk)
    async with dispatching(worker):
        await settled(worker, [desk.actor.user_id], 60)
    owner = Database(worker.settings.database_url.get_secret_value(), pool_size=1)
    async with owner.transaction() as session:
        left = await _mentions(session, email, *traces.values())
        user = await session.get(User, desk.actor.user_id)
        erasure = await session.get(Erasure, desk.actor.user_id)
        orgs = await session.scalar(text("SELECT deleted_at FROM organizations WHERE id = :id"), {"id": desk.org_id})
        written = text("SELECT count(*) FROM document_updates WHERE actor_id = :id")
        assert await session.scalar(written, {"id": desk.actor.user_id}) == 2, "what they wrote is there"
    await owner.close()
    assert left == []
    assert user is not None
    assert erasure is not None
    assert (user.name, user.password_hash, user.email) == ("Deleted user", None, f"{user.id}@erased.invalid")
    assert user.erased_at is not None
    assert orgs is not None, "nobody else belonged to it"
    report = erasure.report
    assert report["deleted"]["auth_sessions.user_id"] == 2
    assert report["deleted"]["memberships.user_id"] == 2
    assert report["pseudonymous"]["document_updates.actor_id"] == 2
    assert report["pseudonymous"]["documents.created_by"] == 1
    assert report["organizations_deleted"] == 1
    assert not await worker.store.exists(people.object_key(export))


@pytest.mark.parametrize("found_out", ["afterwards", "by giving up", "by the next attempt"])
async def test_whoever_is_erased_while_their_export_is_made_leaves_none(
    worker: Runtime, desk: Desk, monkeypatch: pytest.MonkeyPatch, found_out: str
) -> None:
    """Whether this attempt has stored it, or one before that died."""
    await snapshotted(desk)
    async with worker.db.transaction(user_id=desk.actor.user_id) as session:
        export = await people.request_export(session, desk.actor)
    collect = people.archive

    async def forget() -> None:
        async with worker.db.transaction() as session:
            await session.delete(await session.get_one(PersonalExport, export.id))

    async def collect_and_forget(*about: Any) -> int:
        documents = await collect(*about)
        await forget()
        if found_out == "by giving up":
            raise Forbidden("no trying helps")
        return documents

    if found_out != "afterwards":
        await worker.store.put(people.object_key(export), b"zip")
    if found_out == "by the next attempt":
        await forget()
    monkeypatch.setattr(people, "archive", collect_and_forget)
    async with dispatching(worker):
        await settled(worker, [export.id], 60)
    assert not await worker.store.exists(people.object_key(export))


async def _mentions(session: Any, *words: str) -> list[str]:
    """Every table that still holds one of the words anywhere."""
    tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    found = []
    for table in tables:
        for word in words:
            query = text(f"SELECT count(*) FROM {table} AS t WHERE t::text ILIKE '%' || :word || '%'")
            if await session.scalar(query, {"word": word}):
                found.append(f"{table}: {word}")
    return found


async def test_signing_in_within_the_grace_keeps_the_account(worker: Runtime, desk: Desk) -> None:
    await leave(desk, deletion_grace_seconds=3600.0)
    async with worker.db.transaction() as session:
        user = await session.get(User, desk.actor.user_id)
        assert user is not None
        assert user.deletion_due_at is not None
    async with worker.db.transaction() as session:
        await auth.sign_in(session, user, Device(), worker.settings)
    async with worker.db.transaction() as session:
        due = text("UPDATE outbox SET due_at = now() WHERE subject_id = :id")
        await session.execute(due, {"id": user.id})
    async with dispatching(worker):
        await settled(worker, [user.id], 60)
    async with worker.db.transaction() as session:
        kept = await session.get(User, user.id)
        assert kept is not None
        assert (kept.deletion_due_at, kept.erased_at, kept.email) == (None, None, user.email)
        events = select(AccountEvent.action).where(col(AccountEvent.user_id) == user.id)
        acts = set(await session.scalars(events))
        assert {"account.deletion_requested", "account.deletion_withdrawn"} <= acts
        assert await session.scalar(select(Mail).where(col(Mail.recipient) == user.email)) is not None


async def test_nobody_is_left_without_an_owner(worker: Runtime, desk: Desk) -> None:
    friend = await new_desk(worker)
    await join(desk, friend, "member")
    with pytest.raises(people.OwnsAlone, match="Analytical Engines"):
        await leave(desk)
    async with worker.db.transaction() as session:
        user = await session.get(User, desk.actor.user_id)
        assert user is not None
        assert user.deletion_due_at is None


async def test_whoever_became_the_only_owner_meanwhile_is_not_erased_yet(worker: Runtime, desk: Desk) -> None:
    friend = await new_desk(worker)
    await join(desk, friend, "owner")
    await leave(desk)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        demote = text("UPDATE memberships SET role = 'member' WHERE org_id = :org AND user_id = :user")
        await session.execute(demote, {"org": desk.org_id, "user": friend.actor.user_id})
    async with dispatching(worker):

        async def postponed() -> bool:
            async with worker.db.transaction() as session:
                user = await session.get(User, desk.actor.user_id)
                return user is not None and (user.deletion_due_at or clock.now()) > clock.now() + timedelta(hours=23)

        await until(postponed, 60)
    async with worker.db.transaction() as session:
        user = await session.get(User, desk.actor.user_id)
        assert user is not None
        assert user.erased_at is None


async def test_an_actor_of_an_erased_account_is_nobody(worker: Runtime, desk: Desk) -> None:
    await leave(desk)
    async with dispatching(worker):
        await settled(worker, [desk.actor.user_id], 60)
    async with worker.db.transaction() as session:
        assert await auth.by_email(session, "Deleted user") is None
        user = await auth.account(session, Actor(desk.actor.user_id, None, ""))
    with pytest.raises(auth.WrongCredentials):
        await auth.verify(user, HASH)
