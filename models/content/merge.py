"""Markdown written over a richer document without losing what Markdown cannot say."""

from pycrdt import Text

from models.content.blocknote import is_blocknote
from models.content.diff import changes
from models.content.edit import replace
from models.content.edit_text import replace_text
from models.content.markdown import of_document
from models.content.markdown_parser import parse_markdown
from models.content.roots import YDoc, has_blocks, root_texts, to_prosemirror
from models.content.schema import ContentError, Node, children, document


def write_markdown(doc: YDoc, source: str) -> None:
    """The inverse of `to_markdown`: into the rich text of `doc`, or verbatim into its one plain text."""
    current, texts = to_prosemirror(doc), root_texts(doc)
    if is_blocknote(current):
        raise ContentError("the document is one of BlockNote's, which cannot be written as Markdown")
    if has_blocks(current) or not texts:
        replace(doc, merge_markdown(current, source))
    elif len(texts) == 1:
        replace_text(doc.get(next(iter(texts)), type=Text), source)
    else:
        raise ContentError(f"the document has several texts: {', '.join(texts)}")


def merge_markdown(current: Node, source: str) -> Node:
    """`source` as ProseMirror JSON, where blocks that read the same in Markdown are those of `current`.

    So writing back what was read changes nothing: underlines, column widths, unknown nodes, empty lines stay
    where the Markdown was not edited.
    """
    leading, *old = _with_followers(children(current))
    new = [[block] for block in children(parse_markdown(source))]
    merged, kept = [leading], 0
    for change in changes([_source(blocks) for blocks in old], [_source(blocks) for blocks in new]):
        merged += old[kept : change.start] + new[change.new_start : change.new_stop]
        kept = change.stop
    return document([block for blocks in merged + old[kept:] for block in blocks])


def _with_followers(blocks: list[Node]) -> list[list[Node]]:
    """Blocks that show in Markdown, each with those after it that do not; first those before any."""
    groups: list[list[Node]] = [[]]
    for block in blocks:
        if _source([block]):
            groups.append([])
        groups[-1].append(block)
    return groups


def _source(blocks: list[Node]) -> str:
    return of_document(document(blocks[:1]))
