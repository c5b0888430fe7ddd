"""OpenAI chat rows as types: what one line of a fine-tuning file may hold.

Source: OpenAI's fine-tuning guide and OpenAPI document (chat messages, tools, ``weight``). Every key is listed, also
those that the provider cannot express, so that each of them gets its own answer in the checks.
"""

from typing import Literal

import msgspec

# No row refers to itself: what is read of one needs no look of the garbage collector (gc=False).


class _Part(msgspec.Struct, frozen=True, gc=False, tag_field="type", forbid_unknown_fields=True):
    """A piece of content."""


class _Message(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="role", forbid_unknown_fields=True):
    """A turn."""


class _Plain(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An object without a tag."""


class TextPart(_Part, frozen=True, tag="text"):
    """Text."""

    text: str


class ImageUrl(_Plain, frozen=True):
    """Where an image lies: a URL, ``gs://`` or ``data:``."""

    url: str
    detail: Literal["auto", "low", "high", "original"] = "auto"


class ImagePart(_Part, frozen=True, tag="image_url"):
    """An image."""

    image_url: ImageUrl


class AudioPart(_Part, frozen=True, tag="input_audio"):
    """Sound, inline."""

    input_audio: object


class FilePart(_Part, frozen=True, tag="file"):
    """A file, inline or by OpenAI's file id."""

    file: object


class RefusalPart(_Part, frozen=True, tag="refusal"):
    """A refusal to answer."""

    refusal: str


UserPart = TextPart | ImagePart | AudioPart | FilePart
AssistantPart = TextPart | RefusalPart
Part = UserPart | RefusalPart


class CalledFunction(_Plain, frozen=True):
    """The function a call names; ``arguments`` is JSON in a string."""

    name: str
    arguments: str


class ToolCall(_Plain, frozen=True):
    """One call the assistant makes."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class SystemMessage(_Message, frozen=True, tag="system"):
    """Instructions."""

    content: str | list[TextPart]
    name: str | None = None


class DeveloperMessage(_Message, frozen=True, tag="developer"):
    """Instructions, in the newer spelling."""

    content: str | list[TextPart]
    name: str | None = None


class UserMessage(_Message, frozen=True, tag="user"):
    """What the user says."""

    content: str | list[UserPart]
    name: str | None = None


class AssistantMessage(_Message, frozen=True, tag="assistant"):
    """An answer: text, tool calls or both; ``weight`` 0 asks not to learn it."""

    content: str | list[AssistantPart] | None = None
    tool_calls: list[ToolCall] | None = None
    weight: Literal[0, 1] | None = None
    name: str | None = None
    refusal: str | None = None
    function_call: object = None
    audio: object = None


class ToolMessage(_Message, frozen=True, tag="tool"):
    """The result of a call."""

    content: str | list[TextPart]
    tool_call_id: str
    name: str | None = None


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage
INSTRUCTIONS = (SystemMessage, DeveloperMessage)


class Function(_Plain, frozen=True):
    """A function the model may call; ``parameters`` is a JSON Schema."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    strict: bool | None = None


class Tool(_Plain, frozen=True):
    """A tool the model may use."""

    function: Function
    type: Literal["function"] = "function"


class ChatRow(_Plain, frozen=True):
    """One training example."""

    messages: list[Message]
    tools: list[Tool] | None = None
    parallel_tool_calls: bool | None = None
    functions: object = None
