"""Conversion of documents between Yjs, ProseMirror JSON, Markdown, HTML and plain text. Pure: no I/O.

Call none of it on a document that was not applied safely: reading a damaged one can end the process.
"""

from models.content.edit import replace
from models.content.edit_text import replace_text
from models.content.html import to_html
from models.content.markdown import of_document as markdown_of
from models.content.markdown import to_markdown
from models.content.markdown_parser import parse_markdown
from models.content.merge import merge_markdown, write_markdown
from models.content.roots import YDoc, root_texts, shown, to_prosemirror
from models.content.schema import ContentError
from models.content.text import to_text
from models.content.validate import normalize, validate_prosemirror

__all__ = [
    "ContentError",
    "YDoc",
    "markdown_of",
    "merge_markdown",
    "normalize",
    "parse_markdown",
    "replace",
    "replace_text",
    "root_texts",
    "shown",
    "to_html",
    "to_markdown",
    "to_prosemirror",
    "to_text",
    "validate_prosemirror",
    "write_markdown",
]
