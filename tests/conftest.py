"""The services all tests share: one real stack, started once, in a home of its own."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# Before anything reads the settings: this process talks to the stack of the tests and to no other.
HOME = Path(tempfile.mkdtemp(prefix="doxie-tests-"))
for name in [name for name in os.environ if name.startswith(("DOXIE_", "PREFECT_"))]:
    del os.environ[name]
os.environ["DOXIE_HOME"] = str(HOME)

# Every HTTP client reads all certificate authorities, for tens of milliseconds, and the tests make thousands.
_made = ssl.create_default_context


@cache
def _shared(cafile: str | None, _environment: str | None) -> ssl.SSLContext:
    return _made(cafile=cafile)


def _once(purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH, *, cafile: str | None = None, **other: Any) -> ssl.SSLContext:
    if other or purpose is not ssl.Purpose.SERVER_AUTH:
        return _made(purpose, cafile=cafile, **other)
    return _shared(cafile, os.environ.get("SSL_CERT_FILE"))


ssl.create_default_context = _once  # type: ignore[assignment]

from infra.db import Database  # noqa: E402
from infra.settings import Settings, get_settings  # noqa: E402
from infra.storage import ObjectStore  # noqa: E402
from tests.clients.node import Node  # noqa: E402
from tests.people import Person, sign_up  # noqa: E402

# For a quick loop: start these services and steps only, which is enough for the tests of some folders.
_ONLY = os.environ.get("TEST_SERVICES", "")

_ENVIRONMENT = {
    "DOXIE_API_PORT": "0",
    "DOXIE_COLLAB_PORT": "0",
    "DOXIE_PREFECT_PORT": "0",
    # All tests come from one address; tests/security has processes with limits of their own.
    "DOXIE_RATE_LIMIT_FACTOR": "1000",
    # Short, so that tests need not wait; the pipeline is the same.
    "DOXIE_PERSIST_QUIET_SECONDS": "0.2",
    "DOXIE_PERSIST_MAX_AGE_SECONDS": "2",
    "DOXIE_WEBHOOKS_TO_PRIVATE": "true",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    home: Path
    settings: Settings

    @property
    def api(self) -> str:
        """The base URL of the API."""
        return f"{self.settings.public_url}/api/v1"

    def services(self) -> dict[str, dict[str, Any]]:
        """What `stack.json` says now."""
        found: dict[str, dict[str, Any]] = json.loads((self.home / "stack.json").read_text())
        return found


def doxie(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the `doxie` command."""
    return subprocess.run(
        [sys.executable, "-m", "infra.stack", *arguments, "--home", str(home)],
        env=os.environ | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Everything `./doxie up` starts."""
    only = ["--only", _ONLY] if _ONLY else []
    started = doxie("up", "--detach", *only, home=HOME, **_ENVIRONMENT)
    if started.returncode:
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(f"the stack does not start:\n{started.stdout}", file=sys.stderr)  # of a worker all else is lost
        pytest.exit("the stack does not start", returncode=1)
    get_settings.cache_clear()
    yield Stack(HOME, get_settings())
    doxie("down", home=HOME)
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
async def db(stack: Stack) -> AsyncIterator[Database]:
    """Postgres as the application sees it."""
    database = Database(stack.settings.app_database_url.get_secret_value())
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def owner_db(stack: Stack) -> AsyncIterator[Database]:
    """Postgres as its owner sees it: past row-level security."""
    database = Database(stack.settings.database_url.get_secret_value())
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def store(stack: Stack) -> AsyncIterator[ObjectStore]:
    """The object store."""
    objects = ObjectStore(stack.settings)
    yield objects
    await objects.close()


@pytest.fixture(scope="session")
async def node() -> AsyncIterator[Node]:
    """A Node process for unmodified npm clients."""
    async with Node() as process:
        yield process


@pytest.fixture
async def ann(stack: Stack) -> AsyncIterator[Person]:
    """Somebody with an organization and a document."""
    async with sign_up(stack.api, "Ann") as person:
        await person.found_org()
        await person.create_document()
        yield person


@pytest.fixture
async def bob(stack: Stack) -> AsyncIterator[Person]:
    """Somebody else, elsewhere."""
    async with sign_up(stack.api, "Bob") as person:
        await person.found_org()
        await person.create_document()
        yield person
