"""Show how a start or a stop goes on: plain lines, in colour on a terminal."""

import re
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import typer

_CREDENTIALS = re.compile(r"//[^/@]*@")


class Progress:
    """One line for each thing that happens; on a terminal also what is being waited for."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._line, self._status = _terminal() if sys.stdout.isatty() else (_plain, _silent)

    def begin(self, name: str) -> None:
        """Something is started or stopped."""
        self._waiting.append(name)
        self._status(", ".join(self._waiting))

    def done(self, name: str, seconds: float, detail: str = "") -> None:
        """It is up, or gone."""
        self._waiting = [other for other in self._waiting if other != name]
        self._line("✓", f"{name:<9} {seconds:5.1f} s   {detail}".rstrip())
        self._status(", ".join(self._waiting))

    def note(self, text: str) -> None:
        """Something that is worth a line of its own."""
        self._line("·", text)

    def end(self) -> None:
        """Nothing is being waited for any more."""
        self._waiting.clear()
        self._status("")


def redacted(url: str | None) -> str:
    """A URL without its credentials, for the screen."""
    return _CREDENTIALS.sub("//", url or "")


def address(url: str | None) -> str:
    """Host and port of a URL."""
    return urlsplit(url or "").netloc.rpartition("@")[2]


def _plain(mark: str, text: str) -> None:
    typer.echo(f"{mark} {text}")


def _silent(_: str) -> None:
    pass


def _terminal() -> tuple[Callable[[str, str], None], Callable[[str], None]]:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    spinner = console.status("")
    colours = {"✓": "green", "·": "yellow"}

    def line(mark: str, text: str) -> None:
        console.print(f"[{colours[mark]}]{mark}[/] {escape(text)}")

    def status(waiting: str) -> None:
        spinner.update(f"{escape(waiting)} …")
        spinner.start() if waiting else spinner.stop()

    return line, status
