"""Spans to a collector by OTLP over HTTP, for processes whose settings name one (docs/tracing.md).

The libraries come with the extra `traces` and are imported where an endpoint is set, nowhere else. A
collector that is away costs its spans and no more: a thread of their own sends them, from a queue that
drops what is too much.
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry, Counter

from ringward.foundation import Foundation
from storage import tracing
from storage.tracing import Attributes, Kind, Place, Span

log = structlog.get_logger(__name__)

QUEUE: Final = 4096
"""Spans that wait to be sent; what comes beyond that is dropped."""
TIMEOUT_S: Final = 3.0
LEAVE_S: Final = 4.0
"""How long a process that ends waits for its last spans to be taken."""


class TracesMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.spans = Counter(
            "ringward_traces_spans",
            "Spans the collector took (true) or did not take (false).",
            ["taken"],
            registry=registry,
        )


class TracesMissingError(Exception):
    """An endpoint is set, and the libraries are not installed."""

    def __init__(self) -> None:
        super().__init__(
            "traces_endpoint is set and opentelemetry is not installed: "
            "pip install --require-hashes --no-deps -r requirements/traces.txt"
        )


@contextmanager
def collected(foundation: Foundation, roles: Sequence[str]) -> Iterator[None]:
    """While it lasts spans of this process go to the collector of the settings, if there is one.

    Raises `TracesMissingError`.
    """
    settings = foundation.settings
    if settings.traces_endpoint is None:
        yield
        return
    tracer, stop = _collecting(foundation, roles, settings.traces_endpoint, settings.traces_ratio)
    tracing.install(tracer)
    log.info("traces.collected", ratio=settings.traces_ratio)
    try:
        yield
    finally:
        tracing.install(None)
        # Of a thread that nobody waits for: the last batch may be on its way to a collector that hangs.
        leaving = threading.Thread(target=stop, name="traces-leaving", daemon=True)
        leaving.start()
        leaving.join(LEAVE_S)


def _collecting(
    foundation: Foundation, roles: Sequence[str], endpoint: str, ratio: float
) -> tuple[tracing.Tracer, Callable[[], None]]:
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    except ImportError:
        raise TracesMissingError from None

    kinds = {
        "internal": trace.SpanKind.INTERNAL,
        "consumer": trace.SpanKind.CONSUMER,
        "producer": trace.SpanKind.PRODUCER,
        "client": trace.SpanKind.CLIENT,
    }
    # It says of every try what went wrong, every few seconds; we say it once, and count.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    metrics = TracesMetrics(foundation.metrics)
    own: ContextVar[Place] = ContextVar("own")

    class Ids(RandomIdGenerator):
        """Ids are given: an event's trace has the event's."""

        def generate_trace_id(self) -> int:
            return int(own.get().trace, 16)

        def generate_span_id(self) -> int:
            return int(own.get().span, 16)

    class Counting(SpanExporter):
        def __init__(self) -> None:
            self._takes = True
            self._inner = OTLPSpanExporter(endpoint=_whole(endpoint), timeout=TIMEOUT_S)

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = self._inner.export(spans)
            takes = result is SpanExportResult.SUCCESS
            metrics.spans.labels(str(takes).lower()).inc(len(spans))
            if takes is not self._takes:
                self._takes = takes
                log.warning("traces.taken" if takes else "traces.not_taken")
            return result

        def shutdown(self) -> None:
            self._inner.shutdown()  # type: ignore[no-untyped-call]

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return self._inner.force_flush(timeout_millis)

    class Begun(Span):
        def __init__(self, span: trace.Span) -> None:
            self._span = span

        def note(self, **attributes: Any) -> None:
            self._span.set_attributes(_named(attributes))

        def end(self, *, failed: str | None = None) -> None:
            if failed is not None:
                self._span.set_attribute("error.type", failed)
                self._span.set_status(trace.StatusCode.ERROR)
            self._span.end()

    class Collecting(tracing.Tracer):
        def __init__(self) -> None:
            self.ratio = ratio
            self._tracer = provider.get_tracer("ringward")

        def begin(
            self,
            name: str,
            place: Place,
            parent: Place | None,
            kind: Kind,
            at: dt.datetime | None,
            attributes: Attributes,
        ) -> Span:
            token = own.set(place)
            try:
                begun = self._tracer.start_span(
                    name,
                    context=_below(parent),
                    kind=kinds[kind],
                    attributes=_named(dict(attributes)),
                    start_time=None if at is None else int(at.timestamp() * 1e9),
                )
            finally:
                own.reset(token)
            return Begun(begun)

    def _below(parent: Place | None) -> Any:
        if parent is None:
            return trace.set_span_in_context(trace.INVALID_SPAN)
        above = trace.SpanContext(
            int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=trace.TraceFlags(1)
        )
        return trace.set_span_in_context(trace.NonRecordingSpan(above))

    # Not what the environment says of the machine: a name of a host is none of the collector's business.
    resource = Resource({"service.name": "ringward", "ringward.roles": ",".join(roles)})
    provider = TracerProvider(
        sampler=ALWAYS_ON, id_generator=Ids(), resource=resource, shutdown_on_exit=False
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            Counting(),
            max_queue_size=QUEUE,
            schedule_delay_millis=1000,
            export_timeout_millis=int(TIMEOUT_S * 1000),
        )
    )

    return Collecting(), provider.shutdown


def _whole(endpoint: str) -> str:
    """A collector's address with the path that OTLP gives it, where none is said."""
    parts = urlsplit(endpoint)
    return endpoint if parts.path.strip("/") else parts._replace(path="/v1/traces").geturl()


def _named(attributes: dict[str, Any]) -> dict[str, Any]:
    return {f"ringward.{name}": value for name, value in attributes.items() if value is not None}
