"""Bodies checked against Google's own protos, and brought to one spelling (camelCase, enum names)."""

import functools
import importlib
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, cast

from tuneway.local.vertex.narrow import items, mapping
from tuneway.local.vertex.refusals import Refusal, Violation, invalid

# Fields that google-genai sends or reads but the protos of google-cloud-aiplatform lack.
GENAI_ONLY = frozenset(
    {
        "preferenceOptimizationSpec",
        "reinforcementTuningSpec",
        "fullFineTuningSpec",
        "distillationSamplingSpec",
        "evaluationConfig",
        "tuningJobState",
        "tuningJobMetadata",
        "gcsMetricsUri",
        "thinkingLevel",
        "mediaResolution",
        "partMetadata",
        "toolCall",
        "toolResponse",
        "displayName",
        "parts",
        "scheduling",
        "includeServerSideToolInvocations",
        "enableEnhancedCivicAnswers",
        "translationConfig",
        "mcpServers",
        "fileSearch",
        "excludeDomains",
        "serviceTier",
    }
)
WELL_KNOWN = "google.protobuf."
NO_FIELD = re.compile(r'has no field named "(?P<name>[^"]+)" at "(?P<path>[^"]*)"')


class _Field(Protocol):
    """The part of a proto field descriptor that is read here."""

    message_type: "_Descriptor | None"


class _Descriptor(Protocol):
    """The part of a proto message descriptor that is read here."""

    full_name: str
    fields_by_name: Mapping[str, _Field]
    fields_by_camelcase_name: Mapping[str, _Field]


class _Message(Protocol):
    """A proto message, as far as it is used here."""

    DESCRIPTOR: _Descriptor


class _JsonFormat(Protocol):
    """google.protobuf.json_format, which ships no types."""

    ParseError: type[Exception]

    def ParseDict(self, js_dict: object, message: _Message) -> _Message:  # noqa: N802 - Google's name
        """Fill the message. Raises ParseError."""
        ...

    def MessageToDict(self, message: _Message) -> dict[str, object]:  # noqa: N802 - Google's name
        """The message as JSON values."""
        ...


class _MessageClass(Protocol):
    """A proto-plus message class."""

    def pb(self, message: object) -> _Message:
        """The proto inside."""
        ...

    def __call__(self) -> object:
        """A new, empty message."""
        ...


@functools.cache
def types() -> ModuleType:
    """Google's v1beta1 message types: a superset of v1. Importing them takes a second or two, so it is done late."""
    return importlib.import_module("google.cloud.aiplatform_v1beta1.types")


@functools.cache
def _json_format() -> _JsonFormat:
    return cast("_JsonFormat", importlib.import_module("google.protobuf.json_format"))


def canonical(kind: str, body: object, *, path: str = "") -> dict[str, object]:
    """``body`` as a message of this kind, re-spelled. Raises Refusal (400) naming the field that does not fit.

    ``path`` is how Google's messages name the root, e.g. ``tuning_job``.
    """
    json_format = _json_format()
    message_class = cast("_MessageClass", vars(types())[kind])
    message = message_class.pb(message_class())
    try:
        json_format.ParseDict(_known(body, message.DESCRIPTOR), message)
    except json_format.ParseError as exc:
        raise _refusal(str(exc), kind, path) from exc
    return json_format.MessageToDict(message)


def _refusal(message: str, kind: str, path: str) -> Refusal:
    found = NO_FIELD.search(message)
    if found is None:
        return invalid(path or kind, f"Invalid JSON payload received. {message}")
    where = ".".join(filter(None, [path, found["path"].partition(".")[2]]))
    unknown = f'Invalid JSON payload received. Unknown name "{found["name"]}"'
    text = f"{unknown} at '{where}': Cannot find field." if where else f"{unknown}: Cannot find field."
    return Refusal("INVALID_ARGUMENT", text, Violation(where, text))


def _known(value: object, descriptor: _Descriptor) -> object:
    """``value`` without the fields that only google-genai knows."""
    members = mapping(value)
    if not members or descriptor.full_name.startswith(WELL_KNOWN):
        return value
    kept: dict[str, object] = {}
    for name, member in members.items():
        field = descriptor.fields_by_camelcase_name.get(name) or descriptor.fields_by_name.get(name)
        if field is None and camel(name) in GENAI_ONLY:
            continue
        kept[name] = _known_member(member, field)
    return kept


def _known_member(member: object, field: _Field | None) -> object:
    if field is None or field.message_type is None:
        return member
    inner = field.message_type
    return [_known(each, inner) for each in items(member)] or _known(member, inner)


def camel(name: str) -> str:
    """``epoch_count`` → ``epochCount``."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)
