"""Traces, where somebody collects them (`DOXIE_OTLP_ENDPOINT`): from a request, through the outbox, to the flow run.

Where nobody does, OpenTelemetry is not even imported and a span costs a call.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

Kind = Literal["internal", "server", "consumer"]
Attribute = str | int | float | bool

_provider: "TracerProvider | None" = None


class Span(Protocol):
    """What is known about something while it goes on."""

    def note(self, *, name: str = "", **attributes: Attribute) -> None:
        """Add to what is known, or call it something else."""
        ...


class _Nothing:
    def note(self, *, name: str = "", **attributes: Attribute) -> None:
        """Nobody asks."""


class _Real:
    def __init__(self, span: "trace.Span") -> None:
        self._span = span

    def note(self, *, name: str = "", **attributes: Attribute) -> None:
        """Keep it for the collector."""
        if name:
            self._span.update_name(name)
        self._span.set_attributes({f"doxie.{key}": value for key, value in attributes.items()})


_NOTHING: Final[AbstractContextManager[Span]] = nullcontext(_Nothing())


def configure(service: str, endpoint: str) -> None:
    """Send the spans of this process to a collector, in the background; nothing without one."""
    global _provider  # noqa: PLW0603 - a process has one
    if not endpoint or _provider is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    _provider = TracerProvider(resource=Resource.create({"service.name": f"doxie-{service}"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    _provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))


def finish() -> None:
    """Send what has not been sent, and make no more."""
    global _provider  # noqa: PLW0603 - a process has one
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def span(
    name: str, *, parent: str = "", links: Sequence[str] = (), kind: Kind = "internal"
) -> AbstractContextManager[Span]:
    """Something that goes on for as long as the block does, part of what goes on around it.

    `parent` and `links` are traceparents (W3C Trace Context); what is none is ignored.
    """
    return _NOTHING if _provider is None else _made(_provider, name, parent, links, kind)


def traceparent() -> str:
    """What goes on here, for others to go on from; empty where nothing is traced."""
    if _provider is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def _made(provider: "TracerProvider", name: str, parent: str, links: Sequence[str], kind: Kind) -> Iterator[Span]:
    from opentelemetry import trace

    kinds = {
        "internal": trace.SpanKind.INTERNAL,
        "server": trace.SpanKind.SERVER,
        "consumer": trace.SpanKind.CONSUMER,
    }
    linked = [trace.Link(context) for link in links if (context := _span_context(link)).is_valid]
    tracer = provider.get_tracer("doxie")
    with tracer.start_as_current_span(
        name, context=_context(parent) if parent else None, links=linked, kind=kinds[kind]
    ) as made:
        yield _Real(made)


def _context(given: str) -> "Context":
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": given})


def _span_context(given: str) -> "trace.SpanContext":
    from opentelemetry import trace

    return trace.get_current_span(_context(given)).get_span_context()
