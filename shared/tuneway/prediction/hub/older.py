"""OpenAI's older words for tools, read as the newer ones.

| older | newer |
|---|---|
| ``functions`` | ``tools`` |
| ``function_call``: ``none``, ``auto`` or a name | ``tool_choice`` |
| ``function_call`` of an assistant's message | its one tool call |
| a message of the role ``function`` | a tool's, in answer to the last call of that name that has none yet |

Older words know no ids: a call's is made of the place of its message, so that it is the same in every later request.
Who speaks so is answered so (``older_answers.py``).
"""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeVar

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.bad_fields import bad_field
from tuneway.prediction.hub.messages import ExtraContent
from tuneway.prediction.hub.request import ExtendedRequest, FunctionDefinition, FunctionTool, Named, NamedTool

T = TypeVar("T", bound=msgspec.Struct)
Fields = dict[str, object]
OLDER = ("functions", "function_call")
_SENT_AS = {"tools": "functions", "tool_choice": "function_call"}
_ROLE = "function"
_NOTHING_ASKED = (None, "none", "auto")


class Functions(msgspec.Struct, frozen=True):
    """The older fields of a request; None is an absent one."""

    functions: list[FunctionDefinition] | None = None
    function_call: Literal["none", "auto"] | Named | None = None

    def laid_over(self, request: ExtendedRequest) -> ExtendedRequest:
        """The request with the functions as tools. Raises BadInput for the older words beside the newer."""
        if not self.functions and self.function_call in _NOTHING_ASKED:
            return msgspec.structs.replace(request, older=request.older and request.tools is None)
        if request.tools is not None or request.tool_choice is not None:
            older = "functions" if self.functions else "function_call"
            raise BadInput(
                f"'{older}' is what 'tools' and 'tool_choice' were called before: send the ones or the others.",
                param=older,
                code="invalid_value",
            )
        tools = [FunctionTool(function=function) for function in self.functions or ()]
        choice = self._choice()
        return msgspec.structs.replace(request, older=True, sent_as=_SENT_AS, tools=[*tools], tool_choice=choice)

    def _choice(self) -> Literal["none", "auto"] | NamedTool | None:
        choice = self.function_call
        if not isinstance(choice, Named):
            return choice
        if choice.name not in [function.name for function in self.functions or ()]:
            raise BadInput(
                f"'function_call' names '{choice.name[:64]}', which is none of the 'functions'.",
                param="function_call",
                code="invalid_value",
            )
        return NamedTool(function=choice)


class _Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: Literal["function"]
    name: str
    content: str | None = None


class _Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``extra_content`` is what an answer of this house put beside the call."""

    name: str
    arguments: str
    extra_content: ExtraContent | None = None
    parsed_arguments: object = None


class _Calling(msgspec.Struct, frozen=True):
    function_call: _Call


class _Waiting(msgspec.Struct, frozen=True):
    """A call that has no result yet."""

    name: str
    id: str


def in_newer_words(messages: object) -> tuple[object, bool]:
    """The messages in the newer words, as far as they are any, and whether some were older.

    Raises BadInput naming what is wrong.
    """
    if not isinstance(messages, list):
        return messages, False
    given = msgspec.convert(messages, list[object])
    newer = list(_newer(given))
    return newer, newer != given


def _newer(messages: Sequence[object]) -> Iterator[object]:
    waiting: list[_Waiting] = []
    for place, message in enumerate(messages):
        fields = msgspec.convert(message, Fields) if isinstance(message, dict) else Fields()
        if fields.get("role") == _ROLE:
            result = _read(fields, _Result, place)
            call = _answered(result, waiting, place)
            waiting.remove(call)
            yield {"role": "tool", "tool_call_id": call.id, "content": result.content or ""}
        elif fields.get("role") == "assistant" and fields.get("function_call") is not None:
            called = _called(fields, place)
            waiting.append(_Waiting(called.function_call.name, _call_id(place)))
            yield {**fields, "function_call": None, "tool_calls": [_tool_call(called.function_call, place)]}
        else:
            yield message


def _called(fields: Fields, place: int) -> _Calling:
    if fields.get("tool_calls"):
        raise BadInput(
            "An assistant's message has 'tool_calls' or the older 'function_call', not both.",
            param=f"messages[{place}].function_call",
            code="invalid_value",
        )
    return _read(fields, _Calling, place)


def _tool_call(call: _Call, place: int) -> Fields:
    told: Fields = {
        "id": _call_id(place),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    return told if call.extra_content is None else {**told, "extra_content": msgspec.to_builtins(call.extra_content)}


def _call_id(place: int) -> str:
    """Nine letters and digits, which is all that the narrowest of hosts takes."""
    return f"call{place:05d}"


def _answered(result: _Result, waiting: Sequence[_Waiting], place: int) -> _Waiting:
    """The call that the result belongs to."""
    for call in reversed(waiting):
        if call.name == result.name:
            return call
    raise BadInput(
        f"No earlier assistant's message calls the function '{result.name[:64]}' without having its result. "
        "Send the message with its 'function_call' before.",
        param=f"messages[{place}].name",
        code="invalid_value",
    )


def _read(fields: Fields, kind: type[T], place: int) -> T:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc), under=f"messages[{place}]") from exc
