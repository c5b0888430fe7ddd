"""Mistral's chat and FIM as served by Vertex AI's rawPredict."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from typing_extensions import override

from tests.vendors.fake import Asked, Fake
from tests.vendors.gemini import google_error, token_borne
from tests.vendors.listening import Heard
from tests.vendors.openai_chat import Chat, paired
from tests.vendors.openai_surfaces import heard_prompt
from tests.vendors.script import Call, Error, Reply
from tests.vendors.shapes import (
    ANY,
    MAP,
    NUMBER,
    TEXT,
    TRUTH,
    Shape,
    at_least,
    between,
    by_tag,
    either,
    fault,
    many,
    matching,
    one_of,
    record,
    refuse,
)

NULL: Shape = {"type": "null"}
CALL_ID = matching("^[a-zA-Z0-9]{9}$")
PART = by_tag(
    "type",
    text=record({"type": TEXT, "text": TEXT}),
    image_url=record({"type": TEXT, "image_url": either(TEXT, record({"url": TEXT}, detail=TEXT))}),
    document_url=record({"type": TEXT, "document_url": TEXT}, document_name=TEXT),
    input_audio=record({"type": TEXT, "input_audio": TEXT}),
    thinking=record({"type": TEXT, "thinking": ANY}, closed=TRUTH),
)
SAID = either(TEXT, many(PART, 1))
CALL = record({"function": record({"name": TEXT, "arguments": either(TEXT, MAP)})}, id=CALL_ID, type=TEXT, index=ANY)
MESSAGE = by_tag(
    "role",
    system=record({"role": TEXT, "content": SAID}),
    user=record({"role": TEXT, "content": either(SAID, NULL)}),
    assistant=record({"role": TEXT}, content=either(SAID, NULL), tool_calls=either(many(CALL), NULL), prefix=TRUTH),
    tool=record({"role": TEXT, "content": either(SAID, NULL)}, tool_call_id=CALL_ID, name=TEXT),
)
SAMPLING: dict[str, Shape] = {
    "temperature": either(between(0, 1.5), NULL),
    "top_p": between(0, 1),
    "max_tokens": either(at_least(0), NULL),
    "min_tokens": either(at_least(0), NULL),
    "stream": TRUTH,
    "stop": either(TEXT, many(TEXT)),
    "random_seed": either(at_least(0), NULL),
    "metadata": ANY,
}
FUNCTION = record({"name": TEXT, "parameters": MAP}, description=TEXT, strict=TRUTH)
TOOL = record({"function": FUNCTION}, type=one_of("function"))
FORMAT = record(
    {"type": one_of("text", "json_object", "json_schema")},
    json_schema=record({"name": TEXT, "schema": MAP}, description=ANY, strict=TRUTH),
)
CHAT = record(
    {"model": TEXT, "messages": many(MESSAGE, 1)},
    **SAMPLING,
    response_format=FORMAT,
    tools=either(many(TOOL, 1), NULL),
    tool_choice=either(
        one_of("auto", "none", "any", "required"),
        record({"type": one_of("function"), "function": record({"name": TEXT})}),
    ),
    presence_penalty=NUMBER,
    frequency_penalty=NUMBER,
    n=either(at_least(1), NULL),
    prediction=ANY,
    parallel_tool_calls=TRUTH,
    prompt_mode=ANY,
    reasoning_effort=ANY,
    safe_prompt=TRUTH,
)
FIM = record({"model": TEXT, "prompt": TEXT}, **SAMPLING, suffix=either(TEXT, NULL))


class Mistral(Chat):
    """rawPredict of a Mistral model: a body with ``prompt`` is FIM. Its usage comes with the last chunk, unasked."""

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        body = asked.body if isinstance(asked.body, dict) else {}
        _shaped(body, FIM if "prompt" in body else CHAT)
        served = asked.parameters["model"]
        if body["model"] not in {served, served.partition("@")[0]}:
            raise refuse(400, f"Invalid model: {body['model']}", kind="invalid_model")
        if bool(body.get("stream")) != self.streamed:
            raise refuse(400, "The field 'stream' does not agree with the method called.")
        if "messages" in body:
            _ordered(body["messages"])

    @override
    def streams(self, asked: Asked) -> bool:
        return self.streamed

    @override
    def heard(self, asked: Asked) -> Heard:
        return heard_prompt(asked.body) if "prompt" in asked.body else super().heard(_as_openai(asked))

    @override
    def message(self, reply: Reply) -> dict[str, Any]:
        found = super().message(reply)
        calls = found.get("tool_calls")
        return {"role": "assistant", "content": _content(reply), "tool_calls": calls}

    @override
    def call(self, call: Call, index: int) -> dict[str, Any]:
        found = super().call(call, index)
        return {**found, "id": call.id or f"tool0000{index}", "index": index}

    @override
    def deltas(self, reply: Reply) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "content": ""}
        if reply.reasoning:
            yield {"content": [_thinking(reply)]}
        yield from (delta for delta in super().deltas(reply) if delta.get("content"))
        if reply.calls:
            yield {"content": "", "tool_calls": [self.call(call, at) for at, call in enumerate(reply.calls)]}

    @override
    def chunks(self, asked: Asked, reply: Reply) -> Iterator[dict[str, Any]]:
        *chunks, last = super().chunks(asked, reply)
        yield from chunks
        yield {**last, **({"usage": self.usage(asked, reply)} if reply.usage else {})}

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        if error.status in {401, 403, 404, 429} and error.kind is None:
            return google_error(error), {}
        if error.status == 422:
            return {"object": "error", "message": {"detail": [{"type": error.kind, "msg": error.message}]}}, {}
        kind = error.kind or "invalid_request_error"
        return {"object": "error", "message": error.message, "type": kind, "param": None, "code": None}, {}


def _shaped(body: Mapping[str, Any], shape: Shape) -> None:
    if (found := fault(body, shape)) is None:
        return
    path, unknown, said = found
    if unknown:
        raise refuse(422, f"Extra inputs are not permitted: {path}.{unknown}", kind="extra_forbidden")
    raise refuse(422, f"{path}: {said[:300]}", kind="value_error")


def _ordered(messages: list[dict[str, Any]]) -> None:
    last = messages[-1]
    if last["role"] == "system" or (last["role"] == "assistant" and not last.get("prefix")):
        said = "Expected last role User or Tool (or Assistant with prefix True) for serving but got "
        raise refuse(400, f"{said}{last['role']}", kind="invalid_request_message_order")
    paired(messages)


def _as_openai(asked: Asked) -> Asked:
    """Its own spellings in OpenAI's, for hearing."""
    choice = asked.body.get("tool_choice", "auto")
    messages = [
        {**message, "content": [_part(part) for part in said]}
        if isinstance(said := message.get("content"), list)
        else message
        for message in asked.body["messages"]
    ]
    tools = [{"type": "function", **tool} for tool in asked.body.get("tools") or []]
    body = {
        **asked.body,
        "messages": messages,
        "tools": tools,
        "tool_choice": "required" if choice == "any" else choice,
    }
    return replace(asked, body=body)


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    link = part.get("image_url")
    return {**part, "image_url": {"url": link}} if isinstance(link, str) else dict(part)


def _thinking(reply: Reply) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": reply.reasoning}]}


def _content(reply: Reply) -> Any:
    text = reply.text or reply.refusal
    return [_thinking(reply), {"type": "text", "text": text}] if reply.reasoning else text
