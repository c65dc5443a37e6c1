"""The address of whoever sends a request, where proxies of our own stand in between.

A forwarded header is only believed as far as proxies we trust have written it: read from the right, the first hop
that is none of them is the client. Everything left of it the client may have invented.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FOR: Final = re.compile(r'(?:^|;)\s*for="?([^;,"]*)"?', re.IGNORECASE)
MAX_HOPS: Final = 20


def client_address(peer: str, forwarded: str | None, x_forwarded_for: str | None, trusted: Sequence[str]) -> str:
    """The address a request comes from.

    Args:
        peer: whose connection it is.
        forwarded: the `Forwarded` header (RFC 7239), several joined by commas; it wins over the other.
        x_forwarded_for: the `X-Forwarded-For` header.
        trusted: networks of proxies that may say for whom they ask.
    """
    networks = _networks(tuple(trusted))
    client = peer
    hops = _hops(forwarded, x_forwarded_for)
    while hops and _within(client, networks):
        hop = _parsed(hops.pop())
        if hop is None:
            break  # hidden or nonsense: the proxy that wrote it is all we know
        client = str(hop)
    return client


def neighbourhood(address: str) -> str:
    """What counts as one for limits: an IPv4 address, or the /64 that one IPv6 customer has."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed) if parsed else "unknown"


def _hops(forwarded: str | None, x_forwarded_for: str | None) -> list[str]:
    if forwarded is not None:
        found = [_FOR.search(element) for element in forwarded.split(",")]
        hops = [match[1] if match else "" for match in found]
    else:
        hops = (x_forwarded_for or "").split(",") if x_forwarded_for else []
    return hops[-MAX_HOPS:]


def _within(address: str, networks: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    """An address, perhaps in brackets and with a port; an IPv4 address inside IPv6 is taken out."""
    text = text.strip()
    if match := re.fullmatch(r"\[([^\]]*)\](?::\d+)?", text) or re.fullmatch(r"(\d+\.\d+\.\d+\.\d+):\d+", text):
        text = match[1]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=16)
def _networks(trusted: tuple[str, ...]) -> list[Network]:
    """Raises ValueError for what is no network."""
    return [ip_network(network, strict=False) for network in trusted]
