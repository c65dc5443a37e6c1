"""Tokens that look right and are not."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.tokens import Signer, TokenError
from tests.conftest import Stack


@pytest.fixture(scope="module")
def signer(stack: Stack) -> Signer:
    return Signer.from_settings(stack.settings)


def test_a_token_verifies(signer: Signer) -> None:
    token = signer.issue("access", sub="somebody", seconds=60, sid="session")
    assert signer.verify(token, typ="access")["sub"] == "somebody"


@pytest.mark.parametrize("missing", ["exp", "iat", "iss", "aud", "sub", "jti", "typ"])
def test_every_claim_is_required(signer: Signer, missing: str) -> None:
    claims = _claims(signer)
    del claims[missing]
    with pytest.raises(TokenError):
        signer.verify(_encode(signer, claims), typ="access")


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1},
        {"typ": "refresh"},
        {"typ": "collab", "aud": "doxie:collab"},
        {"aud": "doxie:collab"},
        {"aud": "elsewhere"},
        {"iss": "elsewhere"},
        {"iat": 2**40},
        {"exp": "tomorrow"},
    ],
)
def test_wrong_claims_are_refused(signer: Signer, changed: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        signer.verify(_encode(signer, _claims(signer) | changed), typ="access")


def test_other_keys_and_algorithms_are_refused(signer: Signer) -> None:
    claims = _claims(signer)
    stranger = Ed25519PrivateKey.generate()
    headers = {"kid": signer.kid}
    forged = [
        jwt.encode(claims, stranger, algorithm="EdDSA", headers=headers),
        jwt.encode(claims, "", algorithm="none", headers=headers),
        jwt.encode(claims, "secret" * 10, algorithm="HS256", headers=headers),
        jwt.encode(claims, signer.private_key, algorithm="EdDSA"),
        jwt.encode(claims, signer.private_key, algorithm="EdDSA", headers={"kid": "another"}),
    ]
    for token in forged:
        with pytest.raises(TokenError):
            signer.verify(token, typ="access")


def _claims(signer: Signer) -> dict[str, Any]:
    token = signer.issue("access", sub="somebody", seconds=60, sid="session")
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _encode(signer: Signer, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, signer.private_key, algorithm="EdDSA", headers={"kid": signer.kid})
