"""What a request in OpenAI's words asks for."""

import base64
from collections.abc import Mapping
from typing import Any

from tests.vendors.listening import Heard, Image, Tool, words


def heard(body: Mapping[str, Any]) -> Heard:
    """A chat request in the fakes' words."""
    messages = body["messages"]
    users = [parts(message["content"]) for message in messages if message["role"] == "user"]
    last = users[-1] if users else []
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    stop = body.get("stop") or ()
    return Heard(
        text=" ".join(part["text"] for part in last if part["type"] == "text"),
        words=words([message.get("content") for message in messages]),
        media=tuple(image for part in last if (image := _media(part))),
        tools=tuple(_tool(tool) for tool in body.get("tools") or [] if tool["type"] == "function"),
        choice=_choice(body.get("tool_choice", "auto")),
        results=tuple(_results(messages)),
        schema=schema,
        json=(body.get("response_format") or {}).get("type") == "json_object",
        reasons=body.get("reasoning_effort") not in {None, "none"},
        most_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stops=(stop,) if isinstance(stop, str) else tuple(stop),
    )


def parts(content: Any) -> list[dict[str, Any]]:
    """A message's content as parts, however it was written."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def data_url(url: str) -> Image:
    """What a URL brings: a ``data:`` URL its own bytes."""
    if not url.startswith("data:"):
        return Image(kind="link", address=url)
    head, _, data = url.partition(",")
    return Image(kind=head.removeprefix("data:").partition(";")[0], size=len(base64.b64decode(data, validate=True)))


def _media(part: Mapping[str, Any]) -> Image | None:
    match part["type"]:
        case "image_url":
            return data_url(part["image_url"]["url"])
        case "document_url":
            return data_url(part["document_url"])
        case "input_audio" if isinstance(part["input_audio"], str):
            return Image(kind="audio", size=len(base64.b64decode(part["input_audio"], validate=True)))
        case "input_audio":
            size = len(base64.b64decode(part["input_audio"]["data"], validate=True))
            return Image(kind=f"audio/{part['input_audio']['format']}", size=size)
        case "file" if "file_data" in part["file"]:
            return data_url(part["file"]["file_data"])
        case _:
            return None


def _tool(tool: Mapping[str, Any]) -> Tool:
    return Tool(name=tool["function"]["name"], schema=tool["function"].get("parameters") or {})


def _choice(choice: Any) -> str:
    return choice if isinstance(choice, str) else str(choice.get("function", {}).get("name", "auto"))


def _results(messages: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        found.append(" ".join(part["text"] for part in parts(message["content"])))
    return found[::-1]
