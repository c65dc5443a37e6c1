"""`./doxie mails`: the mails that were kept as files, because no mail server is set."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from infra.stack.errors import StackError
from infra.stack.home import Home

SHOWN = 50


def table(home: Home) -> Iterator[str]:
    """One line for each of the newest, newest first."""
    found = _files(home)
    if not found:
        yield f"no mails in {home.data('mails')}"
        return
    yield f"{'N':>3}  {'WRITTEN':<19}  {'TO':<32}  SUBJECT"
    for number, path in enumerate(found[:SHOWN], 1):
        mail = _read(path)
        written = parsedate_to_datetime(mail["Date"]).astimezone()
        yield f"{number:>3}  {written:%Y-%m-%d %H:%M:%S}  {mail['To']!s:<32}  {mail['Subject']}"


def one(home: Home, number: int) -> Iterator[str]:
    """A mail as its table numbers it: headers and text.

    Raises:
        StackError: there are not so many.
    """
    found = _files(home)
    if not 1 <= number <= len(found):
        raise StackError(f"there is no mail {number}: {len(found)} in {home.data('mails')}")
    mail = _read(found[number - 1])
    yield from (f"{name}: {mail[name]}" for name in ("Date", "From", "To", "Subject"))
    yield ""
    body = mail.get_body(("plain",))
    yield from body.get_content().splitlines() if body is not None else ()


def _files(home: Home) -> list[Path]:
    # Their names are UUIDv7, which sort by time.
    return sorted(home.data("mails").glob("*.eml"), reverse=True)


def _read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), EmailMessage, policy=default)
