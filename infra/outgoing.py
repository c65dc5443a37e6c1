"""Requests to addresses that users name: to public hosts only, and to the very address that was looked at.

A name is resolved once; each of its addresses must be public, and the connection goes to one of them. Looking again
when connecting would let a name point elsewhere in between.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

TIMEOUT_SECONDS: Final = 10.0
MOST_ANSWER_BYTES: Final = 64 * 1024
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Forbidden(ValueError):
    """That address is none to send anything to."""


class Unanswered(Exception):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str


async def post(url: str, content: bytes, headers: Mapping[str, str], *, allow_private: bool = False) -> Answer:
    """Post something, follow nothing.

    Raises:
        Forbidden: the address is not public (unless `allow_private`), or no HTTP address.
        Unanswered: there is no such host, it does not answer in time, or it says something else than HTTP.
    """
    parts = check(url, allow_private=allow_private)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = await _resolved(host, port, allow_private=allow_private)
    literal = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
    sent = {**headers, "host": parts.netloc.rpartition("@")[2]}
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(
                verify=_tls(), trust_env=False, follow_redirects=False, timeout=TIMEOUT_SECONDS
            ) as client,
            client.stream("POST", target, content=content, headers=sent, extensions={"sni_hostname": host}) as answer,
        ):
            return Answer(answer.status_code, await _beginning(answer))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise Unanswered(f"{type(error).__name__}: {error}"[:500]) from error


def check(url: str, *, allow_private: bool = False) -> SplitResult:
    """The parts of an address that something may be sent to.

    Raises:
        Forbidden: it is none.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Forbidden(str(error)) from error
    schemes = ("http", "https") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
        raise Forbidden(f"an address begins with {' or '.join(schemes)} and holds no credentials")
    return parts


@cache
def _tls() -> ssl.SSLContext:
    """Reading all certificate authorities takes tens of milliseconds: once, and not for each request."""
    return httpx.create_ssl_context(trust_env=False)


async def _resolved(host: str, port: int, *, allow_private: bool) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unanswered(f"there is no host {host}") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(_is_public(address) for address in addresses):
        raise Forbidden(f"{host} is not a public host")
    return addresses[0]


def _is_public(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or _translated(parsed)
        if inner is not None and not inner.is_global:
            return False
    return parsed.is_global and not parsed.is_multicast


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that NAT64 makes of an IPv6 address."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


async def _beginning(answer: httpx.Response) -> str:
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MOST_ANSWER_BYTES:
            break
    return bytes(body[:2000]).decode(errors="replace")
