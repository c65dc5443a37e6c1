"""The inline half of writing Markdown: a paragraph's nodes as escaped pieces.

Markdown cannot say everything: marks it has no sign for and control characters are dropped, and emphasis
leaves the blanks at its edges outside. What it can say is escaped so that it is read back as it was.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, groupby

from models.content.emphasis import BREAK, SIGNS, Piece, reference, write
from models.content.schema import Node, attribute
from models.content.text import mention
from models.content.urls import safe_image, safe_link

UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
SPECIAL = re.compile(r"[\\`*~\[\]]|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?]|\Z)|&(?=#?\w+;|\Z)")
TARGET_SPECIAL = re.compile(r"[\\<>]|&(?=#?\w+;)")
TITLE_SPECIAL = re.compile(r'[\\"]|&(?=#?\w+;)')
BLANKS = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


def render(nodes: list[Node]) -> str:
    """Inline nodes as one line of Markdown, with BREAK for hard breaks."""
    return write(_settled([part for piece in _joined(map(_piece, nodes)) for part in _split_blanks(piece)]))


def edged(line: str) -> str:
    """A line whose blanks at its ends will not be cut off."""
    return re.sub(r"\A\s|(?<!\A)\s\Z", lambda match: reference(match[0]), line)


def target(url: str, title: object) -> str:
    """The address of a link or an image, and its title."""
    url = _escape(url, TARGET_SPECIAL)
    url = f"<{url}>" if not url or re.search(r"[\s()]", url) else url
    text = _escape(title, TITLE_SPECIAL) if isinstance(title, str) else ""
    return f'{url} "{text}"' if text else url


def _piece(node: Node) -> Piece:
    match node["type"]:
        case "text":
            return _marked(node)
        case "hardBreak":
            return Piece("blank", BREAK, signs=frozenset(SIGNS))
        case "image":
            return _image(node)
        case "mention":
            return Piece("text", UNWRITABLE.sub("", mention(node)))
    return Piece("text", "")


def _marked(node: Node) -> Piece:
    marks = {mark["type"]: mark.get("attrs", {}) for mark in node.get("marks", [])}
    href = safe_link(marks.get("link", {}).get("href"))
    link = None if href is None else target(href, marks["link"].get("title"))
    text = UNWRITABLE.sub("", node["text"])
    code = "code" in marks and not (link and "]:" in text)  # `[`]:`](…)` would define a reference
    return Piece("code" if code else "text", text, link, frozenset(SIGNS.keys() & marks.keys()))


def _image(node: Node) -> Piece:
    src, alt = safe_image(attribute(node, "src")), UNWRITABLE.sub("", str(attribute(node, "alt", "")))
    if src is None:
        return Piece("text", alt)
    return Piece("image", f"![{_escape(alt)}]({target(src, attribute(node, 'title'))})")


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours that look alike in Markdown become one."""
    for piece, alike in groupby(pieces, lambda piece: replace(piece, text="")):
        if text := "".join(one.text for one in alike):
            yield replace(piece, text=text)


def _split_blanks(piece: Piece) -> list[Piece]:
    if piece.kind == "code":
        return [replace(piece, text=code_span(piece.text))]
    if piece.kind != "text":
        return [piece]
    match = BLANKS.fullmatch(piece.text)
    assert match
    before, text, after = (_escape(part) for part in match.groups())
    parts = [replace(piece, kind="blank", text=before), replace(piece, text=text)]
    return [part for part in [*parts, replace(piece, kind="blank", text=after)] if part.text]


def _settled(pieces: list[Piece]) -> Iterator[Piece]:
    """A blank keeps the signs that go on on both sides of it; a break is part of the link around it."""
    nothing = Piece("text", "")
    following = accumulate(
        reversed(pieces), lambda last, piece: last if piece.kind == "blank" else piece, initial=nothing
    )
    before = nothing
    for piece, after in zip(pieces, reversed(list(following)[:-1]), strict=True):
        if piece.kind != "blank":
            before = piece
            yield piece
            continue
        link = before.link if piece.text == BREAK and before.link == after.link else piece.link
        inside = before.link == link == after.link
        yield replace(piece, link=link, signs=piece.signs & before.signs & after.signs if inside else frozenset())


def _escape(text: str, special: re.Pattern[str] = SPECIAL) -> str:
    text = special.sub(r"\\\g<0>", UNWRITABLE.sub("", text))
    return re.sub(r"[\n\r]", lambda match: reference(match[0]), text)


def code_span(text: str) -> str:
    """Text between enough backticks; line breaks cannot be kept."""
    text = re.sub(r"[\n\r]", " ", UNWRITABLE.sub("", text))
    if not text:
        return ""
    fences = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(text) + 2) if length not in fences)
    padded = "`" in (text[0], text[-1]) or (text[0] == text[-1] == " " and text.strip(" "))
    return f"{fence} {text} {fence}" if padded else f"{fence}{text}{fence}"
