"""Markdown written over a richer document without losing what Markdown cannot say."""

from models.content.diff import changes
from models.content.markdown import of_document
from models.content.markdown_parser import parse_markdown
from models.content.schema import Node, children, document


def merge_markdown(current: Node, source: str) -> Node:
    """`source` as ProseMirror JSON, where blocks that read the same in Markdown are those of `current`.

    So writing back what was read changes nothing: underlines, column widths, unknown nodes and empty lines stay
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
