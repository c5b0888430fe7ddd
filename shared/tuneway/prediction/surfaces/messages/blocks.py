"""The content blocks of Anthropic's Messages API, as a caller sends them.

Source of the shapes: Anthropic's Messages API reference, ``ContentBlockParam``. Hints on caching travel on; an earlier
answer's ``citations`` and ``caller`` tell a model nothing new. What only a null can stand in (``toolset_name`` …) is of
Anthropic's own tools, and an SDK writes it for every other.
"""

from typing import Literal

import msgspec


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What every variant told apart by ``type`` shares."""


class _Block(Variant, frozen=True, kw_only=True):
    cache_control: object = None


class Base64Source(Variant, frozen=True, kw_only=True, tag="base64"):
    """Data by value."""

    media_type: str
    data: str


class UrlSource(Variant, frozen=True, kw_only=True, tag="url"):
    """Data by reference."""

    url: str


class FileSource(Variant, frozen=True, kw_only=True, tag="file"):
    """A file that was uploaded to Anthropic."""

    file_id: str


class TextSource(Variant, frozen=True, kw_only=True, tag="text"):
    """A document that is text."""

    media_type: Literal["text/plain"]
    data: str


class TextBlock(_Block, frozen=True, kw_only=True, tag="text"):
    """Words."""

    text: str
    citations: object = None


class ImageBlock(_Block, frozen=True, kw_only=True, tag="image"):
    """A picture."""

    source: Base64Source | UrlSource | FileSource
    transformations: None = None


class ContentSource(Variant, frozen=True, kw_only=True, tag="content"):
    """A document that is blocks."""

    content: str | list[TextBlock | ImageBlock]


class Citations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the answer is to quote a document by place."""

    enabled: bool | None = None


class DocumentBlock(_Block, frozen=True, kw_only=True, tag="document"):
    """A PDF, or a text."""

    source: Base64Source | UrlSource | FileSource | TextSource | ContentSource
    title: str | None = None
    context: str | None = None
    citations: Citations | None = None


class SearchResultBlock(_Block, frozen=True, kw_only=True, tag="search_result"):
    """What a search of the caller's own found: where, under which title, in which words."""

    source: str
    title: str
    content: list[TextBlock]
    citations: Citations | None = None


class ToolResultBlock(_Block, frozen=True, kw_only=True, tag="tool_result"):
    """What a used tool gave back."""

    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock | SearchResultBlock] | None = None
    is_error: bool | None = None
    toolset_name: None = None


class ToolUseBlock(_Block, frozen=True, kw_only=True, tag="tool_use"):
    """A tool the model used."""

    id: str
    name: str
    input: dict[str, object]
    caller: object = None
    toolset_name: None = None


class ThinkingBlock(Variant, frozen=True, kw_only=True, tag="thinking"):
    """A thought, as it came."""

    thinking: str
    signature: str


class RedactedThinkingBlock(Variant, frozen=True, kw_only=True, tag="redacted_thinking"):
    """A thought nobody may read, as it came."""

    data: str


UserBlock = TextBlock | ImageBlock | DocumentBlock | SearchResultBlock | ToolResultBlock
AssistantBlock = TextBlock | ToolUseBlock | ThinkingBlock | RedactedThinkingBlock
