"""Signed tokens: EdDSA JSON Web Tokens of one type each.

PyJWT checks neither the type of a token nor that it has an expiry unless told to, so `verify`
demands both, and the key id, issuer and audience.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from infra import clock
from infra.settings import Settings

ISSUER = "doxie"
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "typ"]

TokenType = Literal["access", "collab", "download", "federation", "second_factor"]


class TokenError(ValueError):
    """The token is not one of ours, not of this type, or over."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Issues and verifies tokens with one key pair."""

    private_key: Ed25519PrivateKey
    public_key: Ed25519PublicKey
    kid: str

    @classmethod
    def from_settings(cls, settings: Settings) -> "Signer":
        """The signer of this deployment.

        Raises:
            ValueError: the signing key is missing or no Ed25519 key.
        """
        pem = settings.signing_key.get_secret_value().replace("\\n", "\n").encode()
        private_key = load_pem_private_key(pem, password=None)
        if not isinstance(private_key, Ed25519PrivateKey):
            raise ValueError("DOXIE_SIGNING_KEY must be an Ed25519 private key in PEM")
        public_key = private_key.public_key()
        raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        kid = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:12]).decode()
        return cls(private_key, public_key, kid)

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
        try:
            header = jwt.get_unverified_header(token)
            if header.get("kid") != self.kid:
                raise TokenError("unknown key")
            claims: dict[str, Any] = jwt.decode(
                token,
                self.public_key,
                algorithms=["EdDSA"],
                audience=f"doxie:{typ}",
                issuer=ISSUER,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenError(str(error)) from error
        if claims["typ"] != typ:
            raise TokenError("wrong type of token")
        return claims
