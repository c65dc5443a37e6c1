"""The table of everything that runs, and in which order."""

from collections.abc import Collection
from urllib.parse import unquote, urlsplit

from infra.stack import postgres, prefect_server, probes, seaweedfs, valkey
from infra.stack.errors import StackError
from infra.stack.plan import (
    DATABASE_URL,
    PREFECT_API_URL,
    PREFECT_DATABASE_URL,
    REDIS_URL,
    S3_ENDPOINT,
    Plan,
    dial,
    module,
    plain_postgres,
)
from infra.stack.probes import Probe
from infra.stack.service import External, Hook, Node, Service, Step


def table(plan: Plan) -> list[Node]:
    """All services and steps of a stack, each after those it depends on."""
    return [*_stores(plan), *_ours(plan)]


def only(nodes: list[Node], names: Collection[str]) -> list[Node]:
    """The named part of the table.

    Raises:
        StackError: a name is not in it.
    """
    if unknown := set(names) - {node.name for node in nodes}:
        raise StackError(f"no such service: {', '.join(sorted(unknown))}")
    return [node for node in nodes if node.name in names]


def _stores(plan: Plan) -> list[Node]:
    return [
        _external_postgres(plan) if plan.external(DATABASE_URL) else postgres.service(plan),
        _external_redis(plan) if plan.external(REDIS_URL) else valkey.service(plan),
        _external_s3(plan) if plan.external(S3_ENDPOINT) else seaweedfs.service(plan),
        _external_prefect(plan) if plan.external(PREFECT_API_URL) else prefect_server.service(plan),
    ]


def _ours(plan: Plan) -> list[Node]:
    environment = plan.environment()
    ports = plan.ports
    api = f"http://{dial(plan.environ.get('DOXIE_API_HOST', ''))}:{ports['api']}"
    collab = f"http://{dial(plan.environ.get('DOXIE_COLLAB_HOST', ''))}:{ports['collab']}"
    flows = f"http://127.0.0.1:{ports['flows']}"
    return [
        Step("migrate", module("models.migrations"), environment, depends_on=("postgres",)),
        Step("buckets", module("infra.storage"), environment, depends_on=("s3",)),
        Step("deploy", module("flows.deploy"), environment, depends_on=("prefect",)),
        Service(
            name="api",
            command=module("api"),
            environment=environment,
            depends_on=("migrate", "buckets", "redis"),
            port=ports["api"],
            url=plan.settings["DOXIE_PUBLIC_URL"],
            probe=probes.http(f"{api}/readyz"),
            reloadable=True,
        ),
        Service(
            name="collab",
            command=module("collab"),
            environment=environment,
            depends_on=("migrate", "buckets", "redis"),
            port=ports["collab"],
            url=plan.settings["DOXIE_COLLAB_URL"],
            probe=probes.http(f"{collab}/healthz"),
            stop_seconds=20,  # it drains what is not saved yet
            reloadable=True,
        ),
        Service(
            name="flows",
            command=module("flows"),
            environment=environment,
            depends_on=("migrate", "buckets", "redis", "prefect"),
            port=ports["flows"],
            url=flows,
            probe=probes.http(f"{flows}/readyz"),
            stop_seconds=20,  # it finishes what it runs
            reloadable=True,
        ),
        Service(
            name="worker",
            command=module("flows.worker"),
            environment=environment,
            depends_on=("deploy", "migrate", "buckets", "redis"),
            stop_seconds=20,
            reloadable=True,
        ),
    ]


def _external_postgres(plan: Plan) -> External:
    url = plain_postgres(plan.settings[DATABASE_URL])

    async def settle() -> None:
        if not plan.external(PREFECT_API_URL) and not plan.external(PREFECT_DATABASE_URL):
            await postgres.make_databases(url, {postgres.PREFECT: unquote(urlsplit(url).username or "")}, {})

    return _external(plan, "postgres", DATABASE_URL, probes.postgres(url), settle)


def _external_redis(plan: Plan) -> External:
    return _external(plan, "redis", REDIS_URL, probes.redis(plan.settings[REDIS_URL]))


def _external_s3(plan: Plan) -> External:
    keys = plan.settings["DOXIE_S3_ACCESS_KEY"], plan.settings["DOXIE_S3_SECRET_KEY"]
    return _external(plan, "s3", S3_ENDPOINT, probes.s3(plan.settings[S3_ENDPOINT], *keys))


def _external_prefect(plan: Plan) -> External:
    url = plan.settings[PREFECT_API_URL].rstrip("/")
    return _external(plan, "prefect", PREFECT_API_URL, probes.http(f"{url}/health"))


def _external(plan: Plan, name: str, variable: str, probe: Probe, settle: Hook | None = None) -> External:
    url = plan.settings[variable]
    return External(name=name, variable=variable, url=url, probe=probe, port=urlsplit(url).port, settle=settle)
