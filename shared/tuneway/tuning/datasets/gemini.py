"""Gemini rows: as types, to read and check them, and as the shapes that the conversion writes.

Source: Google Cloud's page on preparing supervised tuning data, 2026-09-25, and the v1beta1 protos of ``Content``.
"""

from typing import TypedDict

import msgspec


class _Wire(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True
):
    """An object of the row, spelled as Google spells it."""


class FileData(_Wire, frozen=True):
    """A file in Cloud Storage."""

    mime_type: str
    file_uri: str


class FunctionCall(_Wire, frozen=True):
    """A call the model makes."""

    name: str
    args: dict[str, object] | None = None
    id: str | None = None


class FunctionResponse(_Wire, frozen=True):
    """The result of a call."""

    name: str
    response: dict[str, object]
    id: str | None = None


class Part(_Wire, frozen=True):
    """A piece of a turn: exactly one of the first five, of which ``inline_data`` is not taken for tuning."""

    text: str | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: object = None
    video_metadata: dict[str, object] | None = None


class Content(_Wire, frozen=True):
    """A turn."""

    parts: list[Part]
    role: str | None = None


class FunctionDeclaration(_Wire, frozen=True):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    parameters_json_schema: object = None
    response: dict[str, object] | None = None
    response_json_schema: object = None


class Tool(_Wire, frozen=True):
    """Functions the model may call."""

    function_declarations: list[FunctionDeclaration]


class GeminiRow(_Wire, frozen=True):
    """One training example."""

    contents: list[Content]
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: dict[str, object] | None = None
    generation_config: dict[str, object] | None = None


class Completion(_Wire, frozen=True):
    """One of the answers to a prompt, and how good it is."""

    score: float
    completion: Content


class PreferenceRow(_Wire, frozen=True):
    """One prompt with an answer to prefer (score 1) and one to avoid (score 0).

    The instruction is found under either of its spellings: Google's page writes it with an underscore.
    Source: Google Cloud's page on preparing preference tuning data, 2026-11.
    """

    contents: list[Content]
    completions: list[Completion]
    system_instruction: Content | None = None
    underscored: Content | None = msgspec.field(default=None, name="system_instruction")
    tools: list[Tool] | None = None
    tool_config: dict[str, object] | None = None
    generation_config: dict[str, object] | None = None

    def __post_init__(self) -> None:
        if self.system_instruction is None and self.underscored is not None:
            msgspec.structs.force_setattr(self, "system_instruction", self.underscored)


class PartOut(TypedDict, total=False):
    """A part as it is written."""

    text: str
    fileData: dict[str, str]
    functionCall: dict[str, object]
    functionResponse: dict[str, object]


class InstructionOut(TypedDict):
    """A system instruction as it is written."""

    parts: list[PartOut]


class ContentOut(InstructionOut):
    """A turn as it is written."""

    role: str


class DeclarationOut(TypedDict, total=False):
    """A function as it is written."""

    name: str
    description: str
    parametersJsonSchema: dict[str, object]


class ToolOut(TypedDict):
    """Tools as they are written."""

    functionDeclarations: list[DeclarationOut]


class RowOut(TypedDict, total=False):
    """A row as it is written."""

    systemInstruction: InstructionOut
    contents: list[ContentOut]
    tools: list[ToolOut]


class CompletionOut(TypedDict):
    """An answer and its score as they are written."""

    score: float
    completion: ContentOut


class PreferenceOut(RowOut, total=False):
    """A row of preferences as it is written."""

    completions: list[CompletionOut]
