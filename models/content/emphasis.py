"""Pieces of inline Markdown put together with the signs of emphasis and links around them.

A sign opens or closes only beside the right characters. A character that is in the way becomes a numeric
reference, which counts as punctuation: `**Hi!**&#121;ou`.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

SIGNS = {"bold": "**", "italic": "*", "strike": "~~"}
BREAK = "\0"  # a hard break, until the block says how it writes one


@dataclass(frozen=True)
class Piece:
    """Escaped text in one formatting, `link` its address; only blanks begin or end blank."""

    kind: Literal["text", "blank", "code", "image"]
    text: str
    link: str | None = None
    signs: frozenset[str] = frozenset()


@dataclass
class Span:
    """One emphasis from where it opens to where it closes."""

    name: str
    sign: str


@dataclass
class Part:
    """Text as it will be written, or an end of a span."""

    text: str = ""
    span: Span | None = None
    opens: bool = False

    @property
    def source(self) -> str:
        """What is written."""
        return self.span.sign if self.span else self.text


def write(pieces: Iterable[Piece]) -> str:
    """One line of Markdown, with as few signs as nesting allows."""
    parts: list[Part] = []
    opened: list[Span] = []
    link: str | None = None
    for piece in [*pieces, Piece("blank", "")]:
        stay = _still_open(opened, piece.signs) if piece.link == link else 0
        parts += [Part(span=span) for span in reversed(opened[stay:])]
        del opened[stay:]
        if piece.link != link:
            parts += _brackets(parts, link, piece.link)
            link = piece.link
        missing = [] if piece.kind == "blank" else piece.signs - {span.name for span in opened}
        spans = [Span(name, sign) for name, sign in SIGNS.items() if name in missing]
        parts += [Part(span=span, opens=True) for span in spans]
        opened += spans
        parts += [Part(piece.text)] if piece.text else []
    _choose_italics(parts)
    while sum(_make_room(parts, index) for index in range(len(parts))):
        pass  # the reference made for one sign may be the neighbour of another
    return "".join(part.source for part in parts)


def reference(char: str) -> str:
    """A character as a numeric reference."""
    return f"&#{ord(char)};"


def _still_open(opened: list[Span], signs: frozenset[str]) -> int:
    return next((index for index, span in enumerate(opened) if span.name not in signs), len(opened))


def _brackets(parts: list[Part], old: str | None, new: str | None) -> list[Part]:
    if old is None and parts and parts[-1].text.endswith("!"):
        parts[-1].text = parts[-1].text[:-1] + r"\!"  # else the link would be an image
    ends = [Part(f"]({old})")] if old is not None else []
    return ends + ([Part("[")] if new is not None else [])


def _choose_italics(parts: list[Part]) -> None:
    """Next to the stars of bold text, italic text takes underscores."""
    for here, there in pairwise(parts):
        spans = {part.span.name: part.span for part in (here, there) if part.span}
        if spans.keys() >= {"bold", "italic"}:
            spans["italic"].sign = "_"


def _make_room(parts: list[Part], index: int) -> bool:
    """Whether the character outside of a sign was in its way (now it is a reference)."""
    part = parts[index]
    if part.span is None:
        return False
    before = parts[index - 1].source[-1] if index else BREAK
    after = parts[index + 1].source[0] if index + 1 < len(parts) else BREAK
    inner, outer = (after, before) if part.opens else (before, after)
    if not _is_letter(outer) or not (_is_punctuation(inner) or part.source == "_"):
        return False
    if part.opens:
        parts[index - 1].text = parts[index - 1].text[:-1] + reference(outer)
    else:
        parts[index + 1].text = reference(outer) + parts[index + 1].text[1:]
    return True


def _is_letter(char: str) -> bool:
    """Neither blank nor punctuation to all readers; symbols like emoji are punctuation to some."""
    sign = char.isascii() and char.isprintable() and not char.isalnum()
    return not (sign or char == BREAK or unicodedata.category(char)[0] in "PZ" or char.isspace())


def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"
