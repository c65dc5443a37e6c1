"""A document as one HTML file that needs nothing else: its style is in it, and so are its images, as in the document.

Whoever opens it asks nobody for anything: an image that is elsewhere is a link there.
"""

from functools import cache
from html import escape
from pathlib import Path

from models import content
from models.content.html import node_to_html
from models.content.pages import clean
from models.content.roots import has_blocks
from models.content.schema import Node, attribute, children
from models.content.text import of_node
from models.content.urls import IMAGE_DATA, safe_image
from models.documents import crdt

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def to_page(doc: crdt.YDoc, title: str) -> str:
    """The whole file, its title above the text unless it begins with that itself."""
    shown = escape(clean(title))
    tree = content.shown(doc)
    blocks = children(tree)
    heading = "" if blocks and _is_title(blocks[0], title) else f"<h1>{shown}</h1>\n"
    body = "\n".join(node_to_html(block, _own) for block in blocks) if has_blocks(tree) else content.to_html(doc)
    return (
        "<!doctype html>\n<html>\n<head>\n"
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{shown}</title>\n<style>\n{_style()}</style>\n</head>\n"
        f'<body>\n<main dir="auto">\n{heading}{body}\n</main>\n</body>\n</html>\n'
    )


def _own(node: Node, html: str) -> str:
    """Images that are in the document itself; of others a way to them."""
    if node["type"] != "image":
        return html
    src = safe_image(attribute(node, "src"))
    if src is not None and IMAGE_DATA.match(src):
        return html
    text = escape(f"🖼 {clean(str(attribute(node, 'alt', '') or 'image'))}")
    if src is None or not src.startswith(("http://", "https://")):
        return f'<span class="elsewhere">{text}</span>'
    return f'<a class="elsewhere" href="{escape(src)}" rel="noopener noreferrer nofollow">{text}</a>'


def _is_title(node: Node, title: str) -> bool:
    return node["type"] == "heading" and of_node(node).strip() == title.strip()


@cache
def _style() -> str:
    return (Path(__file__).parent / "templates" / "page.css").read_text()
