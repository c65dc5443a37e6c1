"""The words of mails: one template for each, and two layouts that make text and HTML of it."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

LETTERS = Path(__file__).parent / "letters"

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_ADDRESSES = ("link", "unsubscribe")
"""What Doxie itself has put together."""
_LONGEST = 200
"""Characters of what people wrote themselves (a name, a title) that get into a mail."""


@dataclass(frozen=True, slots=True)
class Written:
    """A mail's subject (one line) and its two forms."""

    subject: str
    text: str
    html: str
    unsubscribe: str | None = None
    """Where one ends such mails."""


def write(template: str, context: Mapping[str, str | Sequence[str]]) -> Written:
    """The words of a template, with everything in the context on one line.

    What people chose themselves, as a name, is text in a mail and nothing else: no markup, no link,
    no second line, no line of a header, no essay.
    """
    given = {name: value if name in _ADDRESSES else _given(value) for name, value in context.items()}
    text = _TEXT.get_template(f"{template}.jinja")
    subject = "".join(text.blocks["subject"](text.new_context({**given, "layout": "layout.txt"})))
    return Written(
        subject=_one_line(subject),
        text=text.render(given, layout="layout.txt").strip() + "\n",
        html=_HTML.get_template(f"{template}.jinja").render(given, layout="layout.html"),
        unsubscribe=str(context["unsubscribe"]) if "unsubscribe" in context else None,
    )


def _given(value: str | Sequence[str]) -> str | list[str]:
    return _harmless(value) if isinstance(value, str) else [_harmless(item) for item in value]


def _harmless(value: str) -> str:
    return _one_line(value).replace("://", ": ")[:_LONGEST]


def _one_line(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()


def _wrapped(text: str) -> str:
    return "\n\n".join(
        textwrap.fill(paragraph, 72, break_long_words=False, break_on_hyphens=False) for paragraph in _paragraphs(text)
    )


def _marked_up(text: str) -> Markup:
    style = Markup("margin:0 0 16px;font-size:16px;line-height:24px")
    return Markup("\n").join(
        Markup('<p style="{}">{}</p>').format(style, Markup(paragraph))  # noqa: S704 - escaped by the template
        for paragraph in _paragraphs(str(escape(text)))
    )


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(LETTERS),
        autoescape=autoescape,  # noqa: S701 - the text form is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


_TEXT = _environment(autoescape=False)
_TEXT.filters["paragraphs"] = _wrapped
_HTML = _environment(autoescape=True)
_HTML.filters["paragraphs"] = _marked_up
