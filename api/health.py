"""`/healthz` and `/readyz`: whether the process lives, and whether it can work."""

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api import draining
from api.deps import CurrentRuntime

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Whether everything needed answers, and what each of them said."""

    status: str
    checks: dict[str, str] = {}


@router.get("/healthz")
async def healthz() -> Health:
    """The process lives."""
    return Health(status="ok")


@router.get("/readyz")
async def readyz(response: Response, runtime: CurrentRuntime) -> Health:
    """Postgres answers, and this process does not end soon; 503 otherwise.

    Without Redis all works, only later, and without the object store nearly all: were that not ready, the loss of one
    of them would take every process out of service.
    """
    results = await asyncio.gather(_check(runtime.db.ping()), _check(runtime.bus.ping()), _check(runtime.store.ping()))
    checks = dict(zip(("postgres", "redis", "s3"), results, strict=True))
    checks["process"] = "draining" if draining.begun() else "ok"
    ready = checks["postgres"] == checks["process"] == "ok"
    response.status_code = 200 if ready else 503
    whole = all(result == "ok" for result in checks.values())
    return Health(status="ok" if whole else "degraded" if ready else "unavailable", checks=checks)


async def _check(ping: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(3):
            await ping
    except Exception as error:  # whatever is wrong, the answer is the same
        return type(error).__name__
    return "ok"
