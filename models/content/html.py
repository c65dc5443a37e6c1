"""Rich text as a safe HTML fragment: every text escaped, no element or address that runs anything."""

from collections.abc import Callable
from html import escape

from models.content.roots import YDoc, has_blocks, plain_text, to_prosemirror
from models.content.schema import Mark, Node, attribute, children
from models.content.text import code_of, mention
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


def to_html(doc: YDoc) -> str:
    """The rich text of `doc` as HTML; where there is none, its plain text preformatted."""
    content = to_prosemirror(doc)
    if has_blocks(content):
        return _inside(content)
    text = plain_text(doc)
    return f"<pre>{_preformatted(text)}</pre>" if text else ""


def _inside(node: Node) -> str:
    return "".join(map(_node, children(node)))


def _node(node: Node) -> str:
    name = node["type"]
    if name in SPECIAL:
        return SPECIAL[name](node)
    if name in BLOCKS:
        return f"<{BLOCKS[name]}>{_inside(node)}</{BLOCKS[name]}>"
    return f"<div>{_inside(node)}</div>" if children(node) else ""  # a node we do not know shows what is in it


def _tag(name: str, attrs: dict[str, object]) -> str:
    written = [f' {key}="{_text(str(value))}"' for key, value in attrs.items() if value is not None]
    return f"<{name}{''.join(written)}>"


def _text(text: str) -> str:
    return escape(text.replace("\0", ""))


def _preformatted(text: str) -> str:
    """A browser skips a line break at the beginning."""
    return f"\n{_text(text)}" if text.startswith("\n") else _text(text)


def _marked(node: Node) -> str:
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


def _heading(node: Node) -> str:
    level = attribute(node, "level", 1)
    name = f"h{level if level in range(1, 7) else 6}"
    return f"<{name}>{_inside(node)}</{name}>"


def _ordered_list(node: Node) -> str:
    start = attribute(node, "start", 1)
    return f"{_tag('ol', {'start': None if start == 1 else _whole(start)})}{_inside(node)}</ol>"


def _task(node: Node) -> str:
    checked = attribute(node, "checked") is True
    box = _tag("input", {"type": "checkbox", "disabled": "", "checked": "" if checked else None})
    return f"{_tag('li', {'data-checked': str(checked).lower()})}{box}<div>{_inside(node)}</div></li>"


def _code_block(node: Node) -> str:
    language = attribute(node, "language")
    code = _tag("code", {"class": f"language-{language}" if language else None})
    return f"<pre>{code}{_preformatted(code_of(node))}</code></pre>"


def _image(node: Node) -> str:
    src, alt = safe_image(attribute(node, "src")), attribute(node, "alt", "")
    return _text(str(alt)) if src is None else _tag("img", {"src": src, "alt": alt, "title": attribute(node, "title")})


def _cell(node: Node) -> str:
    name = "th" if node["type"] == "tableHeader" else "td"
    spans = {span: _whole(attribute(node, span)) for span in ("colspan", "rowspan")}
    align = attribute(node, "align")
    style = f"text-align: {align}" if align in ("left", "center", "right") else None
    attrs = {span: None if value == 1 else value for span, value in spans.items()}
    return f"{_tag(name, {**attrs, 'style': style})}{_inside(node)}</{name}>"


def _whole(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= 1_000_000 else None


SPECIAL: dict[str, Callable[[Node], str]] = {
    "text": _marked,
    "heading": _heading,
    "orderedList": _ordered_list,
    "taskList": lambda node: f'<ul data-type="taskList">{_inside(node)}</ul>',
    "taskItem": _task,
    "codeBlock": _code_block,
    "horizontalRule": lambda _: "<hr>",
    "hardBreak": lambda _: "<br>",
    "image": _image,
    "mention": lambda node: f'<span data-type="mention">{_text(mention(node))}</span>',
    "table": lambda node: f"<table><tbody>{_inside(node)}</tbody></table>",
    "tableHeader": _cell,
    "tableCell": _cell,
}
