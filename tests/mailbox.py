"""What the people of the tests get by mail: the stack keeps it as files."""

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.conftest import Stack

_LINK = re.compile(r"https?://\S+#token=(\S+)")


def letters(stack: Stack, to: str) -> list[EmailMessage]:
    """Everything mailed to an address, in order."""
    found = [_read(path) for path in sorted((stack.home / "mails").glob("*.eml"))]
    return [letter for letter in found if letter["To"] == to]


async def letter(stack: Stack, to: str, about: str, *, nth: int = 1, seconds: float = 30) -> EmailMessage:
    """The nth letter to an address whose subject contains something; waits for it to come."""
    async with asyncio.timeout(seconds):
        while True:
            found = [letter for letter in letters(stack, to) if about in letter["Subject"]]
            if len(found) >= nth:
                return found[nth - 1]
            await asyncio.sleep(0.05)


async def token(stack: Stack, to: str, about: str, *, nth: int = 1) -> str:
    """The token in the link of the same."""
    found = _LINK.search(words(await letter(stack, to, about, nth=nth)))
    assert found is not None
    return found[1]


def words(letter: EmailMessage) -> str:
    """The text of a letter."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), EmailMessage, policy=default)
