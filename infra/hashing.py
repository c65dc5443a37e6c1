"""Passwords (Argon2id in a bounded pool) and content hashes."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS: Final = min(4, max(1, (os.cpu_count() or 1) // 2))
MAX_WAITING: Final = 100
"""So many passwords wait for a thread, a second or two; more would wait in vain."""

T = TypeVar("T")


class Busy(Exception):
    """Too many passwords are being checked right now: try again in a moment."""


_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


# Argon2 releases the GIL: half of the cores stay for everything else, however many sign in. The threads have the same
# priority as the one that serves requests: with less, one that holds the GIL would be put aside, and everybody waits.
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="argon2")
_asked = 0

_dummy = _hasher.hash("a password nobody has")


async def hash_password(password: str) -> str:
    """Argon2id hash of a password in PHC string form.

    Raises:
        Busy: too many wait already.
    """
    return await _in_turn(lambda: _hasher.hash(password))


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password fits; for an unknown user (None) as slow as for a known one.

    Raises:
        Busy: too many wait already.
    """
    matches = await _in_turn(lambda: _verify(stored or _dummy, password))
    return matches and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


async def _in_turn(work: Callable[[], T]) -> T:
    global _asked  # noqa: PLW0603 (one pool, one count)
    if _asked >= THREADS + MAX_WAITING:
        raise Busy()
    _asked += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work)
    finally:
        _asked -= 1


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
