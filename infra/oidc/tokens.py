"""ID tokens: whether a provider says this, to us, now, about the sign-in that we began."""

from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from infra.oidc.errors import AnswerRefused

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""Signatures only: with a MAC or `none`, whoever knows the public key could sign."""

LEEWAY_SECONDS: Final = 60


class UnknownKey(AnswerRefused):
    """The provider signed with a key we have not seen: it may be new."""


def verify(
    id_token: str, keys: dict[str, Any], *, issuer: str, client_id: str, nonce: str, access_token: str | None = None
) -> dict[str, Any]:
    """The claims of an ID token: signature, iss, sub, aud, azp, exp, iat, nonce and at_hash hold.

    Raises:
        UnknownKey: none of the keys has its `kid`.
        AnswerRefused: it does not hold.
    """
    options = {
        "iss": {"essential": True, "value": issuer},
        "sub": {"essential": True},
        "aud": {"essential": True, "value": client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    try:
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        token = jwt.decode(id_token, KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]
        claims = CodeIDToken(
            token.claims,
            token.header,
            options,
            {"client_id": client_id, "nonce": nonce, "access_token": access_token},
        )
        claims.validate(leeway=LEEWAY_SECONDS)
    except InvalidKeyIdError as error:
        raise UnknownKey("the ID token is signed with an unknown key") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise AnswerRefused(f"the ID token does not hold: {type(error).__name__}: {error}") from error
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise AnswerRefused("the ID token names nobody")
    return dict(claims)
