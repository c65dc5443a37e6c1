"""Tokens that look right and are not; and keys that change while everybody stays signed in."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flows import operating
from infra import clock
from infra.settings import Settings
from infra.tokens import Key, Signer, TokenError, private_key
from models import auth
from tests.conftest import Stack
from tests.people import Pen, Person

Forge = Callable[[Signer], str]
STRANGER = Ed25519PrivateKey.generate()


@pytest.fixture
def signer() -> Signer:
    return Signer([Key.of(Ed25519PrivateKey.generate())])


def test_a_token_verifies(signer: Signer) -> None:
    token = signer.issue("access", sub="somebody", seconds=60, sid="session")
    assert signer.verify(token, typ="access")["sub"] == "somebody"
    assert signer.verify(encode(signer, claims(signer)), typ="access")["sub"] == "somebody"


def claims(signer: Signer, **changes: Any) -> dict[str, Any]:
    token = signer.issue("access", sub="somebody", seconds=60, sid="session")
    known: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return {name: value for name, value in (known | changes).items() if value is not None}


def encode(signer: Signer, payload: dict[str, Any], **headers: Any) -> str:
    """Signed with the right key; a header that is None is left out."""
    header = {"alg": "EdDSA", "typ": "access+jwt", "kid": signer.kid, **headers}
    return seal(signer, {name: value for name, value in header.items() if value is not None}, payload)


def seal(signer: Signer, header: Any, payload: Any) -> str:
    parts = [b64(json.dumps(part).encode() if not isinstance(part, bytes) else part) for part in (header, payload)]
    signature = signer.private_key.sign(".".join(parts).encode())
    return ".".join([*parts, b64(signature)])


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def changed(**changes: Any) -> Forge:
    return lambda signer: encode(signer, claims(signer, **changes))


def headed(**headers: Any) -> Forge:
    return lambda signer: encode(signer, claims(signer), **headers)


def foreign(key: Any, algorithm: str, **headers: Any) -> Forge:
    return lambda signer: jwt.encode(
        claims(signer), key, algorithm=algorithm, headers={"kid": signer.kid, "typ": "access+jwt", **headers}
    )


def of_type(typ: Any) -> Forge:
    return lambda signer: signer.issue(typ, sub="somebody", seconds=60, sid="session")


def confused(signer: Signer) -> str:
    """HS256 with the public key as the secret."""
    raw = signer.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return jwt.encode(claims(signer), raw, algorithm="HS256", headers={"kid": signer.kid, "typ": "access+jwt"})


def own_jwk() -> dict[str, str]:
    raw = STRANGER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}


def spliced(signer: Signer) -> str:
    """The payload of one token with the signature of another."""
    head, _, signature = signer.issue("access", sub="somebody", seconds=60).split(".")
    other = signer.issue("access", sub="an admin", seconds=60).split(".")[1]
    return f"{head}.{other}.{signature}"


def doubled(signer: Signer) -> str:
    """Claims given twice, the second time as somebody else's."""
    text = json.dumps(claims(signer))
    return seal(signer, b'{"alg":"EdDSA","alg":"none","typ":"access+jwt","kid":"x"}', text.encode())


