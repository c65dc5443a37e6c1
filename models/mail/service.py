"""Queueing a mail, reading it for delivery, and noting what became of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from infra import clock, sealing
from infra.mail import Letter
from infra.settings import Settings, get_settings
from models import outbox
from models.mail import writing
from models.mail.tables import Mail

LAST = "account_erased"
"""The mail after which an address is nobody's business: it is forgotten as soon as that is sent."""
_PURPOSE = "mail"


async def send(session: AsyncSession, *, to: str, template: str, **context: str | Sequence[str]) -> None:
    """Queue a mail in the transaction of what it is about; a flow sends it after the commit.

    The templates are in `models/mail/letters`, each names at its top what context it needs. Most need
    `link`: the button's address (`infra.mail.link`). One with `unsubscribe` says so in its header as well.

    Raises:
        jinja2.UndefinedError: the template needs something that is not given.
        jinja2.TemplateNotFound: there is no such template.
    """
    mail = Mail(recipient=to, template=template)
    written = {name: part for name, part in asdict(writing.write(template, context)).items() if part is not None}
    content = json.dumps(written).encode()
    mail.sealed = sealing.seal(get_settings(), _PURPOSE, content, place=mail.id.bytes)
    session.add(mail)
    await session.flush()
    await outbox.emit(session, outbox.MAIL_REQUESTED, [(outbox.NO_ORG, mail.id)])


async def find(session: AsyncSession, mail_id: UUID) -> Mail | None:
    """A mail; None once it was erased with the account it was about."""
    return await session.get(Mail, mail_id)


def letter(settings: Settings, mail: Mail) -> Letter:
    """What is to be delivered; of a mail that is queued.

    Raises:
        SealBroken: it cannot be read any more.
    """
    content = sealing.unseal(settings, _PURPOSE, mail.sealed or b"", place=mail.id.bytes)
    return Letter(id=str(mail.id), to=mail.recipient, written_at=mail.created_at, **json.loads(content))


async def tried(session: AsyncSession, mail_id: UUID, *, error: str, is_over: bool, flow_run_id: UUID | None) -> None:
    """It could not be sent, and will not be tried again if that is over."""
    await _note(session, mail_id, "failed" if is_over else "queued", error[:2000], flow_run_id)


async def sent(session: AsyncSession, mail_id: UUID, *, flow_run_id: UUID | None) -> None:
    """It is sent."""
    await _note(session, mail_id, "sent", None, flow_run_id)


async def _note(session: AsyncSession, mail_id: UUID, state: str, error: str | None, flow_run_id: UUID | None) -> None:
    """Note an attempt; after the last one the content, which may hold a secret, is forgotten."""
    values: dict[str, Any] = {"state": state, "error": error, "flow_run_id": flow_run_id}
    if state != "queued":
        values |= {"sealed": None, "finished_at": clock.now()}
        values["recipient"] = case((col(Mail.template) == LAST, ""), else_=col(Mail.recipient))
    query = update(Mail).where(col(Mail.id) == mail_id, col(Mail.state) == "queued")
    await session.execute(query.values(attempts=col(Mail.attempts) + 1, **values))
