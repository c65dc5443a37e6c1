"""GFM tables: a cell is one line, the first row the header; after a wide cell come empty ones."""

from collections.abc import Iterator

from models.content.emphasis import BREAK
from models.content.inline import code_span, edged, render
from models.content.schema import INLINE, Node, attribute, children
from models.content.text import code_of

RULES = {"left": ":---", "center": ":---:", "right": "---:"}


def table(node: Node) -> str:
    """The Markdown of a table."""
    rows = [list(_row(row)) for row in children(node)]
    width = max(map(len, rows), default=0)
    if not width:
        return ""
    lines = [[text for text, _ in row] + [""] * (width - len(row)) for row in rows]
    rules = [rule for _, rule in rows[0]] + ["---"] * (width - len(rows[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rules, *lines[1:]])


def _row(row: Node) -> Iterator[tuple[str, str]]:
    """Text and rule of every column."""
    for cell in children(row):
        text = "<br>".join(_lines(children(cell))).replace(BREAK, "<br>")
        yield edged(text).replace("|", r"\|"), RULES.get(attribute(cell, "align"), "---")
        span = attribute(cell, "colspan", 1)
        yield from [("", "---")] * (min(span, 100) - 1 if isinstance(span, int) else 0)


def _lines(nodes: list[Node]) -> Iterator[str]:
    if nodes and all(node["type"] in INLINE for node in nodes):
        yield from filter(None, [render(nodes)])
        return
    for node in nodes:
        if node["type"] == "codeBlock":
            yield from filter(None, [code_span(code_of(node))])
        else:
            yield from _lines([node] if node["type"] in INLINE else children(node))
