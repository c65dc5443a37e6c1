"""Honest answers to "is it up?": each probe asks the service what its clients will ask."""

import asyncio
import time
import urllib.request
from collections.abc import Awaitable, Callable
from http.client import HTTPException
from urllib.parse import unquote, urlsplit

from infra.stack.errors import NotReady, StackError

Probe = Callable[[], Awaitable[None]]
"""Returns once the service answers; raises NotReady when it does not (yet)."""

TIMEOUT_SECONDS = 3
INTERVAL_SECONDS = 0.05


async def until_ready(probe: Probe, seconds: float) -> None:
    """Ask again and again until the service answers.

    Raises:
        NotReady: it did not in that time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await probe()
        except NotReady:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(INTERVAL_SECONDS)


def postgres(url: str) -> Probe:
    """A query is answered; a wrong password is a StackError."""
    import psycopg

    async def probe() -> None:
        try:
            connecting = psycopg.AsyncConnection.connect(url, connect_timeout=TIMEOUT_SECONDS)
            async with await connecting as connection:
                await connection.execute("SELECT 1")
        except psycopg.Error as error:
            if "authentication failed" in str(error):  # waiting would not help
                raise StackError(_first_line(error)) from error
            raise NotReady(_first_line(error)) from error

    return probe


def redis(url: str) -> Probe:
    """A PING with the password is answered."""

    async def probe() -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await _ping(url)
        except (OSError, EOFError) as error:
            raise NotReady(_first_line(error)) from error
        if answer != b"+PONG\r\n":
            raise NotReady(answer.decode(errors="replace").strip())

    return probe


def s3(endpoint: str, access_key: str, secret_key: str) -> Probe:
    """A signed request for the list of buckets is answered."""
    import urllib3
    from minio import Minio
    from minio.error import MinioException

    address = urlsplit(endpoint)
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(TIMEOUT_SECONDS), retries=False)
    client = Minio(
        address.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=address.scheme == "https",
        region="us-east-1",
        http_client=pool,
    )

    async def probe() -> None:
        try:
            await asyncio.to_thread(client.list_buckets)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NotReady(_first_line(error)) from error

    return probe


def http(url: str) -> Probe:
    """A GET is answered with 200."""

    async def probe() -> None:
        try:
            await asyncio.to_thread(_get, url)
        except (OSError, HTTPException) as error:
            raise NotReady(_first_line(error)) from error

    return probe


async def _ping(url: str) -> bytes:
    """The answer to PING; the whole client library would take longer to import than Valkey to start."""
    parts = urlsplit(url)
    port, tls = parts.port or 6379, parts.scheme == "rediss"
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls or None)
    try:
        if parts.password:
            writer.write(_command("AUTH", unquote(parts.username or "default"), unquote(parts.password)))
            if not (refusal := await reader.readuntil()).startswith(b"+OK"):
                return refusal
        writer.write(_command("PING"))
        return await reader.readuntil()
    finally:
        writer.close()


def _command(*words: str) -> bytes:
    parts = (f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def _get(url: str) -> None:
    # Nothing on this machine is reached through a proxy, whatever the environment says.
    loopback = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    handlers = [urllib.request.ProxyHandler({})] if loopback else []
    with urllib.request.build_opener(*handlers).open(url, timeout=TIMEOUT_SECONDS):
        pass


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]
