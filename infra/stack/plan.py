"""Decide what runs where: which services are ours, on which ports, with which URLs."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from infra.stack import credentials
from infra.stack.home import Home
from infra.stack.ports import LOOPBACK, Ports
from infra.stack.process import REPOSITORY

OWNER = "doxie"
APP_ROLE = "doxie_app"
DATABASE = "doxie"

DATABASE_URL = "DOXIE_DATABASE_URL"
REDIS_URL = "DOXIE_REDIS_URL"
S3_ENDPOINT = "DOXIE_S3_ENDPOINT"
PREFECT_API_URL = "PREFECT_API_URL"
PREFECT_DATABASE_URL = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
WAL_SECONDS = "DOXIE_WAL_ARCHIVE_SECONDS"

S3_PORTS = {
    "s3": "s3",
    "s3-master": "master",
    "s3-volume": "volume",
    "s3-filer": "filer",
    "s3-admin": "admin",
}
"""The ports of SeaweedFS: our name for each, and its own."""

# Nothing here calls home, and a client without a server says so instead of starting its own.
_PREFECT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions for one start of a stack."""

    home: Home
    environ: Mapping[str, str]
    """What the operator set."""
    secrets: Mapping[str, str]
    ports: Mapping[str, int]
    settings: Mapping[str, str]
    """What `stack.env` holds and every child of ours gets."""

    def external(self, variable: str) -> bool:
        """Whether the operator named a service of their own."""
        return bool(self.environ.get(variable))

    def environment(self) -> dict[str, str]:
        """The environment of our own processes."""
        own = {"DOXIE_HOME": str(self.home.root), "PYTHONUNBUFFERED": "1", "PYTHONPATH": self._python_path()}
        keys = {name: self.secrets[name] for name in ("DOXIE_SECRET_KEY", "DOXIE_SIGNING_KEY")}
        return {**keys, **self.environ, **self.settings, **_without_proxy(self.environ), **own}

    def _python_path(self) -> str:
        others = self.environ.get("PYTHONPATH", "").split(os.pathsep)
        return os.pathsep.join(dict.fromkeys([str(REPOSITORY), *filter(None, others)]))


def make(home: Home, environ: Mapping[str, str] = os.environ) -> Plan:
    """Read the environment, choose ports, make secrets.

    Raises:
        StackError: a port that was asked for is taken.
    """
    secrets = credentials.ensure(home)
    ports = _ports(home, environ)
    settings = _settings(home, environ, secrets, ports)
    return Plan(home=home, environ=environ, secrets=secrets, ports=ports, settings=settings)


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs one of our modules."""
    return (sys.executable, "-m", name, *arguments)


def dial(host: str) -> str:
    """The address to reach a server at that listens on `host`."""
    everywhere = {"0.0.0.0": LOOPBACK, "::": "[::1]", "": LOOPBACK}  # noqa: S104 - this undoes it
    return everywhere.get(host, host)


def plain_postgres(url: str) -> str:
    """A URL as libpq reads it: without SQLAlchemy's driver name."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)


def _ports(home: Home, environ: Mapping[str, str]) -> dict[str, int]:
    ports = Ports(home.ports, environ)
    api, collab = (dial(environ.get(name, "")) for name in ("DOXIE_API_HOST", "DOXIE_COLLAB_HOST"))
    known = {
        "api": ports.fixed("api", "DOXIE_API_PORT", 8000, api),
        "collab": ports.fixed("collab", "DOXIE_COLLAB_PORT", 8001, collab),
        "flows": ports.fixed("flows", "DOXIE_FLOWS_PORT", 0),
    }
    if not environ.get(PREFECT_API_URL):
        known["prefect"] = ports.fixed("prefect", "DOXIE_PREFECT_PORT", 4200)
    if not environ.get(DATABASE_URL):
        known["postgres"] = ports.chosen("postgres")
    if not environ.get(REDIS_URL):
        known["redis"] = ports.chosen("redis")
    if not environ.get(S3_ENDPOINT):
        known |= {name: ports.paired(name) for name in S3_PORTS}
    ports.save()
    return known


def _settings(
    home: Home, environ: Mapping[str, str], secrets: Mapping[str, str], ports: Mapping[str, int]
) -> dict[str, str]:
    """Everything that can be said before anything runs; what the operator set stays as it is."""
    api = f"{dial(environ.get('DOXIE_API_HOST', ''))}:{ports['api']}"
    collab = f"{dial(environ.get('DOXIE_COLLAB_HOST', ''))}:{ports['collab']}"
    chosen = {
        "DOXIE_PUBLIC_URL": f"http://{api}",
        "DOXIE_COLLAB_URL": f"ws://{collab}/collab",
        "PREFECT_HOME": str(home.data("prefect")),
        WAL_SECONDS: "0" if environ.get(DATABASE_URL) else "30",
        **_PREFECT,
        **_stores(environ, secrets, ports),
    }
    ports_in_use = {
        "DOXIE_API_PORT": str(ports["api"]),
        "DOXIE_COLLAB_PORT": str(ports["collab"]),
        "DOXIE_FLOWS_PORT": str(ports["flows"]),
    }
    return {name: environ.get(name) or value for name, value in chosen.items()} | ports_in_use


def _stores(environ: Mapping[str, str], secrets: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, str]:
    database = environ.get(DATABASE_URL) or (
        f"postgresql://{OWNER}:{secrets['DOXIE_POSTGRES_PASSWORD']}@{LOOPBACK}:{ports['postgres']}/{DATABASE}"
    )
    prefect = environ.get(PREFECT_API_URL) or f"http://{LOOPBACK}:{ports['prefect']}/api"
    return {
        DATABASE_URL: database,
        "DOXIE_APP_DATABASE_URL": _as_role(database, APP_ROLE, secrets["DOXIE_APP_DB_PASSWORD"]),
        REDIS_URL: environ.get(REDIS_URL)
        or f"redis://:{secrets['DOXIE_REDIS_PASSWORD']}@{LOOPBACK}:{ports['redis']}/0",
        S3_ENDPOINT: environ.get(S3_ENDPOINT) or f"http://{LOOPBACK}:{ports['s3']}",
        "DOXIE_S3_ACCESS_KEY": secrets["DOXIE_S3_ACCESS_KEY"],
        "DOXIE_S3_SECRET_KEY": secrets["DOXIE_S3_SECRET_KEY"],
        PREFECT_API_URL: prefect,
        "DOXIE_PREFECT_UI_URL": prefect.rstrip("/").removesuffix("/api"),
    }


def _as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{address}"))


def _without_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep a proxy that the operator set out of the way between the processes of this machine."""
    known = environ.get("NO_PROXY") or environ.get("no_proxy")
    direct = ",".join(filter(None, (known, LOOPBACK, "localhost")))
    return {"NO_PROXY": direct, "no_proxy": direct}
