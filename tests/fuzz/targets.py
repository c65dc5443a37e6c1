"""What is fuzzed: each target takes any bytes, and raises only where a parser does what it must not (pure).

A parser may refuse with the error that it declares. What it takes has to be what it wrote itself, or read the same
again; anything else is a finding.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import HTTPException

from api.documents import content
from collab import presence, protocol
from infra.proxies import client_address, neighbourhood
from infra.tokens import Key, Signer, TokenError, TokenType
from models.content import ContentError, validate_prosemirror
from models.documents.structs import structs
from models.errors import Invalid
from models.imports import unpacking
from models.lib0 import ProtocolError
from models.yjs import updates, wire

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def update(data: bytes) -> None:
    """Yjs updates, state vectors and delete sets, as the doors look at them before anything is applied."""
    updates.decodes(data)
    with suppress(ProtocolError):
        ends: dict[int, int] = {}
        for struct in structs(data):
            assert struct.length >= 0
            ends[struct.client] = struct.clock + struct.length
    with suppress(ProtocolError):
        assert all(clock >= 0 for clock in updates.clocks(data).values())
    with suppress(ProtocolError):
        deleted = updates.deletions(b"\x00" + data)
        assert updates.covers(deleted, deleted)
        for ranges in deleted.values():
            joined = updates.merged(ranges)
            assert joined == updates.merged(joined)
            assert all(before[0] + before[1] < after[0] for before, after in pairwise(joined))


def frames(data: bytes) -> None:
    """Messages on sockets of both dialects, presence, and what a keeper answers."""
    with suppress(ProtocolError):
        said, body = protocol.read(data)
        assert isinstance(said, protocol.Said)
        again = {protocol.Said.UPDATE: protocol.update, protocol.Said.STEP1: protocol.step1}.get(said)
        if again is not None:
            assert protocol.read(again(body)) == (said, body)
    with suppress(ProtocolError):
        address, name, at = protocol.read_address(data)
        assert data.startswith(address) and at == len(address) and "\0" not in name
        protocol.read(data, at)
    with suppress(ProtocolError):
        entries = presence.parse(data)
        assert presence.parse(presence.encode(entries)) == entries
        for _, _, state in entries:
            with suppress(ProtocolError):
                presence.check_state(state)
                json.loads(state)
    with suppress(ProtocolError):
        answers = wire.answers(data)
        assert wire.answers(b"".join(wire.answer(*answer) for answer in answers)) == answers


def auth(data: bytes) -> None:
    """Tokens, and the headers that say who asks."""
    text = data.decode("latin-1")
    types: tuple[TokenType, ...] = ("access", "collab")
    for typ in types:
        with suppress(TokenError):
            claims = _signer().verify(text, typ=typ)
            assert claims["sub"] == "nobody", "a token that was not issued here"
    first, _, second = text.partition("\n")
    address = client_address("127.0.0.1", first or None, second or None, ("127.0.0.0/8",))
    assert isinstance(address, str)
    neighbourhood(address)


def imports(data: bytes) -> None:
    """Content that is put, and files that are imported, up to where a converter in its sandbox takes over."""
    for media_type in ("text/markdown", "application/json"):
        with suppress(Invalid, HTTPException):
            content.parse(media_type, data)
    with suppress(ValueError, RecursionError):
        value: Any = json.loads(data)
        with suppress(ContentError):
            node = validate_prosemirror(value)
            assert validate_prosemirror(node) == node, "normal form is its own"
    with suppress(unpacking.BadArchive, unpacking.BadItem):
        archive = unpacking.open_zip(data)
        for item in unpacking.items(archive):
            with suppress(unpacking.BadItem):
                assert len(unpacking.content_of(archive, item.position, 65_536)) <= 65_536
            unpacking.named(archive, item.path)
    with suppress(unpacking.BadArchive, unpacking.BadItem):
        unpacking.check_word(data)


def markdown(data: bytes) -> None:
    """Markdown that is put or imported."""
    from models.content.markdown_parser import parse_markdown

    with suppress(UnicodeDecodeError):
        text = data.decode()
        with suppress(ContentError):
            node = parse_markdown(text)
            assert validate_prosemirror(node) == node


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "update": update,
    "frames": frames,
    "auth": auth,
    "imports": imports,
    "markdown": markdown,
}


def seeds(name: str) -> list[bytes]:
    """Where to begin: things that are well-formed."""
    return [bytes(seed) for seed in _SEEDS[name]()]


def _updates() -> list[bytes]:
    import pycrdt

    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=7)
    text, tree = doc.get("text", type=pycrdt.Text), doc.get("default", type=pycrdt.XmlFragment)
    table: pycrdt.Map[Any] = pycrdt.Map()
    made = []
    text += "words"
    made.append(doc.get_update())
    del text[1:3]
    text.insert(1, "é𝄞", {"bold": True})
    doc["map"] = table
    table["key"] = pycrdt.Array([1, "two", None, 3.5, {"four": [5]}])
    tree.children.append(pycrdt.XmlElement("paragraph", {"level": "1"}, [pycrdt.XmlText("inside")]))
    return [*made, doc.get_update(), doc.get_state(), doc.get_update(doc.get_state())[1:]]


def _frames() -> list[bytes]:
    some = [(7, 1, b'{"user":{"name":"Ann"}}'), (2**31, 9, b"null")]
    body = _updates()[0]
    address = b"\x0bdoc\0session"
    plain = [
        protocol.update(body),
        protocol.step1(b"\x00"),
        protocol.step2(body),
        protocol.awareness(presence.encode(some)),
    ]
    plain += [protocol.QUERY_AWARENESS, protocol.sync_status(saved=True), protocol.authenticated(may_write=True)]
    answers = wire.answer(wire.Did.DONE, b"body") + wire.answer(wire.Did.REFUSED)
    return [*plain, *(address + message for message in plain), presence.encode(some), answers]


def _auth() -> list[bytes]:
    token = _signer().issue("access", sub="nobody", seconds=10**9).encode()
    headers = b'for="[2001:db8::1]:4711";proto=https, for=192.0.2.43\n10.0.0.1, ::1, unknown'
    return [token, token[:-1], b".".join(reversed(token.split(b"."))), headers]


def _imports() -> list[bytes]:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes/one.md", "# One\n")
        archive.writestr("two.html", "<p>two</p>")
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document/>")
    text = {"type": "text", "text": "x", "marks": [{"type": "link", "attrs": {"href": "https://example.org"}}]}
    node = {"type": "doc", "content": [{"type": "heading", "attrs": {"level": 2}, "content": [text]}]}
    return [buffer.getvalue(), json.dumps(node).encode(), *_markdown()]


def _markdown() -> list[bytes]:
    return [
        b'# A\n\n- [x] b\n  1. c\n\n| d | e |\n|---|:-:|\n| f | ![g](h.png) |\n\n> **i** _j_ ~~k~~ `l` [m](n "o")\n',
        b"```py\np\n```\n\n[q]: <r> 's'\n\n[q] <https://t.example> &copy; \\* a<br/>b\n***\n",
    ]


_SEEDS: Final[dict[str, Callable[[], list[bytes]]]] = {
    "update": _updates,
    "frames": _frames,
    "auth": _auth,
    "imports": _imports,
    "markdown": _markdown,
}


@cache
def _signer() -> Signer:
    return Signer([Key.of(KEY)])


def dictionary() -> list[str]:
    """Words of the formats, which chance alone would hardly find, as libFuzzer writes them."""
    zips = [r"PK\x03\x04", r"PK\x05\x06", r"PK\x01\x02"]
    words = [*zips, "eyJ", r"\"type\"", r"\"content\"", r"\"doc\"", "for=", r"\x84\x07", "](", "```", "&#x"]
    return [f'"{word}"' for word in words]
