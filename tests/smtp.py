"""A real mail server that answers as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

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
async def post_office(*answers: str, port: int = 0) -> AsyncIterator[Postman]:
    """A mail server on this machine during the block."""
    postman = Postman(list(answers))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postman, hostname="mail.test"), "127.0.0.1", port)
    postman.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield postman
    finally:
        server.close()
        await server.wait_closed()
