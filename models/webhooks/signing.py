"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

PREFIX = "whsec_"


def signed_headers(secrets: Iterable[bytes], delivery_id: UUID, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a request; one signature per secret, so that a secret can be changed without a gap."""
    seconds = str(int(at.timestamp()))
    signed = f"{delivery_id}.{seconds}.".encode() + body
    signatures = (base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets)
    return {
        "webhook-id": str(delivery_id),
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def shown(secret: bytes) -> str:
    """A secret as libraries for Standard Webhooks take it."""
    return PREFIX + base64.b64encode(secret).decode()
