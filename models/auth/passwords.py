"""Passwords: which are accepted, how they are stored and checked.

Hashing is slow by design, so nothing here takes a database session: call it outside of a transaction.
"""

import unicodedata
from functools import cache
from pathlib import Path

from infra import hashing
from models.auth.tables import User
from models.errors import Invalid, Unauthenticated

SHORTEST, LONGEST = 8, 1024
_TELLING = 4
"""What of a name or an address is shorter than this may occur in a password by chance."""


class WrongCredentials(Unauthenticated):
    """The email address and the password do not belong together."""


class WeakPassword(Invalid):
    """A password has 8 to 1024 characters, is not one of the common ones, and does not contain your name or address."""


async def hash_new_password(password: str, *, email: str = "", name: str = "") -> str:
    """The hash to store for a password.

    Raises:
        WeakPassword: too short, too long, too common, or made of who it is for.
    """
    password = _normal(password)
    if not SHORTEST <= len(password) <= LONGEST or _is_guessed(password.casefold(), email, name):
        raise WeakPassword()
    return await hashing.hash_password(password)


async def verify(user: User | None, password: str) -> User:
    """The user, if the password is theirs; takes as long where there is no such user.

    A hash made with weaker parameters than today's is made anew; `sign_in` stores it.

    Raises:
        WrongCredentials: it is not.
    """
    stored = user.password_hash if user else None
    password = _normal(password[:LONGEST])
    if not await hashing.verify_password(stored, password) or user is None:
        raise WrongCredentials()
    if hashing.needs_rehash(str(stored)):
        user.password_hash = await hashing.hash_password(password)
    return user


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _is_guessed(password: str, email: str, name: str) -> bool:
    known = [email, email.partition("@")[0], *name.split()]
    return password in _common() or any(word in password for word in map(str.casefold, known) if len(word) >= _TELLING)


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="ascii").splitlines()
    return frozenset(line.casefold() for line in lines if not line.startswith("# "))
