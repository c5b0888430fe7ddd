"""Hub → instances: a chat request as the body of ``predict`` or ``rawPredict``.

Custom containers agree on the envelope and on little else, so one instance carries the request in the words most of
them read, each a faithful copy of the same request:

- ``messages``: as the caller wrote them, for containers that chat; ``@requestFormat`` asks Model Garden's vLLM for it
- ``prompt``: the conversation as one text, for containers that complete (absent when it holds more than text)
- ``temperature, max_tokens, top_p, top_k, stop, n, seed, …`` beside them: OpenAI's and vLLM's names

and ``parameters`` says the latter again in Vertex AI's names (``stop_sequences``, ``candidate_count``). A streamed
``rawPredict`` says ``stream: true`` at the top and in the instance. Everything else is refused by name.
"""

from typing import TypedDict

from tuneway.prediction.hub.fit import CACHING, OPENAIS_OWN, fitted
from tuneway.prediction.hub.messages import (
    AssistantMessage,
    DeveloperMessage,
    Message,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from tuneway.prediction.hub.request import ChatRequest, output_limit, stop_sequences
from tuneway.routing.routes import Target

UNSUPPORTED = (
    *OPENAIS_OWN,
    "function_call",
    "functions",
    "logprobs",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "service_tier",
    "tool_choice",
    "tools",
    "top_logprobs",
)
# What changes no answer, and what no container is known to read.
HINTS = (*CACHING, "metadata", "safety_identifier", "user")
_SPEAKERS: dict[type[Message], str] = {
    SystemMessage: "System",
    DeveloperMessage: "System",
    UserMessage: "User",
    AssistantMessage: "Assistant",
    ToolMessage: "Tool",
}

Sampling = dict[str, float | int | list[str]]
# No TypedDict: a container may be sent anything, and one key holds an @.
Instance = dict[str, object]


class PredictRequest(TypedDict, total=False):
    """The body."""

    instances: list[Instance]
    parameters: Sampling
    stream: bool


def to_request(request: ChatRequest, target: Target) -> PredictRequest:
    """The body. Raises BadInput naming what a container of this kind is not known to express."""
    request = fitted(request, UNSUPPORTED, drop=target.drop_params)
    instance, parameters = _instance(request), _parameters(request)
    if target.raw and request.stream:
        return {"instances": [{**instance, "stream": True}], "parameters": parameters, "stream": True}
    return {"instances": [instance], "parameters": parameters}


def prompt_of(messages: list[Message]) -> str | None:
    """The conversation as one text: a lone message as it is, more of them each after its speaker; None if not text."""
    texts = [_text(message) for message in messages]
    if None in texts:
        return None
    if len(texts) == 1:
        return texts[0]
    lines = [f"{_SPEAKERS[type(message)]}: {text}" for message, text in zip(messages, texts, strict=True)]
    return "\n\n".join([*lines, "Assistant:"])


def _instance(request: ChatRequest) -> Instance:
    prompt = prompt_of(request.messages)
    return {
        "@requestFormat": "chatCompletions",
        "messages": request.messages,
        **({} if prompt is None else {"prompt": prompt}),
        **_sampling(request, stop="stop", choices="n"),
    }


def _parameters(request: ChatRequest) -> Sampling:
    return _sampling(request, stop="stop_sequences", choices="candidate_count")


def _sampling(request: ChatRequest, *, stop: str, choices: str) -> Sampling:
    """How to sample; two names differ between OpenAI's words and Vertex AI's."""
    given: dict[str, float | int | list[str] | None] = {
        "temperature": request.temperature,
        "max_tokens": output_limit(request),
        "top_p": request.top_p,
        "top_k": request.top_k,
        stop: stop_sequences(request) or None,
        choices: request.n,
        "seed": request.seed,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
    }
    return {name: value for name, value in given.items() if value is not None}


def _text(message: Message) -> str | None:
    """A message's words, or None when words are not all it holds."""
    if isinstance(message, AssistantMessage) and message.tool_calls:
        return None
    content = message.content
    if content is None or isinstance(content, str):
        return content or ""
    texts = [part.text for part in content if isinstance(part, TextPart)]
    return "".join(texts) if len(texts) == len(content) else None
