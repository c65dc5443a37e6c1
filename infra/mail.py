"""Mail: over SMTP, or kept as files where no server is set.

A letter has a stable `Message-ID`, so that one sent twice (the server took it, its answer was lost)
is recognized by whoever receives it.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, Policy
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from infra.settings import Settings

TIMEOUT_SECONDS = 20.0

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class _InOneLine(UnstructuredHeader, BaseHeader):
    """A header that programs read: what is too long for a line would be encoded, as words for people are."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _InOneLine)


class Undelivered(Exception):
    """The mail server could not be reached or asked to try again later."""


class Refused(Exception):
    """The mail server will not take this letter, now or later."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody gets; `id` makes its Message-ID."""

    id: str
    to: str
    subject: str
    text: str
    html: str
    written_at: datetime
    unsubscribe: str | None = None
    """Where one POST, or one click of whoever reads it, ends such letters (RFC 8058)."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, from `smtp[s]://[user:password@]host[:port][?starttls=required|never]`.

    `smtps` is TLS from the start. `smtp` demands STARTTLS, except of this very machine: a connection
    that may fall back to plain text can be made to.
    """

    host: str
    port: int
    user: str | None
    password: str | None
    security: Literal["tls", "starttls", "none"]

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Raises ValueError for every other string."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("DOXIE_SMTP_URL must look like smtp://user:password@host:port or smtps://…")
        wish = parse_qs(parts.query).get("starttls", [""])[0]
        if wish not in {"", "required", "never"}:
            raise ValueError("starttls in DOXIE_SMTP_URL is either required or never")
        plain = wish == "never" or (not wish and parts.hostname in _LOOPBACK)
        secure = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if secure else 587),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            security="tls" if secure else "none" if plain else "starttls",
        )


async def deliver(settings: Settings, letter: Letter) -> None:
    """Hand a letter over to the mail server; without one, keep it as a file in `DOXIE_HOME/mails`.

    Raises:
        Undelivered: not now; nobody has got it, as far as is known.
        Refused: never.
    """
    message = compose(settings, letter)
    url = settings.smtp_url.get_secret_value()
    if url:
        await _send(Server.parse(url), settings, letter, message)
        return
    try:
        await asyncio.to_thread(_keep, settings.home / "mails", letter, message)
    except OSError as error:
        raise Undelivered(f"{error.filename}: {error.strerror}") from error


def compose(settings: Settings, letter: Letter) -> EmailMessage:
    """The letter as a message of a text and an HTML part.

    Raises:
        Refused: an address is none, or a header would hold more than one line.
    """
    name, sender = parseaddr(settings.mail_from)
    try:
        recipient = _ascii_domain(letter.to)
        message = EmailMessage(policy=(SMTP if recipient.isascii() else SMTPUTF8).clone(header_factory=_HEADERS))
        message["From"] = Address(name, addr_spec=sender)
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = letter.subject
    except (ValueError, IndexError, HeaderParseError) as error:
        raise Refused(f"not a letter that can be sent: {error}") from error
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    if letter.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"  # no absence note answers it
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


async def _send(server: Server, settings: Settings, letter: Letter, message: EmailMessage) -> None:
    try:
        await aiosmtplib.send(
            message,
            sender=parseaddr(settings.mail_from)[1],
            recipients=[_ascii_domain(letter.to)],
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            timeout=TIMEOUT_SECONDS,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        answer = error.recipients[0]
        raise (Refused if answer.code >= 500 else Undelivered)(_said(answer)) from error
    except aiosmtplib.SMTPResponseException as error:
        raise (Refused if error.code >= 500 else Undelivered)(_said(error)) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Undelivered(f"{type(error).__name__}: {error}") from error


def _ascii_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"


def _said(answer: aiosmtplib.SMTPResponseException) -> str:
    return f"the mail server said {answer.code} {answer.message}"


def _keep(directory: Path, letter: Letter, message: EmailMessage) -> None:
    """Write the file in one step; keeping a letter again replaces it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = directory / f".{letter.id}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(message.as_bytes())
    draft.replace(directory / f"{letter.id}.eml")


def link(settings: Settings, page: str, token: str) -> str:
    """The address of a page of the web application that takes a token.

    In the fragment: what comes after `#` stays in the browser, out of every log and Referer.
    """
    return f"{settings.public_url.rstrip('/')}/{page}#token={token}"


def page(settings: Settings, path: str) -> str:
    """The address of a page of the web application."""
    return f"{settings.public_url.rstrip('/')}/{path}"
