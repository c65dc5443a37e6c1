"""A real mail server that answers as a test wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Postman:
    """Takes letters; `answers` are given first, one for each attempt."""

    answers: list[str] = field(default_factory=list)
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    url: str = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.got.append(message_from_bytes(envelope.content, EmailMessage, policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@asynccontextmanager
async def post_office(
    *answers: str, port: int = 0, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> AsyncIterator[Postman]:
    """A mail server on this machine during the block, with TLS from the start or on demand if it has a certificate."""
    postman = Postman(list(answers))
    loop = asyncio.get_running_loop()
    make = partial(SMTP, postman, hostname="mail.test", tls_context=starttls)
    server = await loop.create_server(make, "127.0.0.1", port, ssl=tls)
    postman.url = f"smtp{'s' if tls else ''}://localhost:{server.sockets[0].getsockname()[1]}"
    try:
        yield postman
    finally:
        server.close()
        await server.wait_closed()
