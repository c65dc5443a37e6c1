"""Secrets at rest."""

import pytest
from pydantic import SecretStr

from infra import sealing
from infra.settings import Settings

SETTINGS = Settings(secret_key=SecretStr("one"))


def test_a_secret_comes_back() -> None:
    sealed = sealing.seal(SETTINGS, "totp", b"secret", place=b"row")
    assert b"secret" not in sealed
    assert sealing.unseal(SETTINGS, "totp", sealed, place=b"row") == b"secret"
    assert sealing.seal(SETTINGS, "totp", b"secret", place=b"row") != sealed


def test_nothing_else_opens_it() -> None:
    sealed = sealing.seal(SETTINGS, "totp", b"secret", place=b"row")
    flipped = bytes([*sealed[:-1], sealed[-1] ^ 1])
    for settings, purpose, data, place in (
        (Settings(secret_key=SecretStr("two")), "totp", sealed, b"row"),
        (SETTINGS, "webhook", sealed, b"row"),
        (SETTINGS, "totp", sealed, b"another row"),
        (SETTINGS, "totp", flipped, b"row"),
        (SETTINGS, "totp", b"short", b"row"),
    ):
        with pytest.raises(sealing.SealBroken):
            sealing.unseal(settings, purpose, data, place=place)
