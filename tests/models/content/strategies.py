"""Random documents: everything ProseMirror may hold, and what Markdown can say exactly."""

from typing import Any

from hypothesis import strategies as st

from models.content.schema import Mark, Node, document, element, join, text_node, tidy_marks

TRICKY = [
    *list("ab1 2.*_~`[]()<>&!#+-=|\\:;\"'$é漢😀 x́\xa0\t\n"),
    "&amp;",
    "**",
    "](",
    "1. ",
    "- ",
    "http://a",
]
words = st.lists(st.sampled_from(TRICKY), min_size=1, max_size=8).map("".join)
anything = st.text(min_size=1, max_size=12)
texts = words | anything

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != int(number))
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
attributes = st.dictionaries(
    st.text(min_size=1, max_size=5), json_values.filter(lambda value: value is not None), max_size=3
)


def marks(names: list[str], hrefs: st.SearchStrategy[str]) -> st.SearchStrategy[list[Mark]]:
    plain: st.SearchStrategy[Mark] = st.sampled_from([{"type": name} for name in names])
    link = hrefs.map(lambda href: {"type": "link", "attrs": {"href": href}})
    chosen = st.lists(plain | link, max_size=3, unique_by=lambda mark: str(mark["type"]))
    return chosen.map(tidy_marks)


any_mark = st.builds(
    lambda name, attrs: {"type": name} | ({"attrs": attrs} if attrs else {}),
    st.sampled_from(["bold", "code", "link", "comment", "underline", "x-y"]),
    attributes,
)
any_text = st.builds(lambda text, found: text_node(text, tidy_marks(found)), texts, st.lists(any_mark, max_size=3))
any_node: st.SearchStrategy[Node] = st.recursive(
    any_text,
    lambda inner: st.builds(
        lambda name, attrs, content: element(name, attrs, join(content)),
        st.sampled_from(["paragraph", "heading", "bulletList", "mention", "image", "my-node", "Ünknown"]),
        attributes,
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)
any_document = st.lists(any_node, max_size=5).map(lambda nodes: document(join(nodes)))

# What Tiptap's StarterKit accepts
hrefs = st.sampled_from(
    ["https://a.b/c?d=1&e=2#f", "/rel (x)", "mailto:a@b.c", "a b<c>", "", "x\\y", "é&amp;", "http://a/*_"]
)
sources = hrefs.filter(lambda href: not href.startswith("mailto"))
rich_text = st.builds(text_node, texts, marks(["bold", "italic", "strike", "code", "underline", "highlight"], hrefs))
inline = st.lists(rich_text | st.just(element("hardBreak")), max_size=5).map(join)
paragraph = inline.map(lambda content: element("paragraph", None, content))
heading = st.builds(lambda level, content: element("heading", {"level": level}, content), st.integers(1, 6), inline)
code_block = st.builds(
    lambda language, text: element("codeBlock", {"language": language}, [text_node(text, [])]),
    st.sampled_from([None, "py", "c++", "a b"]),
    texts | st.sampled_from(["```", "~~~\n````\n", "\n\n", "  a\n\tb"]),
)
image = st.builds(
    lambda src, alt, title: element("image", {"src": src, "alt": alt or None, "title": title or None}),
    sources,
    texts | st.just(""),
    texts | st.just(""),
)
leaf = paragraph | heading | code_block | image | st.just(element("horizontalRule"))


def _cells(inner: st.SearchStrategy[Node], name: str, width: int) -> st.SearchStrategy[list[Node]]:
    cell = inner.map(lambda content: element(name, {"colspan": 1, "rowspan": 1}, [content]))
    return st.lists(cell, min_size=width, max_size=width)


@st.composite
def tables(draw: st.DrawFn, inner: st.SearchStrategy[Node]) -> Node:
    width = draw(st.integers(1, 3))
    rows = [draw(_cells(inner, "tableHeader", width))]
    rows += draw(st.lists(_cells(inner, "tableCell", width), max_size=2))
    return element("table", None, [element("tableRow", None, row) for row in rows])


@st.composite
def lists(draw: st.DrawFn, first: st.SearchStrategy[Node], inner: st.SearchStrategy[Node]) -> Node:
    name = draw(st.sampled_from(["bulletList", "orderedList", "taskList"]))
    items = []
    for _ in range(draw(st.integers(1, 3))):
        content = [draw(first), *draw(st.lists(inner, max_size=2))]
        checked = {"checked": draw(st.booleans())} if name == "taskList" else None
        items.append(element("taskItem" if checked else "listItem", checked, content))
    attrs: dict[str, Any] | None = {"start": draw(st.integers(0, 20))} if name == "orderedList" else None
    return element(name, attrs, items)


def _nested(
    first: st.SearchStrategy[Node], leaf: st.SearchStrategy[Node], cell: st.SearchStrategy[Node]
) -> st.SearchStrategy[Node]:
    return st.recursive(
        leaf,
        lambda inner: (
            lists(first, inner)
            | st.lists(inner, min_size=1, max_size=3).map(lambda content: element("blockquote", None, content))
            | tables(cell)
        ),
        max_leaves=6,
    )


valid_document = st.lists(_nested(paragraph, leaf, leaf), max_size=4).map(document)

# What Markdown can say: no marks without a sign, no emphasis with blanks at its edges, no empty paragraphs
said = st.lists(st.sampled_from([*"ab1.*_~`[]()<>&!#+-=|\\:é漢😀", "&amp;", "**", "a b"]), min_size=1, max_size=6).map(
    "".join
)
said_text = st.builds(text_node, said, marks(["bold", "italic", "strike", "code"], hrefs)).filter(
    lambda node: not ("]:" in node["text"] and {"link", "code"} <= {mark["type"] for mark in node.get("marks", [])})
)
said_inline = st.lists(said_text, min_size=1, max_size=5).map(join)
said_paragraph = said_inline.map(lambda content: element("paragraph", None, content))
said_leaf = (
    said_paragraph
    | st.builds(lambda level, content: element("heading", {"level": level}, content), st.integers(1, 6), said_inline)
    | st.builds(lambda text: element("codeBlock", {"language": "py"}, [text_node(text, [])]), said)
    | st.just(element("horizontalRule"))
    | st.builds(lambda src, alt: element("image", {"src": src, "alt": alt}), sources, said)
)
said_document = st.lists(_nested(said_paragraph, said_leaf, said_paragraph), max_size=4).map(document)
