"""Letters: what they look like, how they are kept and handed over."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra import clock
from infra.mail import Letter, Refused, Server, Undelivered, compose, deliver
from infra.settings import Settings
from models.mail import writing
from tests.certificates import server_context
from tests.smtp import post_office


def letter(**changes: str) -> Letter:
    words = {"id": "0195", "to": "ann@example.com", "subject": "Hello", "text": "Hi Ann", "html": "<p>Hi Ann</p>"}
    return Letter(**{**words, **changes}, written_at=clock.now())


def settings(url: str = "", home: Path = Path("nowhere")) -> Settings:
    return Settings(smtp_url=SecretStr(url), mail_from="Doxie <post@doxie.example>", home=home)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: all@example.com"},
        {"subject": "Hello\nX: y"},
        {"to": "ann@example.com\r\nBcc: all@example.com"},
        {"to": "ann@example.com, all@example.com"},
        {"to": "Ann <ann@example.com>"},
        {"to": "ann"},
        {"to": ""},
    ],
)
def test_no_header_holds_more_than_its_line(changes: dict[str, str]) -> None:
    with pytest.raises(Refused):
        compose(settings(), letter(**changes))


def test_what_people_chose_is_text_and_nothing_else() -> None:
    context = {"inviter": "Eve\r\nBcc: all@example.com <b>https://evil.example</b>", "organization": "x" * 5000}
    written = writing.write("invitation", {**context, "link": "https://doxie.example/invitation#token=a&b"})
    assert "\n" not in written.subject
    assert "<b>" not in written.html
    assert "https://evil" not in written.text + written.html
    assert len(written.text) < 2000
    assert "#token=a&b" in written.text
    assert "#token=a&amp;b" in written.html


@pytest.mark.parametrize("path", sorted(writing.LETTERS.glob("*.jinja")), ids=lambda path: path.stem)
def test_every_letter_says_what_it_needs(path: Path) -> None:
    needs = path.read_text().partition("{#")[2].partition("#}")[0].partition(".")[0]
    names = [name.strip() for name in needs.split(",")]  # with a star: several
    context = {name.lstrip("*"): [f"the-{name}"] if name.startswith("*") else f"the-{name}" for name in names}
    written = writing.write(path.stem, context)
    assert written.subject
    for name in names:
        assert f"the-{name}" in written.text
        assert f"the-{name}" in written.html


async def test_without_a_server_letters_are_private_files(tmp_path: Path) -> None:
    await deliver(settings(home=tmp_path), letter())
    await deliver(settings(home=tmp_path), letter())
    kept = list((tmp_path / "mails").iterdir())
    assert [path.name for path in kept] == ["0195.eml"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(kept[0].parent.stat().st_mode) == 0o700


async def test_a_letter_arrives_in_two_forms() -> None:
    async with post_office() as postman:
        await deliver(settings(postman.url), letter(to="ann@bücher.example", subject="Grüße"))
    (got,) = postman.got
    assert postman.recipients == [["ann@xn--bcher-kva.example"]]
    assert (got["Subject"], got["From"]) == ("Grüße", "Doxie <post@doxie.example>")
    assert got["Message-ID"] == "<0195@doxie.example>"
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]


async def test_a_server_without_tls_gets_nothing() -> None:
    async with post_office() as postman:
        with pytest.raises(Undelivered):
            await deliver(settings(postman.url + "?starttls=required"), letter())
    assert postman.got == []


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_server_is_believed_by_its_certificate_alone(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = server_context(tmp_path)
    at_once = way == "tls"
    async with post_office(tls=context if at_once else None, starttls=None if at_once else context) as postman:
        url = postman.url + ("" if at_once else "?starttls=required")
        with pytest.raises(Undelivered, match="certificate"):
            await deliver(settings(url), letter())
        assert postman.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        await deliver(settings(url), letter())
        assert len(postman.got) == 1


async def test_a_certificate_for_another_name_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = server_context(tmp_path, "elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with post_office(tls=context) as postman:
        with pytest.raises(Undelivered, match="certificate"):
            await deliver(settings(postman.url), letter())
    assert postman.got == []


def test_servers_are_named_by_urls() -> None:
    known = Server.parse("smtp://me%40x:p%2Fw@mail.example")
    assert known == Server("mail.example", 587, "me@x", "p/w", "starttls")
    assert Server.parse("smtps://mail.example").security == "tls"
    assert Server.parse("smtp://mail.example:25?starttls=never").security == "none"
    for wrong in ("http://mail.example", "smtp://", "mail.example:25", "smtp://x?starttls=perhaps"):
        with pytest.raises(ValueError, match="SMTP_URL"):
            Server.parse(wrong)
