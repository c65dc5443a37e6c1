"""Passwords (Argon2id in a bounded pool) and content hashes."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Argon2 releases the GIL, so two threads keep both cores busy at most; more would only let a burst
# of logins starve every other request.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")

_dummy = _hasher.hash("a password nobody has")


async def hash_password(password: str) -> str:
    """Argon2id hash of a password in PHC string form."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password fits; for an unknown user (None) as slow as for a known one."""
    matches = await asyncio.get_running_loop().run_in_executor(_pool, _verify, stored or _dummy, password)
    return matches and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
