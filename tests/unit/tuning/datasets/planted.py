"""Faults to plant in a clean dataset: each with the rule that must find it, and the path where it stands in its row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

import tuneway
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.report import Form

QUESTIONS = Path(tuneway.__file__).parent / "local" / "gsm8k" / "questions.jsonl"
ROWS = 300
Row = dict[str, Any]

USER = {"role": "user", "content": "Is the shop open?"}
ANSWER = {"role": "assistant", "content": "It is."}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"id": "c1", "type": "function", "function": {"name": "hours", "arguments": '{"day":"Monday"}'}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "8 to 6"}
TOOLS = [{"type": "function", "function": {"name": "hours", "parameters": {"type": "object"}}}]
ASKED = {"role": "user", "parts": [{"text": "Is the shop open?"}]}
SAID = {"role": "model", "parts": [{"text": "It is."}]}
WEB_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. ``line`` replaces a row, or stands beside the rows when it is no row at all."""

    name: str
    form: Form
    line: bytes
    rule: str
    path: str
    limits: DatasetLimits = DatasetLimits(recommended_rows=1)


def clean(form: Form) -> list[bytes]:
    """The first questions of GSM8K in a form."""
    lines = QUESTIONS.read_bytes().splitlines()[:ROWS]
    return [_line(WRITTEN[form](*json.loads(line).values())) for line in lines]


def _line(row: object) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def _chat(asked: str, answered: str) -> Row:
    turns = [SYSTEM, {"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return {"messages": turns}


def _gemini(asked: str, answered: str) -> Row:
    contents = [{"role": "user", "parts": [{"text": asked}]}, {"role": "model", "parts": [{"text": answered}]}]
    return {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": contents}


def _openai_preference(asked: str, answered: str) -> Row:
    return preference([{"role": "user", "content": asked}], answered, "I do not know.")


def _gemini_preference(asked: str, answered: str) -> Row:
    good, bad = ({"role": "model", "parts": [{"text": text}]} for text in (answered, "I do not know."))
    completions = [{"score": 1, "completion": good}, {"score": 0, "completion": bad}]
    return {"contents": [{"role": "user", "parts": [{"text": asked}]}], "completions": completions}


WRITTEN: dict[Form, Callable[[str, str], Row]] = {
    Form.OPENAI_CHAT: _chat,
    Form.GEMINI: _gemini,
    Form.PROMPT_COMPLETION: lambda asked, answered: {"prompt": asked, "completion": answered},
    Form.QUESTION_ANSWER: lambda asked, answered: {"question": asked, "answer": answered},
    Form.OPENAI_PREFERENCE: _openai_preference,
    Form.GEMINI_PREFERENCE: _gemini_preference,
    Form.DPO: lambda asked, answered: {"prompt": asked, "chosen": answered, "rejected": "I do not know."},
}


def preference(messages: list[Row], good: object, bad: object, **keys: object) -> Row:
    """A row of OpenAI's preferences; a text is one assistant turn."""
    outputs = [[{"role": "assistant", "content": each}] if isinstance(each, str) else each for each in (good, bad)]
    return {"input": {"messages": messages, **keys}, "preferred_output": outputs[0], "non_preferred_output": outputs[1]}


def _of(form: Form, name: str, line: object, *, rule: str, path: str, **limits: Any) -> Planted:
    kept = msgspec.structs.replace(DatasetLimits(recommended_rows=1), **limits)
    content = line if isinstance(line, bytes) else _line(line)
    return Planted(name=name, form=form, line=content, rule=rule, path=path, limits=kept)


def chat(name: str, *turns: Row, rule: str, path: str, keys: Row | None = None, **limits: Any) -> Planted:
    """A fault in a chat row."""
    return _of(Form.OPENAI_CHAT, name, {"messages": list(turns), **(keys or {})}, rule=rule, path=path, **limits)


def said(name: str, text: str, *, rule: str) -> Planted:
    """A fault in what an assistant says."""
    return chat(
        name, USER, {"role": "assistant", "content": f"See: {text} there"}, rule=rule, path="$.messages[1].content"
    )


def gemini(name: str, *contents: Row, rule: str, path: str, keys: Row | None = None, **limits: Any) -> Planted:
    """A fault in a Gemini row."""
    return _of(Form.GEMINI, name, {"contents": list(contents), **(keys or {})}, rule=rule, path=path, **limits)


def image(url: str, **more: object) -> Row:
    """A user turn with an image."""
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url, **more}}]}


