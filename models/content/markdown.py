"""Markdown (CommonMark and GFM's tables, task lists, strikethrough) of a document."""

import re
from collections.abc import Callable, Iterator

from models.content.emphasis import BREAK
from models.content.inline import edged, render
from models.content.roots import YDoc, has_blocks, plain_text, shown
from models.content.schema import INLINE, LISTS, Node, attribute, children
from models.content.tables import table
from models.content.text import code_of

# What a line must not begin with, or end with in a heading: it would be another block, or no text.
LINE_START = re.compile(r"#{1,6}(?=\s|\Z)|[-+](?=\s|\Z)|-(?=[-|:])|=+\s*\Z|[>|]|:(?=-)|\d{1,9}(?=[.)](\s|\Z))")
HEADING_END, HASH = re.compile(r"(?:(?<=\s)|\A)(#*)#\Z"), r"\1\\#"
INTERRUPTS = re.compile(r"([-*]|1[.)]) \S")  # the lists that may follow a paragraph without a blank line
LANGUAGE = re.compile(r"[^\s`~\\&]+")
RULE = "---"
LAST_NUMBER = 999_999_999


def to_markdown(doc: YDoc) -> str:
    """The rich text of `doc` as Markdown; where there is none, its plain text verbatim."""
    content = shown(doc)
    return of_document(content) if has_blocks(content) else plain_text(doc)


def of_document(document: Node) -> str:
    """Markdown of ProseMirror JSON, ending in a newline unless it is empty."""
    text = _joined(children(document))
    return f"{text}\n" if text else ""


def _joined(nodes: list[Node]) -> str:
    return "\n\n".join(text for _, text in _blocks(nodes))


def _blocks(nodes: list[Node]) -> Iterator[tuple[str, str]]:
    """Type and source of those not empty. A list after a list takes another sign, or they would be one."""
    before, odd = "", False
    for node in nodes:
        name = "bulletList" if node["type"] == "taskList" else node["type"]
        odd = name == before and not odd
        if text := _block(node, odd):
            yield node["type"], text
            before = name


def _block(node: Node, odd: bool = False) -> str:
    name, content = node["type"], children(node)
    if name in LISTS:
        return _list(node, odd)
    if name in BLOCKS:
        return BLOCKS[name](node)
    if name in INLINE:
        return _paragraph([node])
    inline = all(child["type"] in INLINE for child in content)  # a node we do not know shows what is in it
    return _paragraph(content) if inline else _joined(content)


def _paragraph(nodes: list[Node]) -> str:
    source = render(nodes)
    if not source.strip():
        return ""
    body = source.rstrip(BREAK)
    lines = [LINE_START.sub(_escaped, edged(line), count=1) for line in body.split(BREAK)]
    return "\\\n".join(lines) + "<br>" * (len(source) - len(body))


def _escaped(match: re.Match[str]) -> str:
    if match.start():
        return match[0]
    return f"{match[0]}\\" if match[0].isdecimal() else f"\\{match[0]}"


def _heading(node: Node) -> str:
    level = attribute(node, "level", 1)
    signs = "#" * (level if level in range(1, 7) else 6)
    text = edged(render(children(node)).replace(BREAK, "<br>"))
    return f"{signs} {HEADING_END.sub(HASH, text)}".rstrip()


def _code_block(node: Node) -> str:
    text = re.sub(r"\r\n?", "\n", code_of(node).replace("\0", ""))
    language = str(attribute(node, "language", ""))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    info = language if LANGUAGE.fullmatch(language) else ""
    return "\n".join([fence + info, *([text] if text else []), fence])


def _list(node: Node, odd: bool) -> str:
    items = [list(_blocks(children(item))) for item in children(node)]
    tight = all(name in LISTS for blocks in items for name, _ in blocks[1:])
    texts = [_item(marker, blocks, tight) for marker, blocks in zip(_markers(node, odd), items, strict=True)]
    return ("\n" if tight else "\n\n").join(texts)


def _markers(node: Node, odd: bool) -> list[str]:
    items, start = children(node), attribute(node, "start", 1)
    if node["type"] == "orderedList":
        first = start if isinstance(start, int) and 0 <= start <= LAST_NUMBER - len(items) else 1
        return [f"{first + index}{').'[not odd]} " for index in range(len(items))]
    sign = "* " if odd else "- "
    if node["type"] == "taskList":
        return [f"{sign}[{'x' if attribute(item, 'checked') is True else ' '}] " for item in items]
    return [sign] * len(items)


def _item(marker: str, blocks: list[tuple[str, str]], tight: bool) -> str:
    if "[" in marker and (not blocks or blocks[0][0] != "paragraph"):
        blocks = [("paragraph", ""), *blocks]
    text = blocks[0][1] if blocks else ""
    text = "___" if text == RULE else text  # `- ---` would be a rule itself
    for _, block in blocks[1:]:
        text += ("\n" if tight and INTERRUPTS.match(block) and text else "\n\n") + block
    return _prefixed(marker, " " * (marker.index(" ") + 1), text)


def _prefixed(first: str, rest: str, text: str) -> str:
    """`text` with a prefix on every line; empty lines stay without blanks at their end."""
    lines = zip([first] + [rest] * text.count("\n"), text.split("\n"), strict=True)
    return "\n".join(prefix + line if line else prefix.rstrip() for prefix, line in lines)


BLOCKS: dict[str, Callable[[Node], str]] = {
    "paragraph": lambda node: _paragraph(children(node)),
    "heading": _heading,
    "blockquote": lambda node: _prefixed("> ", "> ", _joined(children(node))),
    "codeBlock": _code_block,
    "horizontalRule": lambda _: RULE,
    "table": table,
}
