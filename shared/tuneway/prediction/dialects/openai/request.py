"""Hub → openai: a chat request in OpenAI's own words, or the caller's own JSON with only the name of the model new.

Choices this dialect makes:
- A body that is passed on keeps every field, also those nobody here knows; ``drop_params`` takes some out by name.
- A stream is always asked for its usage, so that it can be counted; the caller sees it only when it asked too.
- What the target's server (``servers.py``) would ignore is refused by name; what changes no answer is left out.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec
from msgspec import Raw

from tuneway.prediction.dialects.openai.passage import asked_of
from tuneway.prediction.dialects.openai.servers import Server, counts_when_asked, family_of, served_name, server_of
from tuneway.prediction.dialects.openai.spoken import ELSEWHERE, spoken
from tuneway.prediction.dialects.openai.values import Fields, is_object, objects_in
from tuneway.prediction.hub.fit import HARMLESS, fitted, unsupported_by
from tuneway.prediction.hub.request import ChatRequest, ExtendedRequest
from tuneway.prediction.profiles import Profile
from tuneway.routing.routes import Target

RawFields = dict[str, Raw]

_NEEDED = frozenset({"model", "messages", "prompt", "input", "stream"})
_OURS = frozenset({"reasoning_content", "extra_content", "annotations", "parsed", "cache_control", ELSEWHERE})
# Here the tools are sent, so that "none" asks for something.
_PLAIN_HARMLESS: dict[str, tuple[object, ...]] = {**HARMLESS, "tool_choice": ("auto",)}
_FIELDS = msgspec.json.Decoder(RawFields)
_OPTIONS: msgspec.json.Decoder[RawFields | None] = msgspec.json.Decoder(RawFields | None)
_ENCODER = msgspec.json.Encoder()
# Who asks, under OpenAI's newer name, which it bounds at 64 characters and other servers do not know yet.
_SAFETY = "safety_identifier"
_NOT_ASKED = frozenset({*ExtendedRequest.__struct_fields__} - {*ChatRequest.__struct_fields__}) | {_SAFETY}
_TRUE = Raw(b"true")
_NEWER_LIMIT = "max_completion_tokens"


def to_request(request: ChatRequest, target: Target) -> Fields:
    """The body for a hub request. Raises BadInput naming what the target's server cannot express."""
    unknown = request.unknown if isinstance(request, ExtendedRequest) else {}
    wanted = fitted(request, (), drop=target.drop_params, extras=tuple(unknown))
    body = _FIELDS.decode(_ENCODER.encode({**unknown, **_plain(wanted)}))
    return dict(_fitted(body, target, alias=request.model, stream=request.stream is True))


def passed_on(body: bytes, target: Target, *, stream: bool, alias: str | None = None) -> bytes:
    """The caller's body with the model's served name, fitted to the target's server.

    Raises BadInput naming a parameter that the server would ignore. ``/completions`` bodies pass the same way. Who has
    read the body before gives the caller's name of the model.
    """
    alias = alias or asked_of(body).model
    return _ENCODER.encode(_fitted(_FIELDS.decode(body), target, alias=alias, stream=stream))


def _fitted(fields: RawFields, target: Target, *, alias: str, stream: bool) -> RawFields:
    kept = fields if _looked_at(target).isdisjoint(fields) else _reshaped(fields, target, alias=alias)
    named = {**spoken(kept, target, alias=alias), "model": _named(target)}
    return _counting(named) if stream and counts_when_asked(server_of(target), target) else named


@lru_cache(maxsize=1024)
def _named(target: Target) -> Raw:
    return Raw(_ENCODER.encode(served_name(target)))


@lru_cache(maxsize=1024)
def _looked_at(target: Target) -> frozenset[str]:
    """The fields that a target may not get as they are; most bodies have none of them."""
    server, family = server_of(target), family_of(target)
    limit = ("max_tokens",) if family.limit_field == _NEWER_LIMIT else ()
    effort = ("reasoning_effort",) if server.efforts else ()
    refused = (*target.drop_params, *server.refused, *family.unsupported)
    return frozenset((*refused, *server.neutral, *server.hints, *server.renamed, *limit, *effort))


