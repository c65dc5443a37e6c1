"""Ready means that work can be done here, and nothing more."""

import pytest

from api import draining
from tests.conftest import Stack
from tests.security.processes import Process, api_process


async def ready(process: Process) -> tuple[int, str]:
    async with process.client() as api:
        answer = await api.get("http://doxie.test/readyz")
        return answer.status_code, answer.json()["status"]


async def test_only_what_nothing_goes_without_takes_a_process_out_of_service(stack: Stack) -> None:
    async with api_process(stack.settings) as process:
        assert await ready(process) == (200, "ok")
        await process.redis.close()
        assert await ready(process) == (200, "degraded")
        await process.redis.open()
        await process.postgres.close()
        assert await ready(process) == (503, "unavailable")
        await process.postgres.open()
    async with api_process(stack.settings, s3_endpoint="http://127.0.0.1:9") as process:
        assert await ready(process) == (200, "degraded")


async def test_who_ends_soon_sends_everybody_away(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api_process(stack.settings) as process, process.client() as api:
        assert "connection" not in (await api.get("http://doxie.test/healthz")).headers
        monkeypatch.setattr(draining, "begun", lambda: True)
        answer = await api.get("http://doxie.test/healthz")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert await ready(process) == (503, "unavailable")


async def test_what_a_proxy_passes_on_gets_no_metrics(stack: Stack) -> None:
    async with api_process(stack.settings) as process, process.client() as api:
        shown = await api.get("http://doxie.test/metrics")
        assert "doxie_api_pool_connections" in shown.text
        for header in ("x-forwarded-for", "forwarded"):
            assert (await api.get("http://doxie.test/metrics", headers={header: "x"})).status_code == 404
