"""Answers for those who call tools functions (``older.py``): ``function_call`` instead of ``tool_calls``.

The older words have one call in an answer: of several the first is told, and with its result the model asks for the
others again.
"""

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.hub.answer import (
    AnswerMessage,
    ChatCompletion,
    Choice,
    Chunk,
    ChunkChoice,
    Delta,
    FinishReason,
    OlderCall,
    OlderDelta,
    ToolCallDelta,
)

_FINISHES: dict[FinishReason, FinishReason] = {"tool_calls": "function_call"}


def in_older_words(completion: ChatCompletion) -> ChatCompletion:
    """The answer; one in older words stays as it is."""
    return msgspec.structs.replace(completion, choices=[_choice(choice) for choice in completion.choices])


def chunk_in_older_words(chunk: Chunk) -> Chunk:
    """A piece of the answer."""
    return msgspec.structs.replace(chunk, choices=[_chunk_choice(choice) for choice in chunk.choices])


def _choice(choice: Choice) -> Choice:
    finish = _FINISHES.get(choice.finish_reason, choice.finish_reason)
    return msgspec.structs.replace(choice, message=_message(choice.message), finish_reason=finish)


def _message(message: AnswerMessage) -> AnswerMessage:
    if not message.tool_calls:
        return message
    first = message.tool_calls[0]
    call = OlderCall(name=first.function.name, arguments=first.function.arguments, extra_content=first.extra_content)
    return msgspec.structs.replace(message, tool_calls=UNSET, function_call=call)


def _chunk_choice(choice: ChunkChoice) -> ChunkChoice:
    finish = None if choice.finish_reason is None else _FINISHES.get(choice.finish_reason, choice.finish_reason)
    return msgspec.structs.replace(choice, delta=_delta(choice.delta), finish_reason=finish)


def _delta(delta: Delta) -> Delta:
    if not delta.tool_calls:
        return delta
    return msgspec.structs.replace(delta, tool_calls=UNSET, function_call=_piece(delta.tool_calls))


def _piece(calls: list[ToolCallDelta]) -> OlderDelta | UnsetType:
    """What is new of the first call; nothing where only others have news."""
    first = next((call for call in calls if call.index == 0), None)
    if first is None:
        return UNSET
    return OlderDelta(name=first.function.name, arguments=first.function.arguments, extra_content=first.extra_content)
