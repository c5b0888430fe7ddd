"""What a user of LiteLLM does with the provider, in LiteLLM's own environment; prints one JSON object of results."""

import asyncio
import json
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from tuneway.litellm_provider import register

litellm: Any = import_module("litellm")  # not installed where types are checked
QUESTION = "What is 12 plus one?"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def text_of(chunks: Iterable[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def later(model: str) -> dict[str, object]:
    whole = await litellm.acompletion(model, asked(QUESTION))
    stream = await litellm.acompletion(model, asked(QUESTION), stream=True)
    return {"whole": whole.choices[0].message.content, "stream": text_of([chunk async for chunk in stream])}


async def routed(router: Any) -> str:
    return str((await router.acompletion("shop", asked(QUESTION))).choices[0].message.content)


def refused(model: str, **options: object) -> dict[str, object]:
    try:
        litellm.completion(model, asked("No."), **options)
    except (litellm.exceptions.NotFoundError, litellm.exceptions.AuthenticationError) as fault:
        return {"kind": type(fault).__name__, "status": fault.status_code}
    return {}


def called_in(chunks: list[Any]) -> list[str]:
    """The functions that a stream's pieces call."""
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    return [call.function.name for call in calls if call.function.name]


def main(model: str, url: str, key: str, calling: str) -> dict[str, object]:
    """``calling`` is the address of a model that calls every tool it is offered."""
    register()
    register()
    whole = litellm.completion(model, asked(QUESTION), temperature=0.5)
    tools = {"tools": [TOOL], "tool_choice": "auto", "api_base": calling, "api_key": "test-key"}
    called = litellm.completion("tuneway/shop", asked("Look."), **tools)
    pieced = list(litellm.completion("tuneway/shop", asked("Look."), stream=True, **tools))
    pieces = list(litellm.completion(model, asked(QUESTION), stream=True))
    at = {"api_base": calling, "api_key": "test-key"}
    vectors = litellm.embedding("tuneway/text-embedding-3-small", ["a", "b"], **at)
    later_vectors = asyncio.run(litellm.aembedding("tuneway/text-embedding-3-small", ["a"], **at))
    named = {"model": model, "api_base": url, "api_key": key}
    broken = {"model": "tuneway/nobody-knows-this", "api_base": url, "api_key": key}
    router = litellm.Router(
        model_list=[{"model_name": "shop", "litellm_params": named}, {"model_name": "gone", "litellm_params": broken}],
        fallbacks=[{"gone": ["shop"]}],
        num_retries=0,
    )
    return {
        "providers": [item["provider"] for item in litellm.custom_provider_map],
        "whole": whole.choices[0].message.content,
        "tokens": whole.usage.total_tokens,
        "tools": [call.function.name for call in called.choices[0].message.tool_calls or []],
        "tools_in_a_stream": called_in(pieced),
        "finish_of_tools": pieced[-1].choices[0].finish_reason,
        "vectors": [len(vectors.data), len(later_vectors.data)],
        "stream": text_of(pieces),
        "finish": pieces[-1].choices[0].finish_reason,
        "async": asyncio.run(later(model)),
        "router": asyncio.run(routed(router)),
        "fallback": router.completion("gone", asked(QUESTION)).choices[0].message.content,
        "unknown": refused("tuneway/nobody-knows-this"),
        "stranger": refused(model, api_key="tw-wrong"),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
