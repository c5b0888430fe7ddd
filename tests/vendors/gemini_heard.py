"""What a request in Gemini's words asks for."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.vendors.listening import Heard, Image, Tool, words
from tests.vendors.shapes import refuse

_SNAKE = re.compile(r"_([a-z])")


_OWN_NAMES = frozenset(
    {
        "args",
        "labels",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "responseSchema",
    }
)


def camel(value: Any) -> Any:
    """Proto JSON takes field names in both spellings; what callers name themselves stays."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {_SNAKE.sub(lambda found: found[1].upper(), key): inside for key, inside in value.items()}
    return {key: inside if key in _OWN_NAMES else camel(inside) for key, inside in named.items()}


def heard(body: Mapping[str, Any]) -> Heard:
    """A request in the fakes' words."""
    contents = body["contents"]
    users = [found for content in contents if content.get("role", "user") == "user" if (found := own(content))]
    last = users[-1] if users else []
    config = body.get("generationConfig") or {}
    thinking = config.get("thinkingConfig") or {}
    return Heard(
        text=" ".join(part["text"] for part in last if "text" in part),
        words=words((body.get("systemInstruction") or {}).get("parts"), [content["parts"] for content in contents]),
        media=tuple(_media(part) for part in last if "inlineData" in part or "fileData" in part),
        tools=tuple(_tools(body)),
        choice=_choice((body.get("toolConfig") or {}).get("functionCallingConfig") or {}),
        results=tuple(_result(part) for part in contents[-1]["parts"] if "functionResponse" in part),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        json=config.get("responseMimeType") == "application/json",
        reasons=bool(thinking.get("includeThoughts")),
        most_tokens=config.get("maxOutputTokens"),
        stops=tuple(config.get("stopSequences") or ()),
    )


def own(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a turn says itself: all but results."""
    return [part for part in content["parts"] if "functionResponse" not in part]


def _tools(body: Mapping[str, Any]) -> Iterator[Tool]:
    for tool in body.get("tools") or []:
        for found in tool.get("functionDeclarations") or []:
            yield Tool(name=found["name"], schema=found.get("parametersJsonSchema") or found.get("parameters") or {})


def _choice(calling: Mapping[str, Any]) -> str:
    named = calling.get("allowedFunctionNames") or ["required"]
    return {"NONE": "none", "ANY": str(named[0])}.get(calling.get("mode", "AUTO"), "auto")


def _result(part: Mapping[str, Any]) -> str:
    response = part["functionResponse"]["response"]
    only = list(response.values())
    return str(only[0]) if len(only) == 1 and isinstance(only[0], str) else json.dumps(response)


def _media(part: Mapping[str, Any]) -> Image:
    if "fileData" in part:
        return Image(kind=part["fileData"]["mimeType"], address=part["fileData"]["fileUri"])
    data = part["inlineData"]
    try:
        return Image(kind=data["mimeType"], size=len(base64.b64decode(data["data"], validate=True)))
    except ValueError as not_base64:
        raise refuse(400, "Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed") from not_base64
