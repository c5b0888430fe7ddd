"""chat/completions in OpenAI's words: on ``endpoints/openapi`` for publisher models, and for containers."""

import msgspec

from tuneway.local.vertex.answers import echo
from tuneway.local.vertex.bases import served
from tuneway.local.vertex.call import Call, Cloud, Reply, Rule, Stream
from tuneway.local.vertex.generate import FEW_WORDS
from tuneway.local.vertex.instants import new_id
from tuneway.local.vertex.narrow import items, mapping, text, whole
from tuneway.local.vertex.refusals import Refusal, error_body, invalid
from tuneway.local.vertex.tokens import first_tokens, tokens_in

NO_HEADERS: dict[str, str] = {}


def openapi(cloud: Cloud, call: Call) -> Reply | Stream:
    """A base model by its ``publisher/model`` name."""
    try:
        body = call.json()
        publisher, _, model = text(body.get("model")).partition("/")
        if not model:
            raise invalid("model", "The model must be named as publisher/model, e.g. google/gemini-3.5-flash.")
        name = served(model, call.parent) if publisher == "google" else model
        return chat_answer(cloud, text(body.get("model")), body, words=echo(name, last_message(body)))
    except Refusal as refusal:
        # The OpenAI-compatible endpoint wraps its errors in an array of one.
        return Reply([error_body(refusal)], status=refusal.code)


def chat_answer(
    cloud: Cloud, model: str, body: dict[str, object], *, words: str, headers: dict[str, str] = NO_HEADERS
) -> Reply | Stream:
    """A chat completion that says ``words``, streamed when the body asks for it. Raises Refusal."""
    if body.get("stream") is True:
        return chat_stream(cloud, model, body, words=words, headers=headers)
    _check_messages(body)
    said, finish = _limited(words, body)
    message = {"role": "assistant", "content": said}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    head = _head(cloud, model, "chat.completion")
    return Reply({**head, "choices": [choice], "usage": _usage(body, said)}, headers=headers)


def chat_stream(
    cloud: Cloud, model: str, body: dict[str, object], *, words: str, headers: dict[str, str] = NO_HEADERS
) -> Stream:
    """The same as events that end with ``[DONE]``. Raises Refusal."""
    _check_messages(body)
    said, finish = _limited(words, body)
    head = _head(cloud, model, "chat.completion.chunk")
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in FEW_WORDS.findall(said)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if mapping(body.get("stream_options")).get("include_usage") is True:
        chunks.append({**head, "choices": [], "usage": _usage(body, said)})
    events = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return Stream([*events, b"data: [DONE]\n\n"], "text/event-stream", headers)


def last_message(body: dict[str, object]) -> str:
    """What the last message says."""
    messages = items(body.get("messages"))
    return _said(mapping(messages[-1])) if messages else ""


def _said(message: dict[str, object]) -> str:
    content = message.get("content")
    return text(content) or "".join(text(mapping(part).get("text")) for part in items(content))


def _check_messages(body: dict[str, object]) -> None:
    if not items(body.get("messages")):
        raise invalid("messages", "At least one message is required.")


def _limited(words: str, body: dict[str, object]) -> tuple[str, str]:
    limit = whole(body.get("max_completion_tokens"), 0) or whole(body.get("max_tokens"), 0)
    if limit and tokens_in(words) > limit:
        return first_tokens(words, limit), "length"
    return words, "stop"


def _head(cloud: Cloud, model: str, kind: str) -> dict[str, object]:
    id_ = f"chatcmpl-simulated-{new_id()}"
    return {"id": id_, "object": kind, "created": int(cloud.now()), "model": model, "system_fingerprint": "simulated"}


def _usage(body: dict[str, object], said: str) -> dict[str, int]:
    asked = tokens_in("\n".join(_said(mapping(message)) for message in items(body.get("messages"))))
    written = tokens_in(said)
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


RULES = (Rule("POST", "projects/{project}/locations/{location}/endpoints/openapi/chat/completions", openapi),)
