"""Rich text as a safe HTML fragment: every text escaped, no element or address that runs anything."""

from collections.abc import Callable
from html import escape
from typing import TypeAlias

from models.content.roots import YDoc, has_blocks, plain_text, shown
from models.content.schema import Mark, Node, attribute, children
from models.content.text import mention
from models.content.urls import safe_image, safe_link

MARKS = {
    "bold": "strong",
    "italic": "em",
    "strike": "s",
    "underline": "u",
    "code": "code",
    "highlight": "mark",
    "subscript": "sub",
    "superscript": "sup",
}
BLOCKS = {
    "paragraph": "p",
    "bulletList": "ul",
    "listItem": "li",
    "blockquote": "blockquote",
    "tableRow": "tr",
}


Wrap: TypeAlias = Callable[[Node, str], str]
"""What a caller does with the HTML of each node."""


def to_html(doc: YDoc) -> str:
    """The rich text of `doc` as HTML; where there is none, its plain text preformatted."""
    content = shown(doc)
    if has_blocks(content):
        return "".join(map(node_to_html, children(content)))
    text = plain_text(doc)
    return f"<pre>{preformatted(text)}</pre>" if text else ""


def node_to_html(node: Node, wrap: Wrap = lambda _, html: html) -> str:
    """One node, with each node below it and itself passed through `wrap`."""
    inside = "".join(node_to_html(child, wrap) for child in children(node))
    return wrap(node, _node(node, inside))


def _node(node: Node, inside: str) -> str:
    name = node["type"]
    if name in SPECIAL:
        return SPECIAL[name](node, inside)
    if name in BLOCKS:
        return f"<{BLOCKS[name]}>{inside}</{BLOCKS[name]}>"
    return f"<div>{inside}</div>" if inside else ""  # a node we do not know shows what is in it


def _tag(name: str, attrs: dict[str, object]) -> str:
    written = [f' {key}="{_text(str(value))}"' for key, value in attrs.items() if value is not None]
    return f"<{name}{''.join(written)}>"


def _text(text: str) -> str:
    return escape(text.replace("\0", ""))


def preformatted(text: str, *, escaped: bool = False) -> str:
    """Text for <pre>: a browser skips a line break at the beginning."""
    html = text if escaped else _text(text)
    return f"\n{html}" if html.startswith("\n") else html


def _marked(node: Node, _inside: str) -> str:
    text = _text(node["text"])
    for mark in reversed(node.get("marks", [])):
        text = _mark(mark, text)
    return text


def _mark(mark: Mark, text: str) -> str:
    if mark["type"] == "link":
        attrs = mark.get("attrs", {})
        href = safe_link(attrs.get("href"))
        link = {"href": href, "title": attrs.get("title"), "rel": "noopener noreferrer nofollow"}
        return text if href is None else f"{_tag('a', link)}{text}</a>"
    name = MARKS.get(mark["type"])
    return f"<{name}>{text}</{name}>" if name else text


def _heading(node: Node, inside: str) -> str:
    level = attribute(node, "level", 1)
    name = f"h{level if level in range(1, 7) else 6}"
    return f"<{name}>{inside}</{name}>"


def _ordered_list(node: Node, inside: str) -> str:
    start = attribute(node, "start", 1)
    return f"{_tag('ol', {'start': None if start == 1 else _whole(start)})}{inside}</ol>"


def _task(node: Node, inside: str) -> str:
    checked = attribute(node, "checked") is True
    box = _tag("input", {"type": "checkbox", "disabled": "", "checked": "" if checked else None})
    return f"{_tag('li', {'data-checked': str(checked).lower()})}{box}<div>{inside}</div></li>"


def _code_block(node: Node, inside: str) -> str:
    language = attribute(node, "language")
    code = _tag("code", {"class": f"language-{language}" if language else None})
    return f"<pre>{code}{preformatted(inside, escaped=True)}</code></pre>"


def _image(node: Node, _inside: str) -> str:
    src, alt = safe_image(attribute(node, "src")), attribute(node, "alt", "")
    return _text(str(alt)) if src is None else _tag("img", {"src": src, "alt": alt, "title": attribute(node, "title")})


def _cell(node: Node, inside: str) -> str:
    name = "th" if node["type"] == "tableHeader" else "td"
    spans = {span: _whole(attribute(node, span)) for span in ("colspan", "rowspan")}
    align = attribute(node, "align")
    style = f"text-align: {align}" if align in ("left", "center", "right") else None
    attrs = {span: None if value == 1 else value for span, value in spans.items()}
    return f"{_tag(name, {**attrs, 'style': style})}{inside}</{name}>"


def _whole(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= 1_000_000 else None


SPECIAL: dict[str, Callable[[Node, str], str]] = {
    "text": _marked,
    "heading": _heading,
    "orderedList": _ordered_list,
    "taskList": lambda _, inside: f'<ul data-type="taskList">{inside}</ul>',
    "taskItem": _task,
    "codeBlock": _code_block,
    "horizontalRule": lambda _node, _inside: "<hr>",
    "hardBreak": lambda _node, _inside: "<br>",
    "image": _image,
    "mention": lambda node, _: f'<span data-type="mention">{_text(mention(node))}</span>',
    "table": lambda _, inside: f"<table><tbody>{inside}</tbody></table>",
    "tableHeader": _cell,
    "tableCell": _cell,
}
