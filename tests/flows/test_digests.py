"""Notifications by mail: one digest for each person and day, and a link that ends them without signing in."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.settings import temporary_settings
from sqlalchemy import text
from sqlmodel import col, select

from flows import environment, runtime
from flows.digests import send_digests
from flows.runtime import Runtime
from infra import mail as infra_mail
from models import auth, digests, mail, notifications, orgs, outbox
from models.auth import Actor
from models.mail import Mail
from models.notifications import Kind, Mailing, preferences
from tests.conftest import Stack
from tests.flows.desk import Desk, dispatching, settled


@pytest.fixture
async def reader(desk: Desk) -> Actor:
    """Another member."""
    async with desk.worker.db.transaction() as session:
        user = await auth.register(session, email=f"{uuid4().hex}@example.org", name="Eve", password_hash="x")
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        session.add(orgs.Membership(org_id=desk.org_id, user_id=user.id, role="member"))
    return Actor(user.id, None, user.name, frozenset({desk.org_id}))


async def change(desk: Desk, reader: Actor, document_id: UUID | None = None) -> None:
    """Somebody changes a document of which the reader wants to hear."""
    document_id = document_id or await desk.document("Plan")
    async with desk.worker.db.transaction(org_ids=[desk.org_id]) as session:
        about = {"document_id": document_id, "actor_id": desk.actor.user_id}
        await notifications.tell(
            session, desk.org_id, [reader.user_id], Kind.DOCUMENT_CHANGED, f"test:{uuid4()}", **about
        )


async def prefer(desk: Desk, reader: Actor, mailing: Mailing, *, in_org: bool = False) -> None:
    async with desk.worker.db.transaction(user_id=reader.user_id, org_ids=[desk.org_id]) as session:
        if in_org:
            await preferences.prefer_in_org(session, await orgs.enter(session, reader, desk.org_id), mailing)
        else:
            await preferences.prefer(session, reader.user_id, mailing)


async def digest(worker: Runtime) -> None:
    with runtime.use(worker), temporary_settings(environment.api(worker.settings.prefect_ui_url)):
        await send_digests.with_options(retries=0)()


async def mailed(worker: Runtime, reader: Actor) -> list[infra_mail.Letter]:
    async with worker.db.transaction() as session:
        user = await auth.account(session, reader)
        query = select(Mail).where(col(Mail.recipient) == user.email).order_by(col(Mail.id))
        return [mail.letter(worker.settings, item) for item in await session.scalars(query) if item.sealed]


async def test_two_workers_send_one_digest_for_a_day(worker: Runtime, desk: Desk, reader: Actor) -> None:
    hidden = await desk.document("Hidden")
    await change(desk, reader)
    await change(desk, reader, hidden)
    async with worker.db.transaction(org_ids=[desk.org_id]) as session:
        await session.execute(text("UPDATE documents SET trashed_at = now() WHERE id = :id"), {"id": hidden})
    await asyncio.gather(digest(worker), digest(worker))
    await change(desk, reader)
    await digest(worker)  # a retry, the same day
    [letter] = await mailed(worker, reader)
    assert "Ada changed “Plan” (Analytical Engines)" in letter.text
    assert "Hidden" not in letter.text
    assert letter.unsubscribe is not None
    assert letter.unsubscribe in letter.text
    assert letter.unsubscribe in letter.html.replace("&amp;", "&")
    raw = infra_mail.compose(worker.settings, letter).as_bytes()
    assert f"\r\nList-Unsubscribe: <{letter.unsubscribe}>\r\n".encode() in raw, "in one line, not encoded"
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    async with worker.db.transaction() as session:  # the next day
        await session.execute(text("UPDATE digests SET day = day - 1 WHERE user_id = :id"), {"id": reader.user_id})
    await digest(worker)
    assert len(await mailed(worker, reader)) == 2


async def test_nobody_is_mailed_what_they_read_or_do_not_want(worker: Runtime, desk: Desk, reader: Actor) -> None:
    await change(desk, reader)
    async with worker.db.transaction(user_id=reader.user_id, org_ids=[desk.org_id]) as session:
        await notifications.mark_all_read(session, reader)
    await digest(worker)
    await change(desk, reader)
    await prefer(desk, reader, Mailing.OFF, in_org=True)
    await digest(worker)
    await prefer(desk, reader, Mailing.DAILY, in_org=True)
    await prefer(desk, reader, Mailing.OFF)
    await digest(worker)
    assert await mailed(worker, reader) == []
    await prefer(desk, reader, Mailing.DAILY)
    await digest(worker)
    assert len(await mailed(worker, reader)) == 1


async def test_who_wants_it_at_once_gets_one_mail_for_what_comes_together(
    worker: Runtime, desk: Desk, reader: Actor
) -> None:
    await prefer(desk, reader, Mailing.IMMEDIATE)
    await change(desk, reader)
    await change(desk, reader)
    await digest(worker)
    assert await mailed(worker, reader) == []
    async with worker.db.transaction() as session:
        await session.execute(
            text("UPDATE outbox SET due_at = now() WHERE kind = :kind"), {"kind": outbox.NOTIFICATION_TOLD}
        )
    async with dispatching(worker):
        await settled(worker, [reader.user_id])
    async with worker.db.transaction() as session:
        user = await auth.account(session, reader)
        queued = list(await session.scalars(select(Mail).where(col(Mail.recipient) == user.email)))
    assert [item.template for item in queued] == ["notifications"]


async def test_one_click_ends_the_mails_and_looking_does_not(stack: Stack) -> None:
    shared = stack.settings
    async with runtime.opened_with(shared) as worker:
        async with worker.db.transaction() as session:
            user = await auth.register(session, email=f"{uuid4().hex}@example.org", name="Eve", password_hash="x")

        async def set_to() -> Mailing:
            async with worker.db.transaction() as session:
                return await preferences.of(session, user.id)

        link = digests.link(shared, user.id)
        form: dict[str, Any] = {"data": {"List-Unsubscribe": "One-Click"}}
        async with httpx.AsyncClient() as client:
            shown = await client.get(link)
            assert shown.status_code == 200
            assert re.search(r'<form method="post">', shown.text)
            assert await set_to() is Mailing.DAILY
            forged = link[:-8] + "AAAAAAAA"
            assert (await client.get(forged)).status_code == 404
            assert (await client.post(forged, **form)).status_code == 404
            assert await set_to() is Mailing.DAILY
            for _ in range(2):
                assert (await client.post(link, **form)).status_code == 200
            assert await set_to() is Mailing.OFF
            signed_in = {"cookie": "doxie_access=x", "origin": shared.public_url, "sec-fetch-site": "same-origin"}
            assert (await client.post(link, headers=signed_in)).status_code == 200, "the button of the page"
