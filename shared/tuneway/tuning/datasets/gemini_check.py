"""Hold a Gemini row against the rules of its conversation; a row that passes is used as it is."""

from collections.abc import Iterator, Sequence

import msgspec

from tuneway.tuning.datasets.gemini import Content, FileData, GeminiRow, Part
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.media import modality_findings
from tuneway.tuning.datasets.report import Checked, Finding, excerpt
from tuneway.tuning.datasets.tokens import utf8_length

ROLES = ("user", "model", "function")
REMEDIED_ROLES = {"assistant": " Gemini says 'model'.", "system": " Gemini has systemInstruction for it."}

_encode = msgspec.json.encode


def check(row: GeminiRow, limits: DatasetLimits) -> Checked:
    """What the row holds and every rule that it breaks."""
    contents = [*((row.system_instruction,) if row.system_instruction else ()), *row.contents]
    texts = [text for content in contents for part in content.parts for text in _texts(part)]
    if row.tools:
        texts.append(_encode(row.tools).decode())
    return Checked(
        tuple(_findings(row, limits)),
        sum(map(len, texts)),
        sum(map(utf8_length, texts)),
        sum(part.file_data is not None for content in contents for part in content.parts),
    )


def _texts(part: Part) -> Iterator[str]:
    if part.text is not None:
        yield part.text
    if part.function_call is not None:
        yield _encode(part.function_call).decode()
    if part.function_response is not None:
        yield _encode(part.function_response).decode()


def _findings(row: GeminiRow, limits: DatasetLimits) -> Iterator[Finding]:
    yield from _order_findings(row.contents)
    if row.system_instruction is not None:
        yield from _instruction_findings(row.system_instruction)
    for index, content in enumerate(row.contents):
        yield from _content_findings(content, f"$.contents[{index}]", limits)
    yield from _call_findings(row)


def _order_findings(contents: Sequence[Content]) -> Iterator[Finding]:
    if not contents:
        yield Finding("no_turns", "$.contents", "The row has no user turn and no answer.")
        return
    if contents[0].role != "user":
        yield Finding("first_turn", "$.contents[0].role", f"The first turn is '{_role(contents[0])}'.")
    if contents[-1].role != "model":
        said = f"The last turn is '{_role(contents[-1])}', not 'model'."
        yield Finding("last_turn", f"$.contents[{len(contents) - 1}].role", said)


def _role(content: Content) -> str:
    return excerpt(content.role or "")


def _instruction_findings(instruction: Content) -> Iterator[Finding]:
    path = "$.systemInstruction.parts"
    if not instruction.parts:
        yield Finding("empty_content", path, "The system instruction is empty.")
    for index, part in enumerate(instruction.parts):
        if part.text is None:
            yield Finding("part_shape", f"{path}[{index}]", "A system instruction is text.")
        elif _blank(part.text):
            yield Finding("empty_content", f"{path}[{index}].text", "The part has no text.")


def _content_findings(content: Content, path: str, limits: DatasetLimits) -> Iterator[Finding]:
    if content.role is None:
        yield Finding("missing_key", f"{path}.role", "The turn has no role.")
    elif content.role not in ROLES:
        said = f"The role '{_role(content)}' is not one of {', '.join(ROLES)}.{REMEDIED_ROLES.get(content.role, '')}"
        yield Finding("unknown_role", f"{path}.role", said)
    if not content.parts:
        yield Finding("empty_content", f"{path}.parts", "The turn is empty.")
    for index, part in enumerate(content.parts):
        yield from _part_findings(part, f"{path}.parts[{index}]", limits)


def _part_findings(part: Part, path: str, limits: DatasetLimits) -> Iterator[Finding]:
    if part.inline_data is not None:
        yield Finding("media_inline", f"{path}.inlineData", "The file's data is inline.")
        return
    if (held := _held(part)) != 1:
        yield Finding("part_shape", path, f"The part holds {held or 'none'} of the kinds of content.")
    if part.text is not None and _blank(part.text):
        yield Finding("empty_content", f"{path}.text", "The part has no text.")
    if part.video_metadata is not None and part.file_data is None:
        yield Finding("part_shape", f"{path}.videoMetadata", "The part has videoMetadata, but no fileData.")
    if part.file_data is not None:
        yield from _file_findings(part.file_data, path, limits)


def _held(part: Part) -> int:
    kinds = (part.text, part.file_data, part.function_call, part.function_response)
    return sum(kind is not None for kind in kinds)


def _file_findings(file: FileData, path: str, limits: DatasetLimits) -> Iterator[Finding]:
    uri = file.file_uri
    if not uri.startswith("gs://"):
        yield Finding("media_not_gs", f"{path}.fileData.fileUri", "The file is not in Cloud Storage.", excerpt(uri))
    yield from modality_findings(file.mime_type, f"{path}.fileData.mimeType", limits.modalities)


def _call_findings(row: GeminiRow) -> Iterator[Finding]:
    """Calls are answered, one response each, by the turn behind them, unless they are what is learned."""
    declared = {declared.name for tool in row.tools or () for declared in tool.function_declarations}
    waiting: list[str] = []
    for index, content in enumerate(row.contents):
        path = f"$.contents[{index}].parts"
        for place, part in enumerate(content.parts):
            if part.function_call is not None and part.function_call.name not in declared:
                said = f"The function '{excerpt(part.function_call.name)}' is not among the row's tools."
                yield Finding("undeclared_function", f"{path}[{place}].functionCall.name", said)
        yield from _answers(content, path, waiting)
        waiting = [part.function_call.name for part in content.parts if part.function_call is not None]


def _answers(content: Content, path: str, waiting: Sequence[str]) -> Iterator[Finding]:
    left = list(waiting)
    for place, part in enumerate(content.parts):
        if part.function_response is None:
            continue
        if part.function_response.name in left:
            left.remove(part.function_response.name)
        else:
            said = f"No call of '{excerpt(part.function_response.name)}' stands right before."
            yield Finding("answer_without_call", f"{path}[{place}].functionResponse.name", said)
    for name in left:
        yield Finding("call_unanswered", path, f"The turn does not answer the call of '{excerpt(name)}' before it.")


def _blank(text: str) -> bool:
    return not text or text.isspace()
