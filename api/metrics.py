"""`/metrics`: what this process has answered, for Prometheus; not for those whom a proxy lets in."""

from collections import Counter

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from api.deps import ROOT
from api.runtime import of
from infra import metrics
from infra.replica import Reads


class Requests:
    """The requests of this process."""

    def __init__(self) -> None:
        self.under_way = 0
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._seconds = metrics.Histogram(
            "doxie_api_request_seconds", "How long requests took, but those that are streams.", "route"
        )

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """A request was answered, with 0 if it was given up."""
        route = route_of(scope)
        self._answers[scope["method"], route, status] += 1
        if not route.endswith("/stream"):
            self._seconds.observe(seconds, route)

    def text(self) -> str:
        """All of it."""
        lines = [
            "# HELP doxie_api_requests_total Requests answered, by method, route and status.",
            "# TYPE doxie_api_requests_total counter",
        ]
        for (method, route, status), count in self._answers.items():
            lines.append(f'doxie_api_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}')
        lines += ["# TYPE doxie_api_requests_under_way gauge", f"doxie_api_requests_under_way {self.under_way}"]
        return "\n".join([*lines, *self._seconds.lines(), *metrics.process("doxie_api")]) + "\n"


def route_of(scope: Scope) -> str:
    """The pattern of the path that was asked for: there are few, as opposed to paths."""
    route = scope.get("route")
    return str(getattr(route, "path", "")).removeprefix(ROOT) or "none"


def install(app: FastAPI, requests: Requests) -> None:
    """Add the route."""

    async def text(request: Request) -> Response:
        if "forwarded" in request.headers or "x-forwarded-for" in request.headers:
            return PlainTextResponse("not for the outside\n", 404)
        pool = of(request).db.pool()
        gauges = "".join(f"# TYPE doxie_api_pool_{name} gauge\ndoxie_api_pool_{name} {n}\n" for name, n in pool.items())
        return PlainTextResponse(requests.text() + gauges + _reads(of(request).reads))

    app.add_route("/metrics", text, include_in_schema=False)


def _reads(reads: Reads) -> str:
    return (
        "# HELP doxie_api_reads_total Requests that a replica may answer, by what did.\n"
        "# TYPE doxie_api_reads_total counter\n"
        f'doxie_api_reads_total{{from="replica"}} {reads.from_replica}\n'
        f'doxie_api_reads_total{{from="primary"}} {reads.from_primary}\n'
        f"# TYPE doxie_api_replica_away gauge\ndoxie_api_replica_away {int(reads.away)}\n"
    )