def part(**fields: object) -> Row:
    """A user turn of one part."""
    return {"role": "user", "parts": [fields]}


TOOLED = {"tools": TOOLS}
FILE = {"mimeType": "image/png", "fileUri": "gs://b/a.png"}
CHAT_FAULTS = [
    chat("no turns", rule="no_turns", path="$.messages"),
    chat("instructions alone", SYSTEM, rule="no_turns", path="$.messages"),
    chat("the answer first", ANSWER, USER, ANSWER, rule="first_turn", path="$.messages[0].role"),
    chat("no answer", SYSTEM, USER, rule="last_turn", path="$.messages[1].role"),
    chat("instructions late", USER, SYSTEM, ANSWER, rule="system_not_first", path="$.messages[1].role"),
    chat("misspelt role", USER, {**ANSWER, "role": "asistant"}, rule="unknown_role", path="$.messages[1].role"),
    chat("role in capitals", {**USER, "role": "User"}, ANSWER, rule="unknown_role", path="$.messages[0].role"),
    chat("role of another form", USER, {**ANSWER, "role": "model"}, rule="unknown_role", path="$.messages[1].role"),
    chat("role is null", {**USER, "role": None}, ANSWER, rule="wrong_type", path="$.messages[0].role"),
    chat("no role", {"content": "a"}, ANSWER, rule="missing_key", path="$.messages[0].role"),
    chat("no content", {"role": "user"}, ANSWER, rule="missing_key", path="$.messages[0].content"),
    chat("user says null", {**USER, "content": None}, ANSWER, rule="empty_content", path="$.messages[0].content"),
    chat("answer is null", USER, {**ANSWER, "content": None}, rule="empty_content", path="$.messages[1].content"),
    chat("answer is empty", USER, {**ANSWER, "content": ""}, rule="empty_content", path="$.messages[1].content"),
    chat(
        "blank instructions",
        {**SYSTEM, "content": " \n"},
        USER,
        ANSWER,
        rule="empty_content",
        path="$.messages[0].content",
    ),
    chat("no parts", {**USER, "content": []}, ANSWER, rule="empty_content", path="$.messages[0].content"),
    chat("content is a number", {**USER, "content": 4}, ANSWER, rule="wrong_type", path="$.messages[0].content"),
    chat("a key too many in a turn", {**USER, "nmae": "a"}, ANSWER, rule="unknown_key", path="$.messages[0].nmae"),
    chat("a key too many in the row", USER, ANSWER, keys={"id": 1}, rule="unknown_key", path="$.id"),
    chat("weight 2", USER, {**ANSWER, "weight": 2}, rule="bad_weight", path="$.messages[1].weight"),
    chat("weight as a text", USER, {**ANSWER, "weight": "1"}, rule="bad_weight", path="$.messages[1].weight"),
    chat("weight of a user", {**USER, "weight": 1}, ANSWER, rule="bad_weight", path="$.messages[0].weight"),
    chat("weight 0", USER, {**ANSWER, "weight": 0}, USER, ANSWER, rule="weight_zero", path="$.messages[1].weight"),
    chat("a name", {**USER, "name": "Ann"}, ANSWER, rule="name_dropped", path="$.messages[0].name"),
    chat(
        "call of nothing declared",
        USER,
        CALLING,
        rule="undeclared_function",
        path="$.messages[1].tool_calls[0].function.name",
    ),
    chat(
        "arguments are no JSON",
        USER,
        {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "hours", "arguments": "day=Monday"}}]},
        keys=TOOLED,
        rule="arguments_not_object",
        path="$.messages[1].tool_calls[0].function.arguments",
    ),
    chat(
        "arguments are an object",
        USER,
        {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "hours", "arguments": {"day": 1}}}]},
        keys=TOOLED,
        rule="wrong_type",
        path="$.messages[1].tool_calls[0].function.arguments",
    ),
    chat(
        "result without a call",
        USER,
        RESULT,
        ANSWER,
        keys=TOOLED,
        rule="answer_without_call",
        path="$.messages[1].tool_call_id",
    ),
    chat(
        "call without a result",
        USER,
        CALLING,
        ANSWER,
        keys=TOOLED,
        rule="call_unanswered",
        path="$.messages[1].tool_calls[0]",
    ),
    chat(
        "a call's id twice",
        USER,
        CALLING,
        RESULT,
        CALLING,
        keys=TOOLED,
        rule="repeated_call_id",
        path="$.messages[3].tool_calls[0].id",
    ),
    chat(
        "deprecated call",
        USER,
        {"role": "assistant", "function_call": {"name": "f"}},
        rule="function_call_not_expressible",
        path="$.messages[1].function_call",
    ),
    chat(
        "deprecated functions",
        USER,
        ANSWER,
        keys={"functions": []},
        rule="functions_not_expressible",
        path="$.functions",
    ),
    chat(
        "strict function",
        USER,
        ANSWER,
        keys={"tools": [{"type": "function", "function": {"name": "f", "strict": True}}]},
        rule="strict_dropped",
        path="$.tools[0].function.strict",
    ),
    chat(
        "no parallel calls",
        USER,
        ANSWER,
        keys={"parallel_tool_calls": False},
        rule="parallel_tool_calls_dropped",
        path="$.parallel_tool_calls",
    ),
    chat(
        "a refusal",
        USER,
        {"role": "assistant", "refusal": "No."},
        rule="refusal_not_expressible",
        path="$.messages[1].refusal",
    ),
    chat(
        "a spoken answer",
        USER,
        {**ANSWER, "audio": {"id": "a"}},
        rule="audio_not_expressible",
        path="$.messages[1].audio",
    ),
    chat(
        "inline sound",
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
        ANSWER,
        rule="part_not_expressible",
        path="$.messages[0].content[0]",
    ),
    chat(
        "unknown part",
        {"role": "user", "content": [{"type": "video", "video": {}}]},
        ANSWER,
        rule="wrong_type",
        path="$.messages[0].content[0].type",
    ),
    chat(
        "image of an unknown scheme",
        image("ftp://b/a.png"),
        ANSWER,
        rule="media_scheme",
        path="$.messages[0].content[0].image_url.url",
    ),
    chat(
        "image of the web",
        image("https://b/a.png"),
        ANSWER,
        rule="media_not_gs",
        path="$.messages[0].content[0].image_url.url",
    ),
    chat(
        "inline image",
        image("data:image/png;base64,iVBORw0KGgo="),
        ANSWER,
        rule="media_inline",
        path="$.messages[0].content[0].image_url.url",
    ),
    chat(
        "bad data address",
        image("data:image/png;base64,not base64"),
        ANSWER,
        rule="media_data_uri",
        path="$.messages[0].content[0].image_url.url",
    ),
    chat(
        "inline text as image",
        image("data:text/html,hi"),
        ANSWER,
        rule="media_data_uri",
        path="$.messages[0].content[0].image_url.url",
    ),
    chat(
        "image without a type",
        image("gs://b/a"),
        ANSWER,
        rule="media_type_unknown",
        path="$.messages[0].content[0].image_url.url",
    ),
    chat(
        "image for a base of text",
        image("gs://b/a.png"),
        ANSWER,
        rule="modality_not_taken",
        path="$.messages[0].content[0].image_url.url",
        modalities=("text",),
    ),
    chat(
        "detail of an image",
        image("gs://b/a.png", detail="high"),
        ANSWER,
        rule="detail_dropped",
        path="$.messages[0].content[0].image_url.detail",
    ),
    chat("too long", {**USER, "content": "word " * 3_000}, ANSWER, rule="row_too_long", path="$", row_tokens=1_000),
    chat(
        "perhaps too long",
        {**USER, "content": "word " * 800},
        ANSWER,
        rule="row_maybe_too_long",
        path="$",
        row_tokens=1_000,
    ),
    chat(
        "line too long", {**USER, "content": "word " * 9_000}, ANSWER, rule="line_too_long", path="$", line_bytes=40_000
    ),
]
TEXT_FAULTS = [
    said("OpenAI key", "sk-proj-Ab3dEf6hIj9lMn2pQr5tUv8x", rule="secret"),
    said("Anthropic key", "sk-ant-api03-Ab3dEf6hIj9lMn2pQr5t", rule="secret"),
    said("Google key", "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", rule="secret"),
    said("AWS key", "AKIAQ4T7ZK2M9X3B5N6P", rule="secret"),
    said("GitHub token", "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", rule="secret"),
    said("Slack token", "xoxb-123456789012-abcdefghijkl", rule="secret"),
    said("JSON web token", WEB_TOKEN, rule="secret"),
    said("private key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n", rule="secret"),
    said("password in a URL", "postgres://shop:hunter2@db.internal/shop", rule="secret"),
    said("e-mail address", "jane.doe@acme.co.uk", rule="personal_data"),
    said("phone number", "+49 170 1234567", rule="personal_data"),
    said("American phone number", "(555) 123-4567", rule="personal_data"),
    said("IBAN", "DE89 3704 0044 0532 0130 00", rule="personal_data"),
    said("payment card", "4111 1111 1111 1111", rule="personal_data"),
    said("social security number", "078-05-1120", rule="personal_data"),
]
LINE_FAULTS = [
    _of(Form.OPENAI_CHAT, "cut off", b'{"messages":[{"role":"user"', rule="not_json", path="$"),
    _of(Form.OPENAI_CHAT, "trailing comma", b'{"messages":[],}', rule="not_json", path="$"),
    _of(
        Form.OPENAI_CHAT, "not UTF-8", b'{"messages":[{"role":"user","content":"caf\xe9"}]}', rule="not_utf8", path="$"
    ),
    _of(Form.OPENAI_CHAT, "an array", b'["messages"]', rule="wrong_type", path="$"),
    _of(Form.OPENAI_CHAT, "no form", b'{"text":"a"}', rule="unknown_key", path="$.text"),
    _of(Form.OPENAI_CHAT, "another form", WRITTEN[Form.GEMINI]("a", "b"), rule="mixed_forms", path="$"),
    _of(Form.OPENAI_CHAT, "blank line", b"", rule="blank_line", path="$"),
    _of(Form.OPENAI_CHAT, "messages is a text", {"messages": "hi"}, rule="wrong_type", path="$.messages"),
]
GEMINI_FAULTS = [
    gemini("no turns", rule="no_turns", path="$.contents"),
    gemini("the answer first", SAID, ASKED, SAID, rule="first_turn", path="$.contents[0].role"),
    gemini("no answer", ASKED, rule="last_turn", path="$.contents[0].role"),
    gemini("misspelt role", ASKED, {**ASKED, "role": "modle"}, SAID, rule="unknown_role", path="$.contents[1].role"),
    gemini("no role", ASKED, {"parts": [{"text": "a"}]}, SAID, rule="missing_key", path="$.contents[1].role"),
    gemini("no parts", {"role": "user", "parts": []}, SAID, rule="empty_content", path="$.contents[0].parts"),
    gemini("blank part", part(text=" "), SAID, rule="empty_content", path="$.contents[0].parts[0].text"),
    gemini("part of two kinds", part(text="a", fileData=FILE), SAID, rule="part_shape", path="$.contents[0].parts[0]"),
    gemini("inline data", part(inlineData={}), SAID, rule="media_inline", path="$.contents[0].parts[0].inlineData"),
    gemini(
        "file of the web",
        part(fileData={**FILE, "fileUri": "https://b/a.png"}),
        SAID,
        rule="media_not_gs",
        path="$.contents[0].parts[0].fileData.fileUri",
    ),
    gemini(
        "bad mime type",
        part(fileData={**FILE, "mimeType": "picture"}),
        SAID,
        rule="media_mime",
        path="$.contents[0].parts[0].fileData.mimeType",
    ),
    gemini(
        "file for a base of text",
        part(fileData=FILE),
        SAID,
        rule="modality_not_taken",
        path="$.contents[0].parts[0].fileData.mimeType",
        modalities=("text",),
    ),
    gemini("snake case", ASKED, SAID, keys={"system_instruction": {}}, rule="unknown_key", path="$.system_instruction"),
    gemini(
        "a secret",
        ASKED,
        {"role": "model", "parts": [{"text": "glpat-a1B2c3D4e5F6g7H8i9J0"}]},
        rule="secret",
        path="$.contents[1].parts[0].text",
    ),
]
PAIR_FAULTS = [
    _of(Form.PROMPT_COMPLETION, "no completion", {"prompt": "a"}, rule="missing_key", path="$.completion"),
    _of(
        Form.PROMPT_COMPLETION,
        "completion is null",
        {"prompt": "a", "completion": None},
        rule="wrong_type",
        path="$.completion",
    ),
    _of(Form.QUESTION_ANSWER, "blank answer", {"question": "a", "answer": " "}, rule="empty_content", path="$.answer"),
    _of(
        Form.QUESTION_ANSWER,
        "an e-mail",
        {"question": "a", "answer": "ann@acme.com"},
        rule="personal_data",
        path="$.answer",
    ),
]
PREFERENCE_FAULTS = [
    _of(
        Form.OPENAI_PREFERENCE,
        "prompt is answered",
        preference([USER, ANSWER], "a", "b"),
        rule="answered_prompt",
        path="$.input.messages[1].role",
    ),
    _of(Form.OPENAI_PREFERENCE, "no prompt", preference([], "a", "b"), rule="no_turns", path="$.input.messages"),
    _of(Form.OPENAI_PREFERENCE, "no answer", preference([USER], [], "b"), rule="one_answer", path="$.preferred_output"),
    _of(
        Form.OPENAI_PREFERENCE,
        "user answers",
        preference([USER], "a", [USER]),
        rule="one_answer",
        path="$.non_preferred_output",
    ),
    _of(
        Form.OPENAI_PREFERENCE,
        "same answers",
        preference([USER], "a", "a"),
        rule="same_answers",
        path="$.non_preferred_output",
    ),
    _of(
        Form.OPENAI_PREFERENCE,
        "blank answer",
        preference([USER], " ", "a"),
        rule="empty_content",
        path="$.preferred_output[0].content",
    ),
    _of(
        Form.OPENAI_PREFERENCE,
        "one answer only",
        {"input": {"messages": [USER]}, "preferred_output": [ANSWER]},
        rule="missing_key",
        path="$.non_preferred_output",
    ),
    _of(
        Form.OPENAI_PREFERENCE,
        "strict function",
        preference([USER], "a", "b", tools=[{"type": "function", "function": {"name": "f", "strict": True}}]),
        rule="strict_dropped",
        path="$.input.tools[0].function.strict",
    ),
    _of(
        Form.DPO, "blank prompt", {"prompt": "", "chosen": "a", "rejected": "b"}, rule="empty_content", path="$.prompt"
    ),
    _of(Form.DPO, "nothing to avoid", {"prompt": "a", "chosen": "b"}, rule="missing_key", path="$.rejected"),
    _of(
        Form.DPO,
        "turns that begin with the answer",
        {"prompt": [ANSWER, USER], "chosen": "a", "rejected": "b"},
        rule="first_turn",
        path="$.prompt[0].role",
    ),
    _of(
        Form.GEMINI_PREFERENCE,
        "one completion",
        {"contents": [ASKED], "completions": [{"score": 1, "completion": SAID}]},
        rule="completion_pair",
        path="$.completions",
    ),
    _of(
        Form.GEMINI_PREFERENCE,
        "equal scores",
        {"contents": [ASKED], "completions": [{"score": 1, "completion": SAID}] * 2},
        rule="completion_pair",
        path="$.completions",
    ),
    _of(
        Form.GEMINI_PREFERENCE,
        "user completes",
        {"contents": [ASKED], "completions": [{"score": 1, "completion": SAID}, {"score": 0, "completion": ASKED}]},
        rule="one_answer",
        path="$.completions[1].completion.role",
    ),
]
FAULTS = (*CHAT_FAULTS, *TEXT_FAULTS, *LINE_FAULTS, *GEMINI_FAULTS, *PAIR_FAULTS, *PREFERENCE_FAULTS)
