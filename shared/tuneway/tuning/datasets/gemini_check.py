"""Hold a Gemini row against the rules of its conversation; a row that passes is used as it is."""

from collections.abc import Iterator, Sequence

import msgspec

from tuneway.tuning.datasets.faults import nearest
from tuneway.tuning.datasets.gemini import Content, FileData, GeminiRow, Part, PreferenceRow
from tuneway.tuning.datasets.gemini_plain import PlainGemini, in_full
from tuneway.tuning.datasets.gemini_plain import measured as plain_measured
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.media import CLOUD, elsewhere, modality_findings
from tuneway.tuning.datasets.report import Checked, Finding, excerpt, flawless
from tuneway.tuning.datasets.tokens import utf8_length

ROLES = ("user", "model", "function")
REMEDIED_ROLES = {"assistant": " Gemini says 'model'.", "system": " Gemini has systemInstruction for it."}
SCORES = [0, 1]

_encode = msgspec.json.encode


def check(row: GeminiRow | PlainGemini, limits: DatasetLimits) -> Checked:
    """What the row holds and every rule that it breaks."""
    if isinstance(row, PlainGemini):
        measure = plain_measured(row)
        return flawless(measure) if measure else check(in_full(row), limits)
    return checked(row, row.contents, tuple(_findings(row, limits)))


def checked(row: GeminiRow | PreferenceRow, contents: Sequence[Content], findings: tuple[Finding, ...]) -> Checked:
    """What the row holds: its instruction, its tools and these turns."""
    everything = [row.system_instruction, *contents] if row.system_instruction else contents
    texts = [text for content in everything for part in content.parts for text in _texts(part)]
    if row.tools:
        texts.append(_encode(row.tools).decode())
    return Checked(
        findings,
        sum(map(len, texts)),
        sum(map(utf8_length, texts)),
        sum(part.file_data is not None for content in everything for part in content.parts),
        tuple(_role(content) for content in contents),
    )


def _texts(part: Part) -> Iterator[str]:
    if part.text is not None:
        yield part.text
    if part.function_call is not None:
        yield _encode(part.function_call).decode()
    if part.function_response is not None:
        yield _encode(part.function_response).decode()


def _findings(row: GeminiRow, limits: DatasetLimits) -> Iterator[Finding]:
    yield from _opening_findings(row.contents)
    if row.contents and row.contents[-1].role != "model":
        said = f"The last turn is '{_role(row.contents[-1])}', not 'model'."
        yield Finding("last_turn", f"$.contents[{len(row.contents) - 1}].role", said)
    yield from prompt_findings(row, limits)


def prompt_findings(row: GeminiRow | PreferenceRow, limits: DatasetLimits) -> Iterator[Finding]:
    """What is wrong with the instruction, the turns one by one, and their calls."""
    if row.system_instruction is not None:
        underscored = isinstance(row, PreferenceRow) and row.underscored is not None
        name = "system_instruction" if underscored else "systemInstruction"
        yield from _instruction_findings(row.system_instruction, f"$.{name}.parts")
    for index, content in enumerate(row.contents):
        yield from content_findings(content, f"$.contents[{index}]", limits)
    yield from _call_findings(row)


def check_preferences(row: PreferenceRow, limits: DatasetLimits) -> Checked:
    """What the row of preferences holds and every rule that it breaks."""
    contents = [*row.contents, *(each.completion for each in row.completions)]
    return checked(row, contents, tuple(_preference_findings(row, limits)))


def _preference_findings(row: PreferenceRow, limits: DatasetLimits) -> Iterator[Finding]:
    yield from _opening_findings(row.contents)
    if row.contents and row.contents[-1].role == "model":
        said = "The last turn is 'model': the prompt is answered already."
        yield Finding("answered_prompt", f"$.contents[{len(row.contents) - 1}].role", said)
    yield from prompt_findings(row, limits)
    for index, each in enumerate(row.completions):
        yield from _completion_findings(each.completion, f"$.completions[{index}].completion", limits)
    scores = sorted(each.score for each in row.completions)
    if scores != SCORES:
        said = f"The completions have the scores {', '.join(f'{score:g}' for score in scores) or 'of nothing'}."
        yield Finding("completion_pair", "$.completions", said)


def _completion_findings(completion: Content, place: str, limits: DatasetLimits) -> Iterator[Finding]:
    if completion.role != "model":
        yield Finding("one_answer", f"{place}.role", f"The completion's role is '{_role(completion)}', not 'model'.")
    else:
        yield from content_findings(completion, place, limits)


def _opening_findings(contents: Sequence[Content]) -> Iterator[Finding]:
    if not contents:
        yield Finding("no_turns", "$.contents", "The row has no user turn and no answer.")
    elif contents[0].role != "user":
        yield Finding("first_turn", "$.contents[0].role", f"The first turn is '{_role(contents[0])}'.")


def _hint(role: str) -> str:
    meant = nearest(role, ROLES)
    return REMEDIED_ROLES.get(role) or (f" Did you mean '{meant}'?" if meant else "")


def _role(content: Content) -> str:
    return excerpt(content.role or "")


def _instruction_findings(instruction: Content, path: str) -> Iterator[Finding]:
    if not instruction.parts:
        yield Finding("empty_content", path, "The system instruction is empty.")
    for index, part in enumerate(instruction.parts):
        if part.text is None:
            yield Finding("part_shape", f"{path}[{index}]", "A system instruction is text.")
        elif _blank(part.text):
            yield Finding("empty_content", f"{path}[{index}].text", "The part has no text.")


def content_findings(content: Content, path: str, limits: DatasetLimits) -> Iterator[Finding]:
    """What is wrong with one turn."""
    if content.role is None:
        yield Finding("missing_key", f"{path}.role", "The turn has no role.")
    elif content.role not in ROLES:
        said = f"The role '{_role(content)}' is not one of {', '.join(ROLES)}.{_hint(content.role)}"
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
    if not uri.startswith(CLOUD):
        yield elsewhere(uri, f"{path}.fileData.fileUri")
    yield from modality_findings(file.mime_type, f"{path}.fileData.mimeType", limits.modalities)


def _call_findings(row: GeminiRow | PreferenceRow) -> Iterator[Finding]:
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
