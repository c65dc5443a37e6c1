"""The live route table of the HTTP door."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts

from api.main import create_app


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    api: APIRoute

    @property
    def name(self) -> str:
        """As tables of routes write it."""
        return f"{self.method} {self.path.removeprefix('/api/v1')}"

    @property
    def bodies(self) -> list[Any]:
        """The annotations of its body parameters."""
        return [field.field_info.annotation for field in self.api.dependant.body_params]


@cache
def live() -> tuple[Route, ...]:
    """Every API route the application answers, those of included routers too."""
    return tuple(
        Route(method, context.path or "", context.original_route)
        for context in iter_route_contexts(create_app().routes)
        if isinstance(context.original_route, APIRoute)
        for method in sorted(context.methods or ())
    )