FORGERIES: dict[str, Forge] = {
    **{f"without {name}": changed(**{name: None}) for name in ("exp", "iat", "iss", "aud", "sub", "jti", "typ")},
    "expired": changed(exp=1),
    "no time": changed(exp="tomorrow"),
    "endless": changed(exp=float("inf")),
    "not yet": changed(nbf=2**40),
    "from the future": changed(iat=2**40),
    "wrong type": changed(typ="collab"),
    "refresh as access": changed(typ="refresh"),
    "wrong audience": changed(aud="doxie:collab"),
    "many audiences": changed(aud=["doxie:access", "doxie:collab"]),
    "foreign audience": changed(aud="elsewhere"),
    "foreign issuer": changed(iss="elsewhere"),
    "many issuers": changed(iss=["doxie"]),
    "subject is no text": changed(sub=7),
    "collab as access": of_type("collab"),
    "download as access": of_type("download"),
    "second factor as access": of_type("second_factor"),
    "no kid": headed(kid=None),
    "unknown kid": headed(kid="another"),
    "kid that climbs": headed(kid="../../../../dev/null"),
    "kid with a query": headed(kid="' OR 1=1 --"),
    "kid that is no text": headed(kid=["x"]),
    "no algorithm": headed(alg=None),
    "alg none, signed": headed(alg="none"),
    "alg NONE": headed(alg="NoNe"),
    "alg with another case": headed(alg="eddsa"),
    "header of another type": headed(typ="collab+jwt"),
    "header without a type": headed(typ=None),
    "key in the header": headed(jwk=own_jwk()),
    "key at a URL": headed(jku="https://evil.example/jwks.json"),
    "certificate at a URL": headed(x5u="https://evil.example/cert.pem"),
    "certificate in the header": headed(x5c=["MIIB"]),
    "critical header": headed(crit=["exp"], exp=1),
    "unencoded payload": headed(b64=False, crit=["b64"]),
    "compressed": headed(zip="DEF"),
    "stranger's key": foreign(STRANGER, "EdDSA"),
    "stranger's key, and said so": foreign(STRANGER, "EdDSA", jwk=own_jwk()),
    "alg none, unsigned": foreign("", "none"),
    "HS256": foreign("secret" * 10, "HS256"),
    "HS256 with the public key": confused,
    "RS256": foreign(rsa.generate_private_key(65537, 2048), "RS256"),
    "ES256": foreign(ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "without a signature": lambda signer: encode(signer, claims(signer)).rpartition(".")[0] + ".",
    "half a signature": lambda signer: encode(signer, claims(signer))[:-40],
    "another's signature": spliced,
    "no claims": lambda signer: seal(signer, {"alg": "EdDSA", "typ": "access+jwt", "kid": signer.kid}, []),
    "not JSON": lambda signer: seal(signer, {"alg": "EdDSA", "typ": "access+jwt", "kid": signer.kid}, b"\xff"),
    "doubled header": doubled,
    "nested": lambda signer: seal(
        signer, {"alg": "EdDSA", "typ": "access+jwt", "kid": signer.kid}, encode(signer, claims(signer)).encode()
    ),
    "nested deep": lambda signer: seal(signer, b'{"kid":' + b"[" * 2000 + b"]" * 2000 + b"}", {}),
    "five parts (JWE)": lambda signer: encode(signer, claims(signer)) + ".AAAA.AAAA",
    "JSON serialization": lambda signer: json.dumps({"payload": b64(b"{}"), "signatures": []}),
    "huge": lambda signer: encode(signer, claims(signer, name="x" * 100_000)),
    "huge nothing": lambda signer: "." * 1_000_000,
    "empty": lambda signer: "",
    "dots": lambda signer: "..",
    "words": lambda signer: "let me in",
    "not ASCII": lambda signer: "ü.ü.ü",
    "a NUL": lambda signer: encode(signer, claims(signer)) + "\0",
    "space around": lambda signer: f" {encode(signer, claims(signer))}",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_forgeries_are_refused(signer: Signer, forge: Forge) -> None:
    with pytest.raises(TokenError):
        signer.verify(forge(signer), typ="access")


@pytest.mark.parametrize(
    "name", [name for name in FORGERIES if name not in {"not ASCII", "a NUL", "empty", "space around"}]
)
async def test_the_door_refuses_them_as_well(stack: Stack, ann: Person, name: str) -> None:
    """With the deployment's own key, so that only what is wrong about each can be the reason."""
    forged = FORGERIES[name](Signer([Key.of(private_key(stack.settings))]))
    if len(forged) > 60_000:
        forged = forged[:60_000]
    answer = await ann.api.get("/auth/me", headers={"authorization": f"Bearer {forged}"})
    assert answer.status_code in {401, 400, 431}, answer.text


def test_a_retired_key_verifies_for_a_while_and_signs_no_more() -> None:
    old, new, future = (Ed25519PrivateKey.generate() for _ in range(3))
    signer = Signer([Key.of(old)])
    token = signer.issue("access", sub="somebody", seconds=60)
    signer.replace([Key.of(old, verifies_until=2**40), Key.of(new, signs_from=1), Key.of(future, signs_from=2**40)])
    assert signer.verify(token, typ="access")
    assert signer.kid == Key.of(new).kid
    assert len(signer.jwks()["keys"]) == 3
    signer.replace([Key.of(old, verifies_until=1), Key.of(new, signs_from=1)])
    with pytest.raises(TokenError, match="retired"):
        signer.verify(token, typ="access")
    assert [key["kid"] for key in signer.jwks()["keys"]] == [Key.of(new).kid]


def test_a_token_that_was_verified_is_believed_as_long_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (Key.of(Ed25519PrivateKey.generate()) for _ in range(2))
    signer = Signer([old])
    token = signer.issue("access", sub="somebody", seconds=60)
    signer.verify(token, typ="access")["sub"] = "somebody else"
    assert signer.verify(token, typ="access")["sub"] == "somebody"
    with pytest.raises(TokenError):
        signer.verify(token, typ="collab")
    signer.replace([new])
    with pytest.raises(TokenError, match="unknown key"):
        signer.verify(token, typ="access")
    signer.replace([replace(old, verifies_until=clock.now().timestamp() + 30), new])
    assert signer.verify(token, typ="access")["sub"] == "somebody"
    with monkeypatch.context() as later:
        then = clock.now() + timedelta(seconds=31)
        later.setattr(clock, "now", lambda: then)
        with pytest.raises(TokenError, match="retired"):
            signer.verify(token, typ="access")
    signer.replace([old])
    signer.verify(token, typ="access")
    with monkeypatch.context() as later:
        end = clock.now() + timedelta(seconds=60)
        later.setattr(clock, "now", lambda: end)
        later.setattr(jwt, "decode", refused)
        with pytest.raises(TokenError, match="asked again"):
            signer.verify(token, typ="access")


def refused(*_: Any, **__: Any) -> None:
    raise jwt.ExpiredSignatureError("asked again")


async def test_unknown_keys_are_looked_for_but_not_all_the_time(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.tokens.PAUSE_SECONDS", 0.05)
    other = Signer([Key.of(Ed25519PrivateKey.generate())])
    token = other.issue("access", sub="somebody", seconds=60)
    looks = 0

    async def load() -> list[Key]:
        nonlocal looks
        looks += 1
        return list(other._ring.values()) if looks == 3 else list(signer._ring.values())

    following = asyncio.create_task(signer.follow(load))
    async with asyncio.timeout(20):
        while True:
            try:
                signer.verify(token, typ="access")
                break
            except TokenError:
                await asyncio.sleep(0)
    following.cancel()
    assert looks == 3


async def test_nobody_is_logged_out_when_keys_are_rotated(
    stack: Stack, ann: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "get_settings", lambda: stack.settings)
    jwks = f"{stack.settings.public_url}/.well-known/jwks.json"
    rotation = await operating.rotate_keys(after=timedelta(seconds=3), compromised=False)
    login = {"email": ann.email, "password": ann.password}
    async with httpx.AsyncClient(base_url=stack.api) as browser, asyncio.timeout(60):
        while rotation.kid not in {key["kid"] for key in (await browser.get(jwks)).json()["keys"]}:
            assert (await ann.api.get("/auth/me")).status_code == 200
            await asyncio.sleep(0.2)
        while True:
            fresh = (await browser.post("/auth/login", json=login)).json()["access_token"]
            bearer = {"authorization": f"Bearer {fresh}"}
            assert (await ann.api.get("/auth/me", headers=bearer)).status_code == 200
            if jwt.get_unverified_header(fresh)["kid"] == rotation.kid:
                break
            await asyncio.sleep(0.2)
        for path in (f"/documents/{ann.document['id']}/collab-token", "/auth/refresh"):
            answer = await browser.post(path, headers=bearer)
            assert answer.is_success, answer.text
    assert (await ann.api.get("/auth/me")).status_code == 200, "the token of the old key"
    assert await ann.save(Pen().write("still here")) == 1


async def test_a_compromised_key_verifies_nothing_any_more(stack: Stack, ann: Person) -> None:
    runtime_settings: Settings = stack.settings
    from infra.db import Database

    db = Database(stack.settings.database_url.get_secret_value(), pool_size=1)
    with pytest.raises(ZeroDivisionError):  # so that the stack keeps its keys
        async with db.transaction() as session:
            signer = Signer(await auth.signing_keys(session, runtime_settings))
            token = signer.issue("access", sub="somebody", seconds=60)
            rotation = await auth.rotate_keys(session, runtime_settings, compromised=True)
            signer.replace(await auth.signing_keys(session, runtime_settings))
            assert signer.kid == rotation.kid
            with pytest.raises(TokenError, match="retired"):
                signer.verify(token, typ="access")
            assert signer.verify(signer.issue("access", sub="somebody", seconds=60), typ="access")
            raise ZeroDivisionError
    await db.close()
