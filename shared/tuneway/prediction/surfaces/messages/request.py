"""Read a request of Anthropic's Messages API from its bytes; what is wrong with it names the field.

``envelope_of`` reads no more than every request must have: for a target that speaks Anthropic's own words the body
passes as it is. ``decode_messages_request`` reads all of it, for targets that need it translated. Objects refuse fields
they do not know; unknown *top-level* fields are collected, so that a route may drop them by name.
Source of the shapes: Anthropic's Messages API reference, ``MessageCreateParams``.
"""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

from tuneway.errors import BadInput
from tuneway.json_words import in_json_words
from tuneway.prediction.surfaces.messages.blocks import AssistantBlock, TextBlock, UserBlock, Variant
from tuneway.prediction.surfaces.messages.errors import THREAD_UNSUPPORTED

_FAULT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_FIELD = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="role"):
    pass


class UserTurn(_Turn, frozen=True, kw_only=True, tag="user"):
    """What the user says, and what tools gave back."""

    content: str | list[UserBlock]


class AssistantTurn(_Turn, frozen=True, kw_only=True, tag="assistant"):
    """An earlier answer."""

    content: str | list[AssistantBlock]


class SystemTurn(_Turn, frozen=True, kw_only=True, tag="system"):
    """Instructions in the middle of a conversation."""

    content: str | list[TextBlock]


Turn = UserTurn | AssistantTurn | SystemTurn


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool of the caller's own; hints on caching and streaming change no answer, nor does what it is anyway."""

    name: str
    input_schema: dict[str, object]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: object = None
    eager_input_streaming: bool | None = None
    allowed_callers: list[Literal["direct"]] | None = None


class AutoChoice(Variant, frozen=True, kw_only=True, tag="auto"):
    """The model decides."""

    disable_parallel_tool_use: bool | None = None


class AnyChoice(Variant, frozen=True, kw_only=True, tag="any"):
    """Some tool must be used."""

    disable_parallel_tool_use: bool | None = None


class ToolChoice(Variant, frozen=True, kw_only=True, tag="tool"):
    """This tool must be used."""

    name: str
    disable_parallel_tool_use: bool | None = None


class NoneChoice(Variant, frozen=True, kw_only=True, tag="none"):
    """No tool may be used."""


class Enabled(Variant, frozen=True, kw_only=True, tag="enabled"):
    """Think, within a budget."""

    budget_tokens: Annotated[int, Meta(ge=1024)]
    display: Literal["summarized", "omitted"] | None = None


class Adaptive(Variant, frozen=True, kw_only=True, tag="adaptive"):
    """Think as much as it takes."""

    display: Literal["summarized", "omitted"] | None = None


class Disabled(Variant, frozen=True, kw_only=True, tag="disabled"):
    """Do not think."""


class BetweenTools(Variant, frozen=True, kw_only=True, tag="between_tools"):
    """Think no more than between tools."""


Thinking = Enabled | Adaptive | Disabled | BetweenTools


class JsonSchemaFormat(Variant, frozen=True, kw_only=True, tag="json_schema"):
    """A JSON answer that follows a schema."""

    schema: dict[str, object]


class OutputConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much effort to make, and the answer's schema."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: JsonSchemaFormat | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks."""

    user_id: str | None = None


class MessagesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request; None is an absent field. ``unknown`` holds the top-level fields that are none of these."""

    model: Annotated[str, Meta(min_length=1)]
    messages: Annotated[list[Turn], Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=0)]
    system: str | list[TextBlock] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=1)] | None = None
    tools: list[dict[str, object]] | None = None
    tool_choice: AutoChoice | AnyChoice | ToolChoice | NoneChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    cache_control: object = None
    unknown: dict[str, object] = {}


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of itself before anybody translates it."""

    model: Annotated[str, Meta(min_length=1)]
    max_tokens: Annotated[int, Meta(ge=0)]
    stream: bool | None = None
    thread: object = None


_ENVELOPE = msgspec.json.Decoder(Envelope)
_DECODER = msgspec.json.Decoder(MessagesRequest)
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(MessagesRequest)) - {"unknown"}


def envelope_of(body: bytes) -> Envelope:
    """The model, the limit and whether to stream. Raises BadInput naming the field."""
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc
    except _BROKEN as exc:
        raise _broken_json(exc) from exc
    if envelope.thread is not None:
        raise _threadless()
    return envelope


def _threadless() -> BadInput:
    """A conversation is kept by its caller: each turn of it may be another target's.

    The SDK's ``tool_runner`` asks for a thread by itself, and goes on without one when it is told so in this code.
    """
    return BadInput(
        "thread: no state is kept of a conversation, since another target may answer its next turn. "
        "Send the whole conversation without 'thread'.",
        param="thread",
        code=THREAD_UNSUPPORTED,
    )


def decode_messages_request(body: bytes) -> MessagesRequest:
    """The request. Raises BadInput with ``param`` (``messages[1].content``) when JSON, a type or a range is wrong."""
    try:
        request, fields = _DECODER.decode(body), fields_of(body)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc
    except _BROKEN as exc:
        raise _broken_json(exc) from exc
    foreign = {name: value for name, value in fields.items() if name not in _KNOWN and bytes(value) != b"null"}
    unknown: dict[str, object] = {name: msgspec.json.decode(value) for name, value in foreign.items()}
    return msgspec.structs.replace(request, unknown=unknown)


def fields_of(body: bytes) -> dict[str, Raw]:
    """The top-level fields, each as its own JSON. Raises msgspec.DecodeError."""
    return _FIELDS.decode(body)


def bad_field(fault: str, *, under: str = "") -> BadInput:
    """A refusal that names the field, out of msgspec's words about it; ``under`` is where the value lies."""
    parsed = _FAULT.fullmatch(fault)
    what, path = (parsed["what"], parsed["path"] or "") if parsed else (fault, "")
    code = "invalid_value"
    if named := _FIELD.fullmatch(what):
        missing = named["fault"].startswith("missing")
        path = f"{path}.{named['name']}" if path else named["name"]
        what = "Field required" if missing else "Extra inputs are not permitted for this model"
        code = "missing_required_parameter" if missing else "unknown_parameter"
    what = in_json_words(what)
    param = ".".join(part for part in (under, path) if part)
    return BadInput(f"{param}: {what}" if param else what, param=param or None, code=code)


def _broken_json(exc: Exception) -> BadInput:
    reason = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
    return BadInput(f"The body is not valid JSON: {reason}.", code="invalid_json")
