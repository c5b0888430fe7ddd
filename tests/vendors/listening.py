"""What a fake heard, in words that are no vendor's, and what it answers when nobody told it what to say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from typing_extensions import override

from tests.vendors.script import Call, Reply


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that arrived: its bytes, or the address it is to be fetched from."""

    kind: str
    size: int = 0
    address: str = ""

    @override
    def __str__(self) -> str:
        return f"[{self.kind}, {self.address or f'{self.size} bytes'}]"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool on offer."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A request. ``choice`` is "auto", "none", "required" or a tool's name; ``results`` are those that end it."""

    text: str = ""
    words: int = 0
    media: tuple[Image, ...] = ()
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    results: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    json: bool = False
    reasons: bool = False
    most_tokens: int | None = None
    stops: tuple[str, ...] = ()


def echo(heard: Heard) -> Reply:
    """The last user text, so that a test sees what arrived; tools are called, results and images told of."""
    if heard.results:
        return _limited(Reply("; ".join(heard.results)), heard)
    if heard.tools and heard.choice != "none":
        return Reply(calls=(_call(heard),))
    return _limited(_spoken(heard), heard)


def counted(reply: Reply, heard: Heard) -> tuple[int, int, int]:
    """Prompt, completion (reasoning included) and reasoning tokens: as told, else in words."""
    tokens = reply.tokens
    reasoning = len(reply.reasoning.split()) if tokens.reasoning is None else tokens.reasoning
    said = [reply.text, reply.refusal, *(f"{call.name} {json.dumps(call.arguments)}" for call in reply.calls)]
    completion = sum(len(text.split()) for text in said) + reasoning
    return (
        max(1, heard.words) if tokens.prompt is None else tokens.prompt,
        max(1, completion) if tokens.completion is None else tokens.completion,
        reasoning,
    )


def pieces(text: str) -> list[str]:
    """A text as a stream brings it: word by word."""
    words = text.split(" ")
    return [word if at == 0 else f" {word}" for at, word in enumerate(words)] if text else []


def halves(text: str) -> list[str]:
    """A tool call's arguments as a stream brings them: in fragments that are no JSON."""
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]


def sample(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, name: str = "text") -> Any:
    """A value that the schema allows; strings are their property's name."""
    root = schema if root is None else root
    if "$ref" in schema:
        return sample(_found(str(schema["$ref"]), root), root, name)
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return sample(schema[several][0], root, name)
    return _of_type(schema, root, name)


def words(*values: object) -> int:
    """How many words there are in values of any depth."""
    return sum(len(value.split()) if isinstance(value, str) else words(*_inside(value)) for value in values)


def _inside(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _of_type(schema: Mapping[str, Any], root: Mapping[str, Any], name: str) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    match kind:
        case "object":
            return {key: sample(value, root, key) for key, value in schema.get("properties", {}).items()}
        case "array":
            return [sample(schema.get("items", {}), root, name)]
        case _:
            return {"integer": 1, "number": 1.5, "boolean": True, "null": None}.get(kind, name)


def _found(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    place: Any = root
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return dict(place)


def _call(heard: Heard) -> Call:
    named = [tool for tool in heard.tools if tool.name == heard.choice]
    tool = (named or list(heard.tools))[0]
    return Call(tool.name, sample(tool.schema) or {})


def _spoken(heard: Heard) -> Reply:
    if heard.schema is not None:
        return Reply(json.dumps(sample(heard.schema)))
    text = " ".join([heard.text, *map(str, heard.media)]).strip()
    if heard.json:
        return Reply(json.dumps({"text": text}))
    return Reply(text, reasoning="I say it again." if heard.reasons else "")


def _limited(reply: Reply, heard: Heard) -> Reply:
    """What the request's own limits leave of it: a word is a token here."""
    cut = min((reply.text.index(stop) for stop in heard.stops if stop and stop in reply.text), default=None)
    if cut is not None:
        return replace(reply, text=reply.text[:cut], finish="stop_sequence")
    split = reply.text.split(" ")
    if heard.most_tokens and len(split) > heard.most_tokens:
        return replace(reply, text=" ".join(split[: heard.most_tokens]), finish="length")
    return reply
