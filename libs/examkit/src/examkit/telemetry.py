"""Traces: sampling is decided before a span exists, so that what is not sampled costs next to nothing.

A `TraceContext` travels in every request, sampled or not, so that logs and errors always have a trace id.
Spans go to an OTLP collector, and only where an endpoint is configured.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Seconds, for every latency histogram: 1 ms to 2 s."""

ERROR = trace.StatusCode.ERROR
Kind = Literal["server", "client", "producer", "consumer", "internal"]

_SPAN_KINDS = {
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
    "consumer": trace.SpanKind.CONSUMER,
    "internal": trace.SpanKind.INTERNAL,
}
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One's place in a trace, as W3C Trace Context has it."""

    trace_id: int
    span_id: int
    sampled: bool

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"


@dataclass(slots=True)
class _Tracing:
    """The process's tracing: without a tracer nothing new is sampled."""

    tracer: trace.Tracer | None = None
    provider: TracerProvider | None = None
    ratio: float = 0.0


_tracing = _Tracing()
_current: ContextVar[TraceContext | None] = ContextVar("trace_context", default=None)


def setup(service: str, endpoint: str, ratio: float, *, processor: SpanProcessor | None = None) -> None:
    """Sends `ratio` (0…1) of the traces that begin here to an OTLP gRPC endpoint; an empty one sends none.

    `processor` takes the place of the OTLP exporter (for tests).
    """
    shutdown()
    if not endpoint and processor is None:
        return
    provider = TracerProvider(
        sampler=ALWAYS_ON, resource=Resource.create({"service.name": service}), shutdown_on_exit=False
    )
    provider.add_span_processor(processor or BatchSpanProcessor(_otlp_exporter(endpoint)))
    _tracing.provider = provider
    _tracing.tracer = provider.get_tracer("examkit")
    _tracing.ratio = ratio


def shutdown() -> None:
    """Sends what is still unsent, and traces no more. Blocks: call it when the loop has ended."""
    provider, _tracing.provider, _tracing.tracer, _tracing.ratio = _tracing.provider, None, None, 0.0
    if provider is not None:
        provider.shutdown()


def _otlp_exporter(endpoint: str) -> Any:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"))


def current() -> TraceContext | None:
    """Where we are in a trace; None outside of any."""
    return _current.get()


def recorded() -> TraceContext | None:
    """Where we are in a trace that is recorded, for work that goes on elsewhere; None in any other."""
    context = _current.get()
    return context if context is not None and context.sampled and _tracing.tracer is not None else None


def trace_id() -> str:
    """The trace id in hex, for logs and problem+json; empty outside of a trace."""
    context = _current.get()
    return "" if context is None else f"{context.trace_id:032x}"


def traceparent() -> str | None:
    """The W3C header that carries our place in the trace onwards; None outside of a trace."""
    context = _current.get()
    return None if context is None else context.traceparent


def inject(headers: MutableMapping[str, Any]) -> None:
    """Adds `traceparent` to the headers of a message (AMQP) or a request, where there is a trace."""
    context = _current.get()
    if context is not None:
        headers["traceparent"] = context.traceparent


def extract(headers: Mapping[str, Any]) -> TraceContext | None:
    """The sender's place in a trace, from headers; None where they hold none."""
    return parse(headers.get("traceparent"))


def parse(traceparent: object) -> TraceContext | None:
    """A TraceContext from the value of a `traceparent` header (str or bytes); None where it is malformed."""
    if isinstance(traceparent, bytes):
        traceparent = traceparent.decode("ascii", "replace")
    if not isinstance(traceparent, str):
        return None
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace_id_, span_id, flags = (int(part, 16) for part in match.groups())
    return TraceContext(trace_id_, span_id, bool(flags & 1)) if trace_id_ and span_id else None


def exemplar(recorded: trace.Span | None) -> dict[str, str] | None:
    """What a histogram keeps of a recorded span, so that one finds a trace of a slow request."""
    return None if recorded is None else {"trace_id": f"{recorded.get_span_context().trace_id:032x}"}


def is_recorded(parent: TraceContext | None) -> bool:
    """Decides whether a span is recorded: under a parent as that one was, at the root by the ratio."""
    if _tracing.tracer is None:
        return False
    return parent.sampled if parent else random.random() < _tracing.ratio  # noqa: S311


class span:  # noqa: N801 - used as a verb: `with span("SaveBatch", "server"): …`
    """A piece of work: `with span("grade", "consumer", parent=extract(headers)) as recorded: …`.

    Under a parent (given, or the current one) its decision holds; a new trace is sampled by the ratio.
    `decided`: what `is_recorded` said of it before.
    `links`: others that the work is done for as well.
    Gives the OpenTelemetry span where one is recorded, else None. Attributes hold no ids, answers, tokens.
    """

    __slots__ = ("_attributes", "_decided", "_kind", "_links", "_name", "_parent", "_span", "_token")

    def __init__(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        parent: TraceContext | None = None,
        attributes: Mapping[str, str | int | float | bool] | None = None,
        decided: bool | None = None,
        links: Sequence[TraceContext] = (),
    ) -> None:
        self._decided = decided
        self._name = name
        self._kind = kind
        self._parent = parent
        self._attributes = attributes
        self._links = links
        self._span: trace.Span | None = None
        self._token: Token[TraceContext | None] | None = None

    def __enter__(self) -> trace.Span | None:
        parent = self._parent or _current.get()
        tracer = _tracing.tracer
        recorded = is_recorded(parent) if self._decided is None else self._decided
        if tracer is not None and recorded:
            self._span = tracer.start_span(
                self._name,
                _otel_context(parent),
                _SPAN_KINDS[self._kind],
                attributes=self._attributes,
                links=[trace.Link(_remote(link)) for link in self._links],
            )
            made = self._span.get_span_context()
            here = TraceContext(made.trace_id, made.span_id, True)
        else:
            here = parent or TraceContext(random.getrandbits(128) or 1, random.getrandbits(64) or 1, False)
        self._token = _current.set(here)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
        if self._span is not None:
            if kind is not None:
                # The type alone: a message may hold what has no place in a trace.
                self._span.set_status(ERROR, kind.__name__)
            self._span.end()


def batch_span(
    name: str, size: int, places: Sequence[TraceContext | None]
) -> AbstractContextManager[trace.Span | None]:
    """Work for `size` requests at once, of which those at `places` are recorded (see `recorded`).

    It belongs to the first one's trace, and is linked from there to the others'. Nothing where none is.
    """
    recorded_ones = [place for place in places if place is not None]
    if not recorded_ones:
        return nullcontext()
    first, *others = recorded_ones
    return span(name, parent=first, attributes={"examhall.batch.size": size}, links=others)


def _otel_context(parent: TraceContext | None) -> Any:
    if parent is None:
        return trace.set_span_in_context(trace.INVALID_SPAN)
    return trace.set_span_in_context(trace.NonRecordingSpan(_remote(parent)))


def _remote(place: TraceContext) -> trace.SpanContext:
    return trace.SpanContext(place.trace_id, place.span_id, True, trace.TraceFlags(trace.TraceFlags.SAMPLED))
