import msgspec
import pytest
from google.cloud.aiplatform_v1beta1 import types
from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.datasets.chat import ChatRow
from tuneway.tuning.datasets.chat_check import check
from tuneway.tuning.datasets.chat_plain import decode
from tuneway.tuning.datasets.chat_to_gemini import to_gemini
from tuneway.tuning.datasets.forms import INSPECTORS
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.report import Form
from tuneway.tuning.datasets.rules import RULES

Turn = dict[str, object]
DEFAULTS = DatasetLimits()

USER: Turn = {"role": "user", "content": "Weather in Rome?"}
ANSWER: Turn = {"role": "assistant", "content": "Sunny."}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]


def call(arguments: str = '{"city":"Rome"}', id_: str = "c1", name: str = "weather") -> Turn:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Turn, **more: object) -> Turn:
    return {"role": "assistant", "tool_calls": list(calls or (call(),)), **more}


def result(content: object = "22 C", id_: str = "c1") -> Turn:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def row(*messages: Turn, **more: object) -> ChatRow:
    return msgspec.convert({"messages": list(messages), **more}, ChatRow)


def broken(chat: ChatRow, limits: DatasetLimits = DEFAULTS) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in check(chat, limits).findings]


def image(url: str, detail: str = "auto") -> Turn:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url, "detail": detail}}]}


@pytest.mark.parametrize(
    "messages",
    [
        (USER, ANSWER),
        ({"role": "system", "content": "Be brief."}, USER, ANSWER),
        ({"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, USER, ANSWER, USER, ANSWER),
        (USER, calling(), result(), ANSWER),
        (USER, calling(content=""), result(""), ANSWER),
        (USER, calling(), {**result(), "name": "weather"}, ANSWER),
        (USER, calling(call(), call(id_="c2")), result(id_="c2"), result(), ANSWER),
        (USER, calling()),
        (image("gs://b/cat.PNG"), ANSWER),
        (USER, {**ANSWER, "weight": 1}),
    ],
)
def test_a_good_row_breaks_no_rule(messages: tuple[Turn, ...]) -> None:
    assert broken(row(*messages, tools=TOOLS)) == []


@pytest.mark.parametrize(
    ("messages", "rule", "path"),
    [
        ((), "no_turns", "$.messages"),
        (({"role": "system", "content": "a"},), "no_turns", "$.messages"),
        ((ANSWER,), "first_turn", "$.messages[0].role"),
        ((USER,), "last_turn", "$.messages[0].role"),
        ((USER, {"role": "system", "content": "a"}, ANSWER), "system_not_first", "$.messages[1].role"),
        (({"role": "user", "content": ""}, ANSWER), "empty_content", "$.messages[0].content"),
        (({"role": "system", "content": " "}, USER, ANSWER), "empty_content", "$.messages[0].content"),
        ((USER, {"role": "assistant", "content": " \n"}), "empty_content", "$.messages[1].content"),
        ((USER, {"role": "assistant"}), "empty_content", "$.messages[1].content"),
        ((USER, {"role": "assistant", "content": None, "tool_calls": []}), "empty_content", "$.messages[1].content"),
        (({"role": "user", "content": []}, ANSWER), "empty_content", "$.messages[0].content"),
        (
            ({"role": "user", "content": [{"type": "text", "text": ""}]}, ANSWER),
            "empty_content",
            "$.messages[0].content[0].text",
        ),
        ((USER, {**ANSWER, "weight": 0}, USER, ANSWER), "weight_zero", "$.messages[1].weight"),
        (({**USER, "name": "Ann"}, ANSWER), "name_dropped", "$.messages[0].name"),
        ((USER, {"role": "assistant", "refusal": "No."}), "refusal_not_expressible", "$.messages[1].refusal"),
        (
            (USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
            "refusal_not_expressible",
            "$.messages[1].content[0]",
        ),
        ((USER, {**ANSWER, "audio": {"id": "a"}}), "audio_not_expressible", "$.messages[1].audio"),
        (
            (USER, {"role": "assistant", "function_call": {"name": "f"}}),
            "function_call_not_expressible",
            "$.messages[1].function_call",
        ),
        ((image("data:image/png;base64,AA"), ANSWER), "media_inline", "$.messages[0].content[0].image_url.url"),
        ((image("https://a.b/c.png"), ANSWER), "media_not_gs", "$.messages[0].content[0].image_url.url"),
        ((image("gs://b/c"), ANSWER), "media_type_unknown", "$.messages[0].content[0].image_url.url"),
        ((image("gs://b/c.png", "high"), ANSWER), "detail_dropped", "$.messages[0].content[0].image_url.detail"),
        (
            ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, ANSWER),
            "part_not_expressible",
            "$.messages[0].content[0]",
        ),
        (
            ({"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}, ANSWER),
            "part_not_expressible",
            "$.messages[0].content[0]",
        ),
        (
            (USER, calling(call("[1]")), result(), ANSWER),
            "arguments_not_object",
            "$.messages[1].tool_calls[0].function.arguments",
        ),
        (
            (USER, calling(call("{")), result(), ANSWER),
            "arguments_not_object",
            "$.messages[1].tool_calls[0].function.arguments",
        ),
        ((USER, calling(), ANSWER), "call_unanswered", "$.messages[1].tool_calls[0]"),
        (
            (USER, calling(call(), call(id_="c2")), result(), USER, ANSWER),
            "call_unanswered",
            "$.messages[1].tool_calls[1]",
        ),
        ((USER, calling(), {**result(), "name": "map"}, ANSWER), "name_dropped", "$.messages[2].name"),
        ((USER, result(), ANSWER), "answer_without_call", "$.messages[1].tool_call_id"),
        ((USER, calling(), result(), result(), ANSWER), "answer_without_call", "$.messages[3].tool_call_id"),
        ((USER, calling(), result(), calling()), "repeated_call_id", "$.messages[3].tool_calls[0].id"),
        ((USER, calling(call(), call())), "repeated_call_id", "$.messages[1].tool_calls[1].id"),
        ((USER, calling(call(name="f"))), "undeclared_function", "$.messages[1].tool_calls[0].function.name"),
        ((USER, calling(call(name=""))), "empty_content", "$.messages[1].tool_calls[0].function.name"),
    ],
)
def test_a_broken_rule_is_found_at_its_path(messages: tuple[Turn, ...], rule: str, path: str) -> None:
    assert broken(row(*messages, tools=TOOLS)) == [(rule, path)]


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("functions", [], "functions_not_expressible"),
        ("parallel_tool_calls", False, "parallel_tool_calls_dropped"),
        ("tools", [{"type": "function", "function": {"name": "f", "strict": True}}], "strict_dropped"),
    ],
)
def test_keys_of_the_row_that_gemini_cannot_express_are_named(key: str, value: object, rule: str) -> None:
    assert [found for found, _ in broken(row(USER, ANSWER, **{key: value}))] == [rule]


def test_a_row_that_ends_unanswered_says_both_things() -> None:
    found = broken(row(USER, calling(call(), call(id_="c2")), result(), tools=TOOLS))
    assert [rule for rule, _ in found] == ["last_turn", "call_unanswered"]


def test_files_the_base_does_not_take_are_refused() -> None:
    found = broken(row(image("gs://b/a.png"), ANSWER), DatasetLimits(modalities=("text",)))
    assert found == [("modality_not_taken", "$.messages[0].content[0].image_url.url")]


def test_turns_tools_and_system_become_gemini_turns() -> None:
    system: Turn = {"role": "system", "content": "Be brief."}
    chat = row(system, USER, calling(call(), content="Let me see."), result(), ANSWER, tools=TOOLS)
    assert to_gemini(chat) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather in Rome?"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "Let me see."},
                    {"functionCall": {"name": "weather", "args": {"city": "Rome"}}},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"output": "22 C"}}}]},
            {"role": "model", "parts": [{"text": "Sunny."}]},
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "weather", "parametersJsonSchema": {"type": "object", "properties": {}}},
                ]
            }
        ],
    }


