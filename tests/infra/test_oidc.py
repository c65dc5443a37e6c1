"""ID tokens that look right and are not."""

import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from infra import oidc
from infra.oidc import AnswerRefused

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
KEYS: dict[str, Any] = dict(KeySet([RSA, EC]).as_dict(private=False))
RIGHT = {"issuer": "https://provider.example", "client_id": "doxie", "nonce": "nonce"}


def claims(**changed: Any) -> dict[str, Any]:
    """Good claims, with changes; None takes one out."""
    now = int(time.time())
    good = {
        "iss": RIGHT["issuer"],
        "aud": RIGHT["client_id"],
        "nonce": RIGHT["nonce"],
        "sub": "sam",
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(content: dict[str, Any], key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    """A token."""
    known = {"alg": alg, "kid": key.kid, **header}
    return jwt.encode({name: value for name, value in known.items() if value}, content, key, algorithms=[alg])


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS512"), (EC, "ES256")])
def test_a_token_verifies(key: Any, alg: str) -> None:
    assert oidc.verify(signed(claims(), key, alg), KEYS, **RIGHT)["sub"] == "sam"


@pytest.mark.parametrize("aud", [["doxie"], ["doxie", "other"]])
def test_several_audiences_need_the_authorized_party(aud: list[str]) -> None:
    assert oidc.verify(signed(claims(aud=aud, azp="doxie")), KEYS, **RIGHT)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": None},
        {"iss": "https://provider.example/"},
        {"iss": ["https://provider.example"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 256},
        {"aud": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": ["doxie", "other"]},
        {"aud": ["doxie", "other"], "azp": "other"},
        {"azp": "other"},
        {"nonce": None},
        {"nonce": "other"},
        {"nonce": ["nonce"]},
        {"exp": None},
        {"exp": 1},
        {"exp": "tomorrow"},
        {"iat": None},
        {"iat": "today"},
        {"iat": 2**40},
        {"nbf": 2**40},
    ],
)
def test_wrong_claims_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(AnswerRefused):
        oidc.verify(signed(claims(**changed)), KEYS, **RIGHT)


def test_a_token_goes_with_its_access_token() -> None:
    half = hashlib.sha256(b"access").digest()[:16]
    token = signed(claims(at_hash=_b64(half)))
    assert oidc.verify(token, KEYS, **RIGHT, access_token="access")
    with pytest.raises(AnswerRefused):
        oidc.verify(token, KEYS, **RIGHT, access_token="another")


def test_other_keys_and_algorithms_are_refused() -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "rsa"})
    public = RSA.as_pem(private=False)
    good = signed(claims())
    header, payload, signature = good.split(".")
    none = _b64(b'{"alg":"none"}')
    mac = ".".join((_b64(b'{"alg":"HS256","kid":"rsa"}'), payload))
    forged = [
        signed(claims(), stranger),
        signed(claims(), RSAKey.generate_key(2048, {"kid": "unknown"})),
        f"{mac}.{_b64(hmac.digest(public, mac.encode(), 'sha256'))}",
        f"{none}.{payload}.",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[::-1]}",
        f"{header}.{payload}",
        "nonsense",
        "",
        "a.b.c",
        "é.é.é",
    ]
    for token in forged:
        with pytest.raises(AnswerRefused):
            oidc.verify(token, KEYS, **RIGHT)


@pytest.mark.parametrize(
    "keys", [{}, {"keys": []}, {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, {"keys": [{}]}, {"keys": 7}]
)
def test_a_provider_without_good_keys_signs_nobody_in(keys: dict[str, Any]) -> None:
    with pytest.raises(AnswerRefused):
        oidc.verify(signed(claims()), keys, **RIGHT)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
