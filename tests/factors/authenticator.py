"""An authenticator in software: ES256 keys, attestation "none", real ceremonies as WebAuthn level 3 has them."""

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]

_PRESENT, _VERIFIED, _ELIGIBLE, _BACKED_UP, _ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass(slots=True)
class Credential:
    """A discoverable credential that an authenticator keeps."""

    id: bytes
    rp_id: str
    handle: bytes
    key: ec.EllipticCurvePrivateKey
    count: int = 0


@dataclass(slots=True)
class Authenticator:
    """Makes and uses credentials for pages of one origin, as browser and authenticator do together.

    What a test sets to another value than a good one shows what the server makes of it.
    """

    origin: str
    verifies: bool = True
    counts: bool = True
    rp_id: str | None = None
    """Instead of the one it is asked for."""
    credentials: list[Credential] = field(default_factory=list)

    def create(self, options: Json) -> Json:
        """`navigator.credentials.create()`, as JSON."""
        rp_id = self.rp_id or options["rp"]["id"]
        made = Credential(
            secrets.token_bytes(32), rp_id, unb64(options["user"]["id"]), ec.generate_private_key(ec.SECP256R1())
        )
        assert made.id not in {unb64(item["id"]) for item in options["excludeCredentials"]}
        assert -7 in {item["alg"] for item in options["pubKeyCredParams"]}
        self.credentials.append(made)
        numbers = made.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack("!H", len(made.id)) + made.id + cbor2.dumps(cose)
        data = self._data(rp_id, _ATTESTED, made.count) + attested
        response = {
            "clientDataJSON": b64(self._client_data("webauthn.create", options["challenge"])),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal", "hybrid"],
        }
        return self._answer(made, response)

    def get(self, options: Json, *, credential: Credential | None = None) -> Json:
        """`navigator.credentials.get()`, as JSON."""
        allowed = {unb64(item["id"]) for item in options["allowCredentials"]}
        used = credential or next(item for item in self.credentials if not allowed or item.id in allowed)
        if self.counts:
            used.count += 1
        data = self._data(self.rp_id or used.rp_id, 0, used.count)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signature = used.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(data),
            "signature": b64(signature),
            "userHandle": b64(used.handle),
        }
        return self._answer(used, response)

    def _data(self, rp_id: str, flags: int, count: int) -> bytes:
        flags |= _PRESENT | _ELIGIBLE | _BACKED_UP | (_VERIFIED if self.verifies else 0)
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack("!BI", flags, count)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    @staticmethod
    def _answer(credential: Credential, response: Json) -> Json:
        name = b64(credential.id)
        extensions: Json = {"credProps": {"rk": True}}
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": extensions,
            "response": response,
        }


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