def test_neighbours_of_one_role_become_one_turn() -> None:
    chat = row(USER, calling(call(), call(id_="c2", name="map")), result(id_="c2"), result('{"t":1}'), USER, ANSWER)
    responses = [
        {"functionResponse": {"name": "map", "response": {"output": "22 C"}}},
        {"functionResponse": {"name": "weather", "response": {"t": 1}}},
    ]
    assert to_gemini(chat)["contents"][2] == {"role": "user", "parts": [*responses, {"text": "Weather in Rome?"}]}


def test_images_keep_their_place_among_the_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "gs://b/c.jpg"}}]
    chat = row({"role": "user", "content": parts}, ANSWER)
    file = {"fileData": {"mimeType": "image/jpeg", "fileUri": "gs://b/c.jpg"}}
    assert to_gemini(chat)["contents"][0]["parts"] == [{"text": "a"}, file]


def test_a_part_that_was_not_checked_is_never_lost() -> None:
    with pytest.raises(ValueError, match="AudioPart"):
        to_gemini(row({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, ANSWER))


TEXT = st.text(min_size=1, max_size=20)
OBJECTS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-999, 999) | TEXT, max_size=3)
EXCHANGES = st.one_of(
    st.tuples(TEXT).map(lambda said: [{"role": "user", "content": said[0]}, ANSWER]),
    st.tuples(TEXT, OBJECTS, TEXT).map(
        lambda said: [
            {"role": "user", "content": [{"type": "text", "text": said[0]}]},
            calling(call(msgspec.json.encode(said[1]).decode())),
            result(said[2]),
            ANSWER,
        ]
    ),
    st.tuples(TEXT).map(lambda said: [image("gs://b/a.webp"), {"role": "assistant", "content": said[0]}]),
)
ANY_TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"])},
    optional={"content": st.sampled_from(["a", "", " "]), "name": st.none() | st.just("n")},
)


@given(st.lists(EXCHANGES, min_size=1, max_size=3), st.sampled_from([0, 1]))
def test_every_accepted_row_is_what_googles_protos_take(exchanges: list[list[Turn]], told: int) -> None:
    system: list[Turn] = [{"role": "system", "content": "s"}] * told
    chat = row(*system, *(turn for turns in exchanges for turn in turns), tools=TOOLS)
    if any(RULES[rule].severity == "error" for rule, _ in broken(chat)):
        return
    out = msgspec.json.encode(to_gemini(chat)).decode()
    request = types.GenerateContentRequest.from_json(out)
    assert [content.role for content in request.contents][0::2] == ["user"] * ((len(request.contents) + 1) // 2)
    assert request.contents[-1].role == "model"


@given(st.lists(ANY_TURN, max_size=5))
def test_the_short_way_of_usual_rows_agrees_with_the_search(turns: list[Turn]) -> None:
    line = msgspec.json.encode({"messages": turns})
    try:
        full = msgspec.json.decode(line, type=ChatRow)
    except msgspec.ValidationError:
        with pytest.raises(msgspec.ValidationError):
            decode(line)
        return
    assert check(decode(line), DEFAULTS) == check(full, DEFAULTS)
    if not broken(full):
        assert INSPECTORS[Form.OPENAI_CHAT](line, DEFAULTS)[1].written("gemini") == msgspec.json.encode(to_gemini(full))
