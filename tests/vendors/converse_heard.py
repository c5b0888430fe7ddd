"""What a Converse request asks for."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from tests.vendors.listening import Heard, Image, Tool, words
from tests.vendors.shapes import refuse

MEDIA = {"image": "image", "document": "application", "video": "video", "audio": "audio"}


def heard(body: Mapping[str, Any]) -> Heard:
    """A Converse request in the fakes' words."""
    messages = body["messages"]
    users = [message["content"] for message in messages if message["role"] == "user"]
    spoken = [[block for block in content if "toolResult" not in block] for content in users]
    last: list[dict[str, Any]] = next((found for found in reversed(spoken) if found), [])
    config, limits = body.get("toolConfig") or {}, body.get("inferenceConfig") or {}
    return Heard(
        text=" ".join(block["text"] for block in last if "text" in block),
        words=words(body.get("system"), [message["content"] for message in messages]),
        media=tuple(_media(kind, block[kind]) for block in last for kind in MEDIA if kind in block),
        tools=tuple(_tool(tool["toolSpec"]) for tool in config.get("tools") or [] if "toolSpec" in tool),
        choice=_choice(config.get("toolChoice") or {"auto": {}}),
        results=tuple(_result(block["toolResult"]) for block in messages[-1]["content"] if "toolResult" in block),
        schema=_schema(body),
        reasons=(body.get("additionalModelRequestFields") or {}).get("thinking", {}).get("type") in _THINKS,
        most_tokens=limits.get("maxTokens"),
        stops=tuple(limits.get("stopSequences") or ()),
    )


_THINKS = {"enabled", "adaptive", "between_tools"}


def _media(kind: str, block: Mapping[str, Any]) -> Image:
    source = block["source"]
    if "bytes" in source:
        size = len(base64.b64decode(source["bytes"], validate=True))
        return Image(kind=f"{MEDIA[kind]}/{block.get('format')}", size=size)
    return Image(kind="link", address=str((source.get("s3Location") or {}).get("uri")))


def _tool(spec: Mapping[str, Any]) -> Tool:
    return Tool(name=spec["name"], schema=spec["inputSchema"]["json"])


def _choice(choice: Mapping[str, Any]) -> str:
    kind = next(iter(choice))
    return {"any": "required", "tool": str(choice[kind].get("name"))}.get(kind, kind)


def _result(result: Mapping[str, Any]) -> str:
    return " ".join(str(part.get("text", json.dumps(part.get("json", "")))) for part in result["content"])


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    structure = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    written = (structure.get("jsonSchema") or {}).get("schema")
    try:
        return dict(json.loads(written)) if written else None
    except ValueError as not_json:
        raise refuse(400, "The JSON schema provided is not valid JSON.") from not_json
