"""The secrets of a home: generated once, kept in `secrets.env`."""

import secrets
from collections.abc import Callable, Mapping

from infra.stack.files import PRIVATE_FILE, read_env, write_env
from infra.stack.home import Home


def ensure(home: Home) -> dict[str, str]:
    """All secrets of the home; those that are missing are made and written."""
    known = read_env(home.secrets)
    missing = {name: make() for name, make in _MAKERS.items() if name not in known}
    if missing:
        write_env(home.secrets, known | missing)
    home.secrets.chmod(PRIVATE_FILE)
    return known | missing


def _password() -> str:
    return secrets.token_urlsafe(24)


def _access_key() -> str:
    return secrets.token_hex(10)


def _secret_key() -> str:
    return secrets.token_urlsafe(32)


def _signing_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key.decode()


_MAKERS: Mapping[str, Callable[[], str]] = {
    "DOXIE_POSTGRES_PASSWORD": _password,
    "DOXIE_APP_DB_PASSWORD": _password,
    "DOXIE_PREFECT_DB_PASSWORD": _password,
    "DOXIE_REDIS_PASSWORD": _password,
    "DOXIE_S3_ACCESS_KEY": _access_key,
    "DOXIE_S3_SECRET_KEY": _secret_key,
    "DOXIE_SECRET_KEY": _secret_key,
    "DOXIE_SIGNING_KEY": _signing_key,
}
