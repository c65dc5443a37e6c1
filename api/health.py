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
    """Postgres, Redis and the object store answer; 503 where one of them does not, or this process ends soon."""
    results = await asyncio.gather(_check(runtime.db.ping()), _check(runtime.bus.ping()), _check(runtime.store.ping()))
    checks = dict(zip(("postgres", "redis", "s3"), results, strict=True))
    checks["process"] = "draining" if draining.begun() else "ok"
    ready = all(result == "ok" for result in checks.values())
    response.status_code = 200 if ready else 503
    return Health(status="ok" if ready else "unavailable", checks=checks)


async def _check(ping: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(3):
            await ping
    except Exception as error:  # whatever is wrong, the answer is the same
        return type(error).__name__
    return "ok"
