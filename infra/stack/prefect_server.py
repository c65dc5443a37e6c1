"""The embedded Prefect server: dashboard, schedules and run history, on Postgres."""

from urllib.parse import urlsplit, urlunsplit

from infra.stack import probes
from infra.stack.plan import DATABASE_URL, PREFECT_API_URL, PREFECT_DATABASE_URL, Plan, module, plain_postgres
from infra.stack.ports import LOOPBACK
from infra.stack.postgres import PREFECT
from infra.stack.service import Service


def service(plan: Plan) -> Service:
    """The server with its UI, reachable from this machine and from its own pages only."""
    port = plan.ports["prefect"]
    return Service(
        name="prefect",
        command=module(
            "uvicorn",
            "--factory",
            "prefect.server.api.server:create_app",
            f"--host={LOOPBACK}",
            f"--port={port}",
            "--log-level=warning",
            "--timeout-graceful-shutdown=3",
        ),
        environment=_environment(plan, port),
        depends_on=("postgres",),
        port=port,
        url=plan.settings[PREFECT_API_URL],
        probe=probes.http(f"{plan.settings[PREFECT_API_URL]}/health"),
        needs=probes.postgres(plain_postgres(database_url(plan))),
        stop_seconds=5,  # while it starts, it does not listen
    )


def _environment(plan: Plan, port: int) -> dict[str, str]:
    """What it needs, and nothing of ours.

    By default any web page may call the API of a server on localhost: here only its own may.
    """
    inherited = {name: value for name, value in plan.environment().items() if not name.startswith("DOXIE_")}
    own_pages = ",".join(f"http://{host}:{port}" for host in (LOOPBACK, "localhost"))
    return {
        **inherited,
        PREFECT_DATABASE_URL: database_url(plan),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": own_pages,
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(plan.home.data("prefect") / "ui"),
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # In memory, who holds a deployment's only slot is forgotten with a restart, and the slot is never free again.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT__SERVER_FINAL": "1",  # as `prefect server start` does: build the routes once
    }


def database_url(plan: Plan) -> str:
    """The database `prefect` beside ours, unless the operator names another."""
    if named := plan.environ.get(PREFECT_DATABASE_URL):
        return named
    parts = urlsplit(plain_postgres(plan.settings[DATABASE_URL]))
    if not plan.external(DATABASE_URL):
        password = plan.secrets["DOXIE_PREFECT_DB_PASSWORD"]
        parts = parts._replace(netloc=f"{PREFECT}:{password}@{parts.netloc.rpartition('@')[2]}")
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg", path=f"/{PREFECT}"))
