"""A network of its own for a process, which can be cut off from the stores while its clients still reach it.

Two cables lead there: one for clients and one for stores. Cutting one is silent, as when a switch fails: nobody is
told, and what is sent goes nowhere.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_NOBODY: Final = "02:00:00:00:00:01"
"""A hardware address that nothing has."""


class NotPermitted(Exception):
    """This machine does not let us make networks."""


@dataclass(frozen=True, slots=True)
class _Cable:
    outside: str
    inside: str
    here: str
    """The address of this side."""
    there: str


class Island:
    """A network namespace."""

    def __init__(self, name: str, clients: _Cable, stores: _Cable) -> None:
        self.name = name
        self.address = clients.there
        """Where clients find what listens there."""
        self.mainland = stores.here
        """Where it finds the stores."""
        self._stores = stores

    @property
    def inside(self) -> list[str]:
        """What the command is an argument of that is to run there."""
        return ["ip", "netns", "exec", self.name]

    def cut(self) -> None:
        """Let nothing through between there and the stores, in either direction."""
        cable = self._stores
        _run("neigh", "replace", cable.there, "lladdr", _NOBODY, "dev", cable.outside, "nud", "permanent")
        neighbour = ("neigh", "replace", cable.here, "lladdr", _NOBODY, "dev", cable.inside, "nud", "permanent")
        _run("-n", self.name, *neighbour)

    def heal(self) -> None:
        """Let everything through again."""
        cable = self._stores
        _run("neigh", "del", cable.there, "dev", cable.outside)
        _run("-n", self.name, "neigh", "del", cable.here, "dev", cable.inside)


@contextmanager
def island() -> Iterator[Island]:
    """A network namespace with two cables to it.

    Raises:
        NotPermitted: one has to be root, in a place where networks may be made.
    """
    tag, net = secrets.token_hex(3), secrets.randbelow(200) + 20
    name = f"doxie-{tag}"
    clients = _Cable(f"dx{tag}0", f"dy{tag}0", f"10.213.{net}.1", f"10.213.{net}.2")
    stores = _Cable(f"dx{tag}1", f"dy{tag}1", f"10.213.{net}.5", f"10.213.{net}.6")
    try:
        _run("netns", "add", name)
        _run("-n", name, "link", "set", "lo", "up")
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotPermitted(getattr(error, "stderr", "") or str(error)) from error
    try:
        for cable in (clients, stores):
            _lay(name, cable)
        yield Island(name, clients, stores)
    finally:
        _run("netns", "del", name)  # and its cables with it


def _lay(name: str, cable: _Cable) -> None:
    _run("link", "add", cable.outside, "type", "veth", "peer", "name", cable.inside, "netns", name)
    _run("addr", "add", f"{cable.here}/30", "dev", cable.outside)
    _run("link", "set", cable.outside, "up")
    _run("-n", name, "addr", "add", f"{cable.there}/30", "dev", cable.inside)
    _run("-n", name, "link", "set", cable.inside, "up")


def _run(*arguments: str) -> None:
    environment = os.environ | {"LC_ALL": "C"}
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, env=environment)
