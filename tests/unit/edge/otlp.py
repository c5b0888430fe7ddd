"""OTLP's trace messages as OpenTelemetry publishes them, in their JSON encoding: unknown fields are refused.

Kept by hand from opentelemetry-proto v1.8.0 (trace/v1/trace.proto, common/v1/common.proto, resource/v1/resource.proto,
collector/trace/v1/trace_service.proto), read 2026-11-22; ids are hex and 64-bit integers are text, as
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding says.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

TraceId = Annotated[str, Meta(pattern=r"^(?!0+$)[0-9a-f]{32}$")]
SpanId = Annotated[str, Meta(pattern=r"^(?!0+$)[0-9a-f]{16}$")]
Integer = Annotated[str, Meta(pattern=r"^-?[0-9]{1,20}$")]
Nanoseconds = Annotated[str, Meta(pattern=r"^[0-9]{19}$")]


class AnyValue(msgspec.Struct, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """``oneof value``."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Integer | None = None
    double_value: float | None = None
    array_value: "ArrayValue | None" = None

    def __post_init__(self) -> None:
        if len(msgspec.to_builtins(self)) != 1:
            raise ValueError("exactly one of them is set")

    @property
    def told(self) -> object:
        [value] = [value for value in msgspec.structs.astuple(self) if value is not None]
        return [each.told for each in value.values] if isinstance(value, ArrayValue) else value


class ArrayValue(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    values: list[AnyValue]


class KeyValue(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    key: Annotated[str, Meta(min_length=1)]
    value: AnyValue


class Resource(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    attributes: list[KeyValue] = []
    dropped_attributes_count: int = 0


class InstrumentationScope(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: str = ""
    version: str = ""
    attributes: list[KeyValue] = []


class Span(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    trace_id: TraceId
    span_id: SpanId
    trace_state: str = ""
    parent_span_id: SpanId | None = None
    flags: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    name: Annotated[str, Meta(min_length=1)]
    kind: Annotated[int, Meta(ge=0, le=5)]
    start_time_unix_nano: Nanoseconds
    end_time_unix_nano: Nanoseconds
    attributes: list[KeyValue] = []
    dropped_attributes_count: int = 0
    status: dict[str, int | str] = {}

    @property
    def told(self) -> dict[str, object]:
        return {each.key: each.value.told for each in self.attributes}


class ScopeSpans(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    scope: InstrumentationScope
    spans: list[Span]
    schema_url: str = ""


class ResourceSpans(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    resource: Resource
    scope_spans: list[ScopeSpans]
    schema_url: str = ""


class ExportTraceServiceRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    resource_spans: list[ResourceSpans]

    @property
    def spans(self) -> list[Span]:
        return [span for each in self.resource_spans for scope in each.scope_spans for span in scope.spans]
