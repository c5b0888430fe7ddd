"""Write an OpenAI chat row as a Gemini row. The row must have passed the checks.

| OpenAI | Gemini |
|---|---|
| system, developer (at the front) | systemInstruction, one part each |
| user, assistant, tool | turns of role user, model, user; neighbours of one role become one turn |
| text, image_url (gs://) | text, fileData with the type its extension tells |
| tool_calls | functionCall, arguments decoded |
| tool | functionResponse; text that is no JSON object becomes {"output": text}, as Google's proto advises |
| tools | functionDeclarations, the schema unchanged in parametersJsonSchema |
| name, strict, detail, parallel_tool_calls: false | not expressible: the checks warn |
| weight 0, refusal, function_call, functions, audio, files not in gs:// | not expressible: the checks refuse |
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import assert_never

from tuneway.tuning.datasets.chat import (
    INSTRUCTIONS,
    AssistantMessage,
    AudioPart,
    ChatRow,
    DeveloperMessage,
    FilePart,
    ImagePart,
    Message,
    Part,
    RefusalPart,
    SystemMessage,
    TextPart,
    Tool,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from tuneway.tuning.datasets.chat_tools import object_in
from tuneway.tuning.datasets.gemini import ContentOut, DeclarationOut, InstructionOut, PartOut, RowOut, ToolOut
from tuneway.tuning.datasets.media import mime_type

# Who speaks in which role; instructions are no turns.
ROLES: dict[type[Message], str] = {UserMessage: "user", ToolMessage: "user", AssistantMessage: "model"}


def to_gemini(row: ChatRow) -> RowOut:
    """The row in Gemini's words."""
    out = RowOut()
    if instruction := _system_instruction(row.messages):
        out["systemInstruction"] = instruction
    out["contents"] = _contents(row.messages)
    if row.tools:
        out["tools"] = _tools(row.tools)
    return out


def _system_instruction(messages: Sequence[Message]) -> InstructionOut | None:
    said = takewhile(lambda message: isinstance(message, INSTRUCTIONS), messages)
    parts = [part for message in said for part in _content_parts(message.content)]
    return {"parts": parts} if parts else None


def _contents(messages: Sequence[Message]) -> list[ContentOut]:
    contents: list[ContentOut] = []
    speaking = ""
    for message in messages:
        role = ROLES.get(type(message))
        if role is None:
            continue
        if role == speaking:
            contents[-1]["parts"] += _parts(message, messages)
        else:
            contents.append({"role": role, "parts": _parts(message, messages)})
        speaking = role
    return contents


def _parts(message: Message, messages: Sequence[Message]) -> list[PartOut]:
    match message:
        case UserMessage():
            return _content_parts(message.content)
        case AssistantMessage(tool_calls=calls):
            said = _content_parts(message.content)
            return [*said, *map(_function_call, calls)] if calls else said
        case ToolMessage():
            return [_function_response(message, messages)]
        case SystemMessage() | DeveloperMessage():
            return []
        case _:
            assert_never(message)


def _content_parts(content: str | Sequence[Part] | None) -> list[PartOut]:
    if isinstance(content, str):
        return [{"text": content}] if content else []
    return [_part(part) for part in content or ()]


def _part(part: Part) -> PartOut:
    match part:
        case TextPart(text=text):
            return {"text": text}
        case ImagePart(image_url=image):
            return {"fileData": {"mimeType": mime_type(image.url) or "", "fileUri": image.url}}
        case AudioPart() | FilePart() | RefusalPart():
            # The checks refuse these rows; a row that comes here all the same must not lose a part in silence.
            raise ValueError(f"{type(part).__name__} has no Gemini form.")
        case _:
            assert_never(part)


def _function_call(call: ToolCall) -> PartOut:
    return {"functionCall": {"name": call.function.name, "args": object_in(call.function.arguments) or {}}}


def _function_response(message: ToolMessage, messages: Sequence[Message]) -> PartOut:
    content = message.content
    text = content if isinstance(content, str) else "".join(part.text for part in content)
    found = object_in(text)
    response: dict[str, object] = {"output": text} if found is None else found
    return {"functionResponse": {"name": _called(message, messages), "response": response}}


def _called(answer: ToolMessage, messages: Sequence[Message]) -> str:
    """The function whose call is answered: the checks have made sure that there is one."""
    calls = (call for turn in messages if isinstance(turn, AssistantMessage) for call in turn.tool_calls or ())
    return next(call.function.name for call in calls if call.id == answer.tool_call_id)


def _tools(tools: Sequence[Tool]) -> list[ToolOut]:
    return [{"functionDeclarations": [_declaration(tool) for tool in tools]}]


def _declaration(tool: Tool) -> DeclarationOut:
    function = tool.function
    out = DeclarationOut(name=function.name)
    if function.description is not None:
        out["description"] = function.description
    if function.parameters is not None:
        out["parametersJsonSchema"] = function.parameters
    return out
