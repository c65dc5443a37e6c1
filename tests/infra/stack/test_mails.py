"""`./doxie mails`."""

from datetime import timedelta
from pathlib import Path

from infra import clock
from infra.mail import Letter, deliver
from infra.settings import Settings
from models.mail import writing
from tests.infra.stack.command import Doxie, one_line


async def test_kept_mails_are_listed_and_shown(doxie: Doxie) -> None:
    assert "no mails" in doxie.run("mails").stdout
    await _write(doxie.home, "1", "first@example.com", "https://doxie.example/reset#token=one")
    await _write(doxie.home, "2", "second@example.com", "https://doxie.example/reset#token=two")
    lines = doxie.run("mails").stdout.splitlines()
    assert ["second@example.com" in lines[1], "first@example.com" in lines[2]] == [True, True]
    shown = doxie.run("mails", "1").stdout
    assert "To: second@example.com" in shown
    assert "https://doxie.example/reset#token=two" in shown.splitlines()
    assert "3" in one_line(doxie.run("mails", "3"))


async def _write(home: Path, number: str, to: str, link: str) -> None:
    words = writing.write("reset_password", {"name": "Ann", "link": link})
    written_at = clock.now() + timedelta(seconds=int(number))
    letter = Letter(number, to, words.subject, words.text, words.html, written_at)
    await deliver(Settings(home=home), letter)