def _reshaped(fields: RawFields, target: Target, *, alias: str) -> RawFields:
    """The fields as the target's server and model take them. Raises BadInput naming one that they do not take."""
    server, family = server_of(target), family_of(target)
    kept = _without(fields, (name for name in target.drop_params if name not in _NEEDED))
    heard = _heard(kept, server, (*server.refused, *family.unsupported), alias=alias)
    kept = _renamed(_without(heard, server.hints), server.renamed)
    return _thinking(_limited(kept, family), server)


def _heard(fields: RawFields, server: Server, refusals: Iterable[str], *, alias: str) -> RawFields:
    """The fields the target takes: one it would refuse or ignore is refused, unless it asks for what happens anyway."""
    refused = [name for name in refusals if name in fields]
    for name in refused:
        if (value := _value(fields[name])) is not None and value not in _PLAIN_HARMLESS.get(name, ()):
            raise unsupported_by(alias, name)
    neutral = [name for name, same in server.neutral.items() if name in fields and _value(fields[name]) == same]
    return _without(fields, [*refused, *neutral])


def _without(fields: RawFields, names: Iterable[str]) -> RawFields:
    left_out = frozenset(names)
    return {name: value for name, value in fields.items() if name not in left_out} if left_out else fields


def _renamed(fields: RawFields, names: dict[str, str]) -> RawFields:
    """The newer of two names wins where a body has both."""
    renamed = {names[name]: value for name, value in fields.items() if name in names}
    return {**_without(fields, names), **renamed} if renamed else fields


def _limited(fields: RawFields, profile: Profile) -> RawFields:
    """Reasoning models refuse the older name of the limit, which is all that some callers know."""
    if profile.limit_field != _NEWER_LIMIT or "max_tokens" not in fields:
        return fields
    return {profile.limit_field: fields["max_tokens"], **_without(fields, ["max_tokens"])}


def _thinking(fields: RawFields, server: Server) -> RawFields:
    """The effort in the server's nearest word."""
    if not server.efforts or "reasoning_effort" not in fields:
        return fields
    asked = _value(fields["reasoning_effort"])
    told = server.efforts.get(asked) if isinstance(asked, str) else None
    return fields if told is None else {**fields, "reasoning_effort": Raw(_ENCODER.encode(told))}


def _counting(fields: RawFields) -> RawFields:
    """``stream_options`` that ask for the usage, whatever else they ask for."""
    options: RawFields = _OPTIONS.decode(fields.get("stream_options", Raw(b"null"))) or {}
    return {**fields, "stream_options": Raw(_ENCODER.encode({**options, "include_usage": _TRUE}))}


def _value(raw: Raw) -> object:
    value: object = msgspec.json.decode(raw)
    return value


def _plain(request: ChatRequest) -> Fields:
    """The request without what only this house and its other dialects know."""
    body: Fields = msgspec.to_builtins(request)
    messages = [_message(message) for message in objects_in(body["messages"])]
    rest = {name: value for name, value in body.items() if name not in _NOT_ASKED}
    asker = {"user": body[_SAFETY]} if _SAFETY in body else {}
    tools = {"tools": [_bare(tool) for tool in objects_in(body["tools"])]} if "tools" in body else {}
    return {**asker, **rest, "messages": messages, **tools}


def _message(message: Fields) -> Fields:
    plain = _bare(message)
    parts = message.get("content")
    if isinstance(parts, list):
        plain["content"] = [_bare(part) for part in objects_in(plain["content"])]
    if "tool_calls" in message:
        plain["tool_calls"] = [_call(call) for call in objects_in(message["tool_calls"])]
    return plain


def _call(call: Fields) -> Fields:
    plain = {name: value for name, value in _bare(call).items() if name != "index"}
    if is_object(function := call.get("function")):
        plain["function"] = {"name": function["name"], "arguments": function["arguments"]}
    return plain


def _bare(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in _OURS}
