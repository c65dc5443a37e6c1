"""Mails: sent once, again when a server is not ready, and not for ever."""

from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from flows import retrying
from flows.runtime import Runtime
from models import mail
from models.mail import Mail
from tests.flows.desk import Desk, dispatching, ended, settled, until
from tests.smtp import post_office

LINK = "https://doxie.example/reset#token=very-secret"


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_SECONDS", 0.05)


async def queue(desk: Desk, to: str) -> UUID:
    async with desk.worker.db.transaction() as session:
        await mail.send(session, to=to, template="reset_password", name="Ann", link=LINK)
    async with desk.worker.db.transaction() as session:
        found = await session.scalar(select(Mail).where(col(Mail.recipient) == to))
        assert found is not None
        assert found.sealed is not None
        assert b"very-secret" not in found.sealed
        return UUID(str(found.id))


async def read(worker: Runtime, mail_id: UUID) -> Mail:
    async with worker.db.transaction() as session:
        found = await mail.find(session, mail_id)
        assert found is not None
        return found


async def test_a_mail_is_sent_once_and_then_forgotten(worker: Runtime, desk: Desk) -> None:
    async with post_office() as postman, dispatching(worker, smtp_url=SecretStr(postman.url)):
        mail_id = await queue(desk, "once@example.com")
        await settled(worker, [mail_id])
    (got,) = postman.got
    assert got["To"] == "once@example.com"
    assert str(mail_id) in got["Message-ID"]
    body = got.get_body(("plain",))
    assert body is not None
    assert LINK in body.get_content()
    row = await read(worker, mail_id)
    assert (row.state, row.attempts, row.sealed, row.error) == ("sent", 1, None, None)
    run = await ended(worker, row.flow_run_id)
    assert run.state_name == "Completed"
    assert "very-secret" not in str(run.parameters)


async def test_a_server_that_asks_to_wait_gets_it_later(worker: Runtime, desk: Desk) -> None:
    async with (
        post_office("451 greylisted", "421 busy") as postman,
        dispatching(worker, smtp_url=SecretStr(postman.url)),
    ):
        mail_id = await queue(desk, "later@example.com")
        await settled(worker, [mail_id])
    assert len(postman.got) == 1
    assert (await read(worker, mail_id)).attempts == 3


async def test_a_server_that_is_down_gets_it_once_it_is_back(worker: Runtime, desk: Desk) -> None:
    async with post_office() as gone:
        url = gone.url
    async with dispatching(worker, smtp_url=SecretStr(url)):
        mail_id = await queue(desk, "down@example.com")

        async def tried() -> bool:
            return (await read(worker, mail_id)).attempts >= 2

        await until(tried)
        async with post_office(port=int(url.rpartition(":")[2])) as postman:
            await settled(worker, [mail_id])
    assert len(postman.got) == 1
    assert (await read(worker, mail_id)).state == "sent"


async def test_a_refused_mail_fails_in_the_end(worker: Runtime, desk: Desk) -> None:
    async with (
        post_office(*["550 no such user"] * 9) as postman,
        dispatching(worker, smtp_url=SecretStr(postman.url)),
    ):
        mail_id = await queue(desk, "refused@example.com")
        await settled(worker, [mail_id])
    assert postman.got == []
    row = await read(worker, mail_id)
    assert (row.state, row.attempts, row.sealed) == ("failed", 3, None)
    assert "550" in str(row.error)


async def test_what_rolled_back_is_not_mailed(worker: Runtime, desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        async with worker.db.transaction() as session:
            await mail.send(session, to="never@example.com", template="reset_password", name="Ann", link=LINK)
            raise ZeroDivisionError
    async with worker.db.transaction() as session:
        assert await session.scalar(select(Mail).where(col(Mail.recipient) == "never@example.com")) is None
