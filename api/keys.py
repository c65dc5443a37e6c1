"""`/.well-known/jwks.json`: the keys that tokens of ours are verified with."""

from typing import Any

from fastapi import APIRouter, Response

from api.deps import CurrentRuntime

router = APIRouter(tags=["keys"])


@router.get("/.well-known/jwks.json")
async def jwks(response: Response, runtime: CurrentRuntime) -> dict[str, Any]:
    """The public keys (RFC 7517). A new one is here before it signs."""
    response.headers["cache-control"] = "public, max-age=30"
    return runtime.signer.jwks()
