"""Traces over OTLP, for who sets OTEL_EXPORTER_OTLP_ENDPOINT; OpenTelemetry's other variables hold, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from accounts.log import without_queries

try:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.trace import Status
except ImportError as error:
    raise ImproperlyConfigured(
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
        "pip install -r requirements-observability.txt"
    ) from error

# They are a query as a whole: with no question mark in front that would give it away.
QUERIES = frozenset({"url.query", "http.query"})
# They are an address as a whole: what follows the first question mark is its query, however it is written.
ADDRESSES = frozenset({"url.full", "url.original", "url.path", "http.url", "http.target"})


class ScrubbingExporter(SpanExporter):
    """Takes the query off every address in a span before another exporter gets it.

    Here and not where spans begin: instrumentation adds attributes, and the text of errors, until a span ends.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def start() -> None:
    """Trace requests, calls to Cognito and queries, without the values in them; before Django loads its middleware."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(ScrubbingExporter(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    for instrumentor in (DjangoInstrumentor, RequestsInstrumentor, BotocoreInstrumentor, PsycopgInstrumentor):
        instrumentor().instrument()


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """Return a copy of a finished span with no query in it."""
    description = span.status.description
    return ReadableSpan(
        name=without_queries(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_scrubbed(span.attributes),
        events=[Event(event.name, _scrubbed(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, description and without_queries(description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _scrubbed(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in (attributes or {}).items() if name not in QUERIES}


def _value(name: str, value: Any) -> Any:
    if name in ADDRESSES:
        return str(value).partition("?")[0]
    return without_queries(value) if isinstance(value, str) else value
