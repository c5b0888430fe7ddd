"""The hub's conversation: messages as variants by role, their content as variants by type.

Shapes: OpenAI's published OpenAPI document, ``ChatCompletionRequestMessage``. Objects refuse fields they do not know.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Variant(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type"
):
    """What every variant told apart by ``type`` shares."""


class _Part(Variant, frozen=True, kw_only=True):
    """A content part; the two cache hints change no answer."""

    cache_control: object = None
    prompt_cache_breakpoint: object = None


class TextPart(_Part, frozen=True, kw_only=True, tag="text"):
    """Words."""

    text: str


class RefusalPart(_Part, frozen=True, kw_only=True, tag="refusal"):
    """Words with which an earlier answer refused."""

    refusal: str


class ImageUrl(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a picture lies: ``data:``, ``gs://`` or ``https://``; ``format`` is its MIME type where no ending tells."""

    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None
    format: str | None = None


class ImagePart(_Part, frozen=True, kw_only=True, tag="image_url"):
    """A picture."""

    image_url: ImageUrl


class InputAudio(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Sound as base64."""

    data: str
    format: Literal["wav", "mp3"]


class AudioPart(_Part, frozen=True, kw_only=True, tag="input_audio"):
    """Sound."""

    input_audio: InputAudio


class InputFile(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """``file_data`` is a data: URL or bare base64 of a PDF; ``file_id`` a gs:// URI."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(_Part, frozen=True, kw_only=True, tag="file"):
    """A document."""

    file: InputFile


Part = TextPart | ImagePart | AudioPart | FilePart
TextContent = str | Annotated[list[TextPart], Meta(min_length=1)]


class GoogleExtra(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Gemini wants back as it gave it."""

    thought_signature: str | None = None


class ThinkingBlock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A thought with the signature it came with, or a redacted one (``data``); ``index`` is its place in the answer."""

    type: Literal["thinking", "redacted_thinking"]
    index: int | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class AnthropicExtra(msgspec.Struct, frozen=True, omit_defaults=True):
    """What Claude wants back as it gave it, in the same places."""

    thinking_blocks: list[ThinkingBlock] | None = None


class ExtraContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where signed thoughts travel: Gemini's in the place Google's own OpenAI layer gives them, Claude's beside it."""

    google: GoogleExtra | None = None
    anthropic: AnthropicExtra | None = None


class ProviderFields(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where LiteLLM keeps, and gives back, the fields of an answer that it does not know."""

    extra_content: ExtraContent | None = None


class CalledFunction(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """``arguments`` is JSON text; an SDK's own reading of it may come back beside it."""

    name: str
    arguments: str
    parsed_arguments: object = None


class FunctionToolCall(Variant, frozen=True, kw_only=True, tag="function"):
    """A function the model called."""

    id: str
    function: CalledFunction
    index: int | None = None
    extra_content: ExtraContent | None = None


class CustomToolCall(Variant, frozen=True, kw_only=True, tag="custom"):
    """A call with free text, which no dialect here has."""

    id: str
    custom: object


class _Message(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="role"
):
    name: str | None = None


class SystemMessage(_Message, frozen=True, kw_only=True, tag="system"):
    """Instructions."""

    content: TextContent


class DeveloperMessage(_Message, frozen=True, kw_only=True, tag="developer"):
    """Instructions, under their newer name."""

    content: TextContent


class UserMessage(_Message, frozen=True, kw_only=True, tag="user"):
    """What the user says."""

    content: str | Annotated[list[Part], Meta(min_length=1)]


class AssistantMessage(_Message, frozen=True, kw_only=True, tag="assistant"):
    """An earlier answer given back; ``annotations``, ``parsed`` and ``reasoning_content`` tell a model nothing new.

    ``function_call`` is a tool call's older name: ``older.py`` reads it as one.
    """

    content: str | list[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    tool_calls: list[FunctionToolCall | CustomToolCall] | None = None
    function_call: None = None
    audio: object = None
    annotations: object = None
    parsed: object = None
    reasoning_content: str | None = None
    extra_content: ExtraContent | None = None
    provider_specific_fields: ProviderFields | None = None

    @property
    def extra(self) -> ExtraContent | None:
        """The signed thoughts that came with the answer, wherever the client kept them."""
        if self.extra_content is None and self.provider_specific_fields is not None:
            return self.provider_specific_fields.extra_content
        return self.extra_content


class ToolMessage(_Message, frozen=True, kw_only=True, tag="tool"):
    """What a called function gave back."""

    tool_call_id: str
    content: TextContent


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


def texts_of(content: str | list[TextPart]) -> list[str]:
    """The texts of text-only content, in order."""
    return [content] if isinstance(content, str) else [part.text for part in content]


def spoken_texts(message: AssistantMessage) -> list[str]:
    """What the assistant said in words, a refusal included, piece by piece."""
    match message.content:
        case None:
            return [message.refusal or ""]
        case str(text):
            return [text]
        case parts:
            return [part.text if isinstance(part, TextPart) else part.refusal for part in parts]
