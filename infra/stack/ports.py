"""Ports: the fixed ones that clients know, and free ones that a home remembers."""

import json
import os
import random
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.stack import weed_sockets
from infra.stack.errors import StackError
from infra.stack.files import write_private

LOOPBACK = "127.0.0.1"
GRPC_OFFSET = 10_000
"""SeaweedFS opens this much above each of its ports, too."""

# Below the range that Linux hands out to outgoing connections (32768 up): there, a port that was
# free a moment ago may be the near end of somebody's connection. The first range stays below it
# with the offset added, too.
_PAIRED = range(10_240, 22_000)
_SINGLE = range(22_000, 32_000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Ports:
    """Hands out ports; no two services get the same one."""

    def __init__(self, file: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._file = file
        self._environ = environ
        self._remembered: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._given: set[int] = set()

    def fixed(self, service: str, variable: str, default: int, host: str = LOOPBACK) -> int:
        """The port that a variable names; 0 means any free one.

        Raises:
            StackError: the variable holds no port, or the port is taken.
        """
        port = self._from_environment(variable, default)
        if port == 0:
            return self.chosen(service)
        if port in self._given or not is_free(port, host):
            raise StackError(f"port {port} for {service} is taken: free it, or set {variable} (0 picks one)")
        self._given.add(port)
        return port

    def chosen(self, service: str) -> int:
        """A free port, the same as last time where it is still free."""
        return self._choose(service, _SINGLE, offsets=(0,))

    def paired(self, service: str) -> int:
        """A port of SeaweedFS: free, as its neighbour `GRPC_OFFSET` above, with no socket file of somebody else's."""
        return self._choose(service, _PAIRED, offsets=(0, GRPC_OFFSET), usable=weed_sockets.removable)

    def save(self) -> None:
        """Remember the chosen ports for the next start."""
        write_private(self._file, json.dumps(self._remembered, indent=2) + "\n")

    def _choose(
        self,
        service: str,
        candidates: range,
        offsets: tuple[int, ...],
        usable: Callable[[int], bool] = lambda _port: True,
    ) -> int:
        remembered = [self._remembered[service]] if service in self._remembered else []
        for port in remembered + random.sample(candidates, k=200):
            wanted = [port + offset for offset in offsets]
            if all(one not in self._given and is_free(one) and usable(one) for one in wanted):
                self._remembered[service] = port
                self._given.update(wanted)
                return port
        raise StackError(f"no free port for {service} between {candidates.start} and {candidates.stop}")

    def _from_environment(self, variable: str, default: int) -> int:
        value = self._environ.get(variable) or str(default)
        if not value.isdecimal() or int(value) > 65_535:
            raise StackError(f"{variable} is {value!r}, which is no port")
        return int(value)
