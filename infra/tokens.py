"""Signed tokens: EdDSA JSON Web Tokens of one type each, by one key of a ring.

PyJWT checks neither the type of a token nor that it has an expiry unless told to, so `verify`
demands both, and the key id, issuer and audience.
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from infra import clock
from infra.logging import get_logger
from infra.settings import Settings

log = get_logger(__name__)

ISSUER = "doxie"
LONGEST: Final = 4096
"""Characters of a token. Ours have about 500."""
RELOAD_SECONDS: Final = 20.0
PATIENCE_SECONDS: Final = 3.0
PAUSE_SECONDS: Final = 1.0
"""Between two looks at the keys, however many unknown ones are presented."""
KNOWN_AT_MOST: Final = 4096
"""Tokens that were verified already: whoever comes back shows the same one, and in a storm everybody does."""
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "typ"]
_HEADER = {"alg", "kid", "typ"}

TokenType = Literal["access", "collab", "download", "federation", "second_factor", "shared"]


class TokenError(ValueError):
    """The token is not one of ours, not of this type, or over."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the ring."""

    kid: str
    public: Ed25519PublicKey
    private: Ed25519PrivateKey | None
    """None: it only verifies."""
    signs_from: float = 0.0
    """Seconds since 1970; of those that may sign, the one that began last does."""
    verifies_until: float | None = None

    @classmethod
    def of(cls, private: Ed25519PrivateKey, *, signs_from: float = 0.0, verifies_until: float | None = None) -> "Key":
        """A key that is named after itself."""
        public = private.public_key()
        return cls(kid_of(public), public, private, signs_from, verifies_until)


class Signer:
    """Issues tokens with the current key, and verifies those of every key in the ring."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._ring = {key.kid: key for key in keys}
        self._known: dict[tuple[TokenType, str], tuple[str, dict[str, Any]]] = {}
        """Type and token → key id and claims, oldest first."""
        self._doubt = asyncio.Event()
        self._doubt.set()  # until the keys were read once

    @classmethod
    def from_settings(cls, settings: Settings) -> "Signer":
        """A signer with the one key of the settings.

        Raises:
            ValueError: the signing key is missing or no Ed25519 key.
        """
        return cls([Key.of(private_key(settings))])

    @property
    def kid(self) -> str:
        """The key that signs now."""
        return self._current().kid

    @property
    def private_key(self) -> Ed25519PrivateKey:
        """The same."""
        private = self._current().private
        assert private is not None
        return private

    def replace(self, keys: Sequence[Key]) -> None:
        """Use another ring from now on."""
        self._ring = {key.kid: key for key in keys}

    def issue(self, typ: TokenType, *, sub: str, seconds: int, **claims: Any) -> str:
        """A token of a type for a subject that ends after so many seconds."""
        issued = int(clock.now().timestamp())
        payload = {
            **claims,
            "typ": typ,
            "sub": sub,
            "iss": ISSUER,
            "aud": f"doxie:{typ}",
            "iat": issued,
            "exp": issued + seconds,
            "jti": str(clock.new_id()),
        }
        return jwt.encode(payload, self.private_key, algorithm="EdDSA", headers={"kid": self.kid, "typ": f"{typ}+jwt"})

    def verify(self, token: str, *, typ: TokenType) -> dict[str, Any]:
        """The claims of a token of this type.

        Raises:
            TokenError: for every other string.
        """
        if len(token) > LONGEST:
            raise TokenError("too long")
        if (known := self._known.get((typ, token))) is not None:
            kid, claims = known
            if claims["exp"] > clock.now().timestamp() and self._verifies(self._ring.get(kid)):
                return claims.copy()
            del self._known[typ, token]
        key = self._key_of(token, typ)
        try:
            claims = jwt.decode(
                token,
                key.public,
                algorithms=["EdDSA"],
                audience=f"doxie:{typ}",
                issuer=ISSUER,
                options={"require": _REQUIRED, "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenError(str(error)) from error
        if claims["typ"] != typ:
            raise TokenError("wrong type of token")
        if len(self._known) >= KNOWN_AT_MOST:
            del self._known[next(iter(self._known))]
        self._known[typ, token] = key.kid, claims
        return claims.copy()

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517): the one that signs, those before, the one to come."""
        return {"keys": [_jwk(key) for key in self._verifying()]}

    async def reload(self, load: Callable[[], Awaitable[Sequence[Key]]]) -> None:
        """Make the ring current; where that does not work the keys known so far stay."""
        self._doubt.clear()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self.replace(await load())
        except Exception as error:  # whatever is wrong, there is another look soon
            log.warning("signing keys not read", error=repr(error))
            self._doubt.set()

    async def follow(self, load: Callable[[], Awaitable[Sequence[Key]]]) -> None:
        """Keep the ring current for as long as this task lives: now and then, and soon after an unknown key."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RELOAD_SECONDS):
                    await self._doubt.wait()
            await self.reload(load)
            await asyncio.sleep(PAUSE_SECONDS)

    def _key_of(self, token: str, typ: TokenType) -> Key:
        # What is in the header may choose among our keys and nothing else: no URL, no key of its own.
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenError(str(error)) from error
        if set(header) != _HEADER or header["typ"] != f"{typ}+jwt":
            raise TokenError("not a header of ours")
        key = self._ring.get(header["kid"])
        if key is None:
            self._doubt.set()
            raise TokenError("unknown key")
        if not self._verifies(key):
            raise TokenError("the key is retired")
        return key

    def _current(self) -> Key:
        now = clock.now().timestamp()
        usable = [key for key in self._verifying() if key.private is not None and key.signs_from <= now]
        return max(usable, key=lambda key: key.signs_from)

    def _verifying(self) -> list[Key]:
        return [key for key in self._ring.values() if self._verifies(key)]

    def _verifies(self, key: Key | None) -> bool:
        """Whether it is in the ring still, and not retired."""
        return key is not None and (key.verifies_until is None or key.verifies_until > clock.now().timestamp())


def private_key(settings: Settings) -> Ed25519PrivateKey:
    """The first key of a deployment.

    Raises:
        ValueError: the signing key is missing or no Ed25519 key.
    """
    pem = settings.signing_key.get_secret_value().replace("\\n", "\n").encode()
    private = load_pem_private_key(pem, password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("DOXIE_SIGNING_KEY must be an Ed25519 private key in PEM")
    return private


def kid_of(public: Ed25519PublicKey) -> str:
    """What a key is called."""
    return base64.urlsafe_b64encode(hashlib.sha256(_raw(public)).digest()[:12]).decode()


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _jwk(key: Key) -> dict[str, Any]:
    x = base64.urlsafe_b64encode(_raw(key.public)).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x}
