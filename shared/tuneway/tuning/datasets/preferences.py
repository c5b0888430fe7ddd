"""Rows of preferences: one prompt with an answer to learn and one to avoid, as OpenAI and as others write it.

| form | a row |
|---|---|
| openai_preference | ``{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}`` |
| dpo | ``{"prompt": …, "chosen": …, "rejected": …}``, each a text or a list of turns |

Source: OpenAI's guide to direct preference optimisation; the DPO data sets of Hugging Face's TRL, 2026-11.
"""

from collections.abc import Iterator

import msgspec

from tuneway.tuning.datasets import chat_check, chat_to_gemini
from tuneway.tuning.datasets.chat import INSTRUCTIONS, AssistantMessage, ChatRow, Message, Tool, UserMessage
from tuneway.tuning.datasets.chat_tools import call_findings, declaration_findings
from tuneway.tuning.datasets.gemini import CompletionOut, PreferenceOut
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.report import Checked, Finding
from tuneway.tuning.datasets.tokens import utf8_length

PREFERRED, AVOIDED = 1.0, 0.0
"""The only scores there are: Google Cloud's page on preparing preference tuning data, 2026-11."""

_encode = msgspec.json.encode


class _Row(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A row."""


class Input(_Row, frozen=True):
    """The prompt of OpenAI's form."""

    messages: list[Message]
    tools: list[Tool] | None = None
    parallel_tool_calls: bool | None = None


class OpenAIPreference(_Row, frozen=True):
    """OpenAI's form."""

    input: Input
    preferred_output: list[Message]
    non_preferred_output: list[Message]


class DpoRow(_Row, frozen=True):
    """The form of most published data sets."""

    prompt: str | list[Message]
    chosen: str | list[Message]
    rejected: str | list[Message]


class Side(msgspec.Struct, frozen=True, gc=False):
    """The prompt or an answer: its turns, and where they stand in the row; ``text`` when they stand there as a text."""

    turns: list[Message]
    path: str
    text: bool = False


class Preference(msgspec.Struct, frozen=True, gc=False):
    """A row in either form."""

    prompt: Side
    chosen: Side
    rejected: Side
    row: ChatRow
    place: str = "$"


def preference(row: OpenAIPreference | DpoRow) -> Preference:
    """What the row says, whatever its form."""
    match row:
        case OpenAIPreference(input=asked):
            keys = ChatRow(messages=asked.messages, tools=asked.tools, parallel_tool_calls=asked.parallel_tool_calls)
            return Preference(
                Side(asked.messages, "$.input.messages"),
                Side(row.preferred_output, "$.preferred_output"),
                Side(row.non_preferred_output, "$.non_preferred_output"),
                keys,
                "$.input",
            )
        case DpoRow():
            prompt = _asked(row.prompt)
            chosen, rejected = _answered(row.chosen, "$.chosen"), _answered(row.rejected, "$.rejected")
            return Preference(prompt, chosen, rejected, ChatRow(messages=prompt.turns))


def _asked(prompt: str | list[Message]) -> Side:
    if isinstance(prompt, str):
        return Side([UserMessage(content=prompt)], "$.prompt", text=True)
    return Side(prompt, "$.prompt")


def _answered(answer: str | list[Message], path: str) -> Side:
    if isinstance(answer, str):
        return Side([AssistantMessage(content=answer)], path, text=True)
    return Side(answer, path)


def check(row: OpenAIPreference | DpoRow, limits: DatasetLimits) -> Checked:
    """What the row holds and every rule that it breaks."""
    found = preference(row)
    turns = [*found.prompt.turns, *found.chosen.turns, *found.rejected.turns]
    texts = [text for turn in turns for text in chat_check.texts_of(turn)]
    if found.row.tools:
        texts.append(_encode(found.row.tools).decode())
    return Checked(
        tuple(_findings(found, limits)),
        sum(map(len, texts)),
        sum(map(utf8_length, texts)),
        sum(map(chat_check.media_of, turns)),
        tuple(map(chat_check.role_of, turns)),
    )


def _findings(found: Preference, limits: DatasetLimits) -> Iterator[Finding]:
    tools = found.row.tools or ()
    yield from chat_check.row_findings(found.row, found.place)
    yield from declaration_findings(tools, f"{found.place}.tools")
    yield from _prompt_findings(found.prompt)
    for side in (found.prompt, found.chosen, found.rejected):
        yield from _side_findings(side, limits)
        yield from call_findings(side.turns, tools, side.path)
    for side in (found.chosen, found.rejected):
        if len(side.turns) != 1 or not isinstance(side.turns[0], AssistantMessage):
            yield Finding("one_answer", side.path, "The answer is not one assistant turn.")
    if found.chosen.turns == found.rejected.turns:
        yield Finding("same_answers", found.rejected.path, "The answer to avoid is the one to learn.")


def _prompt_findings(prompt: Side) -> Iterator[Finding]:
    if not any(not isinstance(turn, INSTRUCTIONS) for turn in prompt.turns):
        yield Finding("no_turns", prompt.path, "The prompt has no user turn.")
        return
    yield from chat_check.opening_findings(prompt.turns, prompt.path)
    if isinstance(prompt.turns[-1], AssistantMessage):
        said = "The last turn is 'assistant': the prompt is answered already."
        yield Finding("answered_prompt", f"{prompt.path}[{len(prompt.turns) - 1}].role", said)


def _side_findings(side: Side, limits: DatasetLimits) -> Iterator[Finding]:
    if not side.text:
        yield from chat_check.conversation_findings(side.turns, side.path, limits)
    elif not any(text and not text.isspace() for turn in side.turns for text in chat_check.texts_of(turn)):
        yield Finding("empty_content", side.path, "There is no text.")


def to_gemini(row: OpenAIPreference | DpoRow) -> PreferenceOut:
    """The row in Gemini's words; it must have passed the checks."""
    found = preference(row)
    asked = chat_to_gemini.to_gemini(found.row)
    return {
        **asked,
        "completions": [_completion(found, found.chosen, PREFERRED), _completion(found, found.rejected, AVOIDED)],
    }


def _completion(found: Preference, answer: Side, score: float) -> CompletionOut:
    # With its prompt in front, so that the answer is written as the turn of a conversation.
    whole = msgspec.structs.replace(found.row, messages=[*found.prompt.turns, *answer.turns])
    return {"score": score, "completion": chat_to_gemini.to_gemini(whole).get("contents", [])[-1]}
