"""Write a Gemini row as an OpenAI chat row; the way back of ``chat_to_gemini``.

| Gemini | OpenAI |
|---|---|
| systemInstruction | one system message; several parts stay parts |
| user, model | user, assistant; one text alone is a plain string |
| fileData of an image | image_url |
| functionCall | tool_calls, ids ``call_1``, ``call_2`` … unless the row has its own |
| functionResponse | a tool message that answers the first open call of that name; {"output": text} alone is the text |
| functionDeclarations | tools; ``parameters`` in Google's own schema language get JSON Schema's spelling of types |
| generationConfig, toolConfig, videoMetadata, a response's schema | lost, by name |
| fileData of anything else, inlineData | not expressible |
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TypeVar

import msgspec

from tuneway.tuning.datasets.chat import (
    AssistantMessage,
    AssistantPart,
    CalledFunction,
    ChatRow,
    Function,
    ImagePart,
    ImageUrl,
    Message,
    SystemMessage,
    TextPart,
    Tool,
    ToolCall,
    ToolMessage,
    UserMessage,
    UserPart,
)
from tuneway.tuning.datasets.gemini import (
    Content,
    FunctionDeclaration,
    FunctionResponse,
    GeminiRow,
    Part,
    PreferenceRow,
)
from tuneway.tuning.datasets.losses import Lost, inexpressible

P = TypeVar("P")

_encode = msgspec.json.encode


def to_chat(row: GeminiRow | PreferenceRow, contents: Sequence[Content]) -> ChatRow:
    """The row in OpenAI's words, of these turns. Raises Inexpressible."""
    reading = _Turns()
    messages = [message for place, content in enumerate(contents) for message in reading.messages(content, place)]
    system = _system(row.system_instruction)
    tools = [_tool(declared) for tool in row.tools or () for declared in tool.function_declarations]
    return ChatRow(messages=[*system, *messages], tools=tools or None)


def losses(row: GeminiRow | PreferenceRow) -> Iterator[Lost]:
    """What the chat row does not hold."""
    if row.generation_config is not None:
        yield Lost("generation_config", "$.generationConfig")
    if row.tool_config is not None:
        yield Lost("tool_config", "$.toolConfig")
    for place, content in enumerate(row.contents):
        for number, part in enumerate(content.parts):
            if part.video_metadata is not None:
                yield Lost("video_metadata", f"$.contents[{place}].parts[{number}].videoMetadata")
    for declared in (declared for tool in row.tools or () for declared in tool.function_declarations):
        if declared.response is not None or declared.response_json_schema is not None:
            yield Lost("response_schema", "$.tools")


class _Turns:
    """Goes through the turns of one row: calls get ids, and responses find the calls they answer."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: list[tuple[str, str]] = []

    def messages(self, content: Content, place: int) -> list[Message]:
        path = f"$.contents[{place}]"
        if content.role == "model":
            return [self._assistant(content, path)]
        answers = [self._tool(part.function_response) for part in content.parts if part.function_response is not None]
        said = [_user_part(part, path) for part in content.parts if part.function_response is None]
        # A response stands right behind the turn with its call; what the user says with it follows.
        return [*answers, *([UserMessage(content=_alone(said))] if said else [])]

    def _assistant(self, content: Content, path: str) -> AssistantMessage:
        calls = [self._call(part) for part in content.parts if part.function_call is not None]
        texts: list[AssistantPart] = [_text(part, path) for part in content.parts if part.function_call is None]
        return AssistantMessage(content=_alone(texts) if texts else None, tool_calls=calls or None)

    def _call(self, part: Part) -> ToolCall:
        call = part.function_call
        if call is None:
            raise TypeError("The part is no call.")
        id_ = call.id or f"call_{next(self._numbers)}"
        self._open.append((call.name, id_))
        return ToolCall(id=id_, function=CalledFunction(name=call.name, arguments=_encode(call.args or {}).decode()))

    def _tool(self, response: FunctionResponse) -> ToolMessage:
        fitting = [key for key in self._open if response.id in {key[1], None} and key[0] == response.name]
        if not fitting:
            raise inexpressible("$.contents", f"No call of '{response.name}' is open where it is answered.")
        self._open.remove(fitting[0])
        told = response.response
        text = told["output"] if set(told) == {"output"} else None
        return ToolMessage(
            content=text if isinstance(text, str) else _encode(told).decode(), tool_call_id=fitting[0][1]
        )


def _system(instruction: Content | None) -> list[Message]:
    if instruction is None or not instruction.parts:
        return []
    texts = [_text(part, "$.systemInstruction") for part in instruction.parts]
    return [SystemMessage(content=_alone(texts))]


def _alone(parts: list[P]) -> str | list[P]:
    """One text alone is a plain string."""
    match parts:
        case [TextPart(text=text)]:
            return text
        case _:
            return parts


def _user_part(part: Part, path: str) -> UserPart:
    file = part.file_data
    if file is None:
        return _text(part, path)
    if not file.mime_type.lower().startswith("image/"):
        raise inexpressible(path, f"OpenAI chat has no place for a file of type '{file.mime_type}' by its address.")
    return ImagePart(image_url=ImageUrl(url=file.file_uri))


def _text(part: Part, path: str) -> TextPart:
    if part.text is None:
        raise inexpressible(path, "The part is no text, and such a part has no place there.")
    return TextPart(text=part.text)


def _tool(declared: FunctionDeclaration) -> Tool:
    schema = declared.parameters_json_schema
    if schema is None and declared.parameters is not None:
        schema = _spelled(declared.parameters)
    if schema is not None and not isinstance(schema, dict):
        raise inexpressible("$.tools", f"The parameters of '{declared.name}' are no JSON object.")
    parameters = None if schema is None else msgspec.convert(schema, dict[str, object])
    return Tool(function=Function(name=declared.name, description=declared.description, parameters=parameters))


def _spelled(schema: object) -> object:
    """Google's schema with JSON Schema's names of types: STRING is string."""
    if isinstance(schema, dict):
        held = msgspec.convert(schema, dict[str, object])
        return {key: _type(value) if key == "type" else _spelled(value) for key, value in held.items()}
    if isinstance(schema, list):
        return list(map(_spelled, msgspec.convert(schema, list[object])))
    return schema


def _type(value: object) -> object:
    # A property may be named "type", too: then its value is a schema.
    return value.lower() if isinstance(value, str) else _spelled(value)
