"""Secrets at rest: AES-256-GCM under keys derived from `DOXIE_SECRET_KEY`."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.settings import Settings

_NONCE_BYTES = 12


class SealBroken(ValueError):
    """This was not sealed here, for this purpose and place; or the secret key is another one."""


def seal(settings: Settings, purpose: str, secret: bytes, *, place: bytes) -> bytes:
    """A secret, readable for this purpose and at this place (the id of its row) only: nonce ‖ ciphertext ‖ tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key(settings, purpose)).encrypt(nonce, secret, place)


def unseal(settings: Settings, purpose: str, sealed: bytes, *, place: bytes) -> bytes:
    """The secret.

    Raises:
        SealBroken: there is none that could be read.
    """
    try:
        return AESGCM(_key(settings, purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(purpose) from error


def _key(settings: Settings, purpose: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"doxie:{purpose}".encode())
    return derivation.derive(settings.secret_key.get_secret_value().encode())
