"""LiteLLM in an environment of its own: does one call for each line of JSON it reads, and prints one line of JSON.

A line is ``{"call": "completion", "arguments": {…}, "take": 1}``; ``take`` leaves a stream after so many pieces. An
argument ``{"path": "…"}`` is that file. Whatever LiteLLM prints goes to stderr, lest a line of it meet an answer's; and
so do all threads' stacks, before it ends, when a call takes too long.
"""

import asyncio
import faulthandler
import gc
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

TOO_LONG = 300.0

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
litellm: Any = import_module("litellm")  # not installed where types are checked


def plain(value: Any) -> Any:
    """An answer or a piece of one in JSON's types."""
    if isinstance(value, bytes):
        return value.decode()
    return value.model_dump(mode="json", exclude_none=True) if hasattr(value, "model_dump") else value


def meant(value: Any) -> Any:
    """An argument that JSON can tell, or the path that it stands for."""
    return Path(value["path"]) if isinstance(value, dict) and set(value) == {"path"} else value


def pieces(stream: Iterator[Any], take: int | None) -> list[Any]:
    """The stream's pieces, all or the first few; what is left is closed, as a caller does who leaves."""
    found: list[Any] = []
    for piece in stream:
        found.append(plain(piece))
        if len(found) == take:
            stream.completion_stream.response.close()  # type: ignore[attr-defined]  # the openai SDK's stream, inside
            break
    return found


async def later(call: Any, arguments: dict[str, Any]) -> Any:
    """The answer of an asynchronous call, or the list of its pieces."""
    answer = await call(**arguments)
    if isinstance(answer, AsyncIterator):
        return [plain(piece) async for piece in answer]
    return plain(answer)


def done(asked: dict[str, Any]) -> dict[str, Any]:
    """What the call gave, or how it failed."""
    place: Any = litellm
    for name in asked["call"].split("."):
        place = getattr(place, name)
    arguments = {name: meant(value) for name, value in asked["arguments"].items()}
    try:
        if asyncio.iscoroutinefunction(place):
            return {"answer": asyncio.run(later(place, arguments))}
        answer = place(**arguments)
        whole = plain(answer) if not arguments.get("stream") else pieces(answer, asked.get("take"))
    except Exception as fault:  # noqa: BLE001 - whatever LiteLLM raises is the result
        status = getattr(fault, "status_code", None)
        return {"error": {"kind": type(fault).__name__, "status": status, "message": str(fault)[:500]}}
    return {"answer": whole}


# LiteLLM leaves Anthropic's streams unread behind their last event. Were one collected while httpcore holds its pool's
# lock, its end would want the same lock in the same thread, for ever; between two calls nobody holds it.
gc.freeze()  # what is imported stays
gc.disable()
for line in sys.stdin:
    gc.collect()
    faulthandler.dump_traceback_later(TOO_LONG, exit=True)
    answers.write(json.dumps(done(json.loads(line))) + "\n")
    answers.flush()
    faulthandler.cancel_dump_traceback_later()
