"""Rich text as plain text, for search and comparison: one line per block."""

from models.content.roots import YDoc, root_texts, shown
from models.content.schema import INLINE, Node, attribute, children


def to_text(doc: YDoc) -> str:
    """Everything one can read in `doc`; without NUL, which Postgres cannot store."""
    blocks = of_nodes(children(shown(doc)))
    return "\n".join(filter(None, [blocks, *root_texts(doc).values()])).replace("\0", "")


def of_nodes(nodes: list[Node]) -> str:
    """Siblings: inline ones in a row, blocks on lines of their own."""
    text = ""
    for node in nodes:
        part = of_node(node)
        inline = node["type"] in INLINE - {"image"}
        text += part if inline or not part or not text or text.endswith("\n") else f"\n{part}"
        text += "" if inline or not part else "\n"
    return text.removesuffix("\n")


def of_node(node: Node) -> str:
    """What one node shows as text."""
    match node["type"]:
        case "text":
            return str(node["text"])
        case "hardBreak":
            return "\n"
        case "image":
            return str(attribute(node, "alt", ""))
        case "mention":
            return mention(node)
    return of_nodes(children(node))


def code_of(node: Node) -> str:
    """The text of a code block, to the last line break."""
    return "".join(map(of_node, children(node)))


def mention(node: Node) -> str:
    """What Tiptap shows for a mention."""
    sign = attribute(node, "mentionSuggestionChar", "@")
    return f"{sign}{attribute(node, 'label') or attribute(node, 'id', '')}"
