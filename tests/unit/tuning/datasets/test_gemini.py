import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.datasets.gemini import GeminiRow
from tuneway.tuning.datasets.gemini_check import check
from tuneway.tuning.datasets.gemini_plain import decode
from tuneway.tuning.datasets.limits import DatasetLimits

Turn = dict[str, object]
DEFAULTS = DatasetLimits()

USER: Turn = {"role": "user", "parts": [{"text": "Weather in Rome?"}]}
ANSWER: Turn = {"role": "model", "parts": [{"text": "Sunny."}]}
CALL: Turn = {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Rome"}}}]}
RESULT: Turn = {"role": "function", "parts": [{"functionResponse": {"name": "weather", "response": {"t": 22}}}]}
TOOLS = [{"functionDeclarations": [{"name": "weather", "parameters": {"type": "OBJECT"}}]}]


def part(**fields: object) -> Turn:
    return {"role": "user", "parts": [fields]}


def file(uri: str = "gs://b/a.png", mime: str = "image/png") -> Turn:
    return {"mimeType": mime, "fileUri": uri}


def row(*contents: Turn, **more: object) -> GeminiRow:
    return msgspec.convert({"contents": list(contents), "tools": TOOLS, **more}, GeminiRow)


def broken(given: GeminiRow, limits: DatasetLimits = DEFAULTS) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in check(given, limits).findings]


@pytest.mark.parametrize(
    "contents",
    [
        (USER, ANSWER),
        (USER, CALL, RESULT, ANSWER),
        (USER, CALL),
        (part(fileData=file()), ANSWER),
        (part(fileData=file("gs://b/a.mp4", "video/mp4"), videoMetadata={"startOffset": "1s"}), ANSWER),
    ],
)
def test_a_good_row_breaks_no_rule(contents: tuple[Turn, ...]) -> None:
    instruction = {"role": "system", "parts": [{"text": "Be brief."}]}
    assert broken(row(*contents, systemInstruction=instruction)) == []


@pytest.mark.parametrize(
    ("contents", "rule", "path"),
    [
        ((), "no_turns", "$.contents"),
        ((ANSWER,), "first_turn", "$.contents[0].role"),
        ((USER,), "last_turn", "$.contents[0].role"),
        ((USER, {"parts": [{"text": "a"}]}, ANSWER), "missing_key", "$.contents[1].role"),
        ((USER, {"role": "assistant", "parts": [{"text": "a"}]}, ANSWER), "unknown_role", "$.contents[1].role"),
        ((USER, {"role": "model", "parts": []}), "empty_content", "$.contents[1].parts"),
        ((USER, {"role": "model", "parts": [{"text": " "}]}), "empty_content", "$.contents[1].parts[0].text"),
        ((part(), ANSWER), "part_shape", "$.contents[0].parts[0]"),
        ((part(text="a", fileData=file()), ANSWER), "part_shape", "$.contents[0].parts[0]"),
        ((part(text="a", videoMetadata={}), ANSWER), "part_shape", "$.contents[0].parts[0].videoMetadata"),
        ((part(inlineData={"data": "AA"}), ANSWER), "media_inline", "$.contents[0].parts[0].inlineData"),
        ((part(fileData=file("https://a/b.png")), ANSWER), "media_not_gs", "$.contents[0].parts[0].fileData.fileUri"),
        ((USER, CALL, ANSWER), "call_unanswered", "$.contents[2].parts"),
        (
            (USER, RESULT, ANSWER),
            "answer_without_call",
            "$.contents[1].parts[0].functionResponse.name",
        ),
        (
            (USER, {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}),
            "undeclared_function",
            "$.contents[1].parts[0].functionCall.name",
        ),
    ],
)
def test_a_broken_rule_is_found_at_its_path(contents: tuple[Turn, ...], rule: str, path: str) -> None:
    assert broken(row(*contents)) == [(rule, path)]


@pytest.mark.parametrize(
    ("parts", "rule", "path"),
    [
        ([], "empty_content", "$.systemInstruction.parts"),
        ([{"text": ""}], "empty_content", "$.systemInstruction.parts[0].text"),
        ([{"fileData": file()}], "part_shape", "$.systemInstruction.parts[0]"),
    ],
)
def test_a_system_instruction_is_text(parts: list[Turn], rule: str, path: str) -> None:
    assert broken(row(USER, ANSWER, systemInstruction={"parts": parts})) == [(rule, path)]


def test_files_the_base_does_not_take_are_refused() -> None:
    pdf = part(fileData=file("gs://b/a.pdf", "application/pdf"))
    assert broken(row(pdf, ANSWER), DatasetLimits(modalities=("text", "image"))) == [
        ("modality_not_taken", "$.contents[0].parts[0].fileData.mimeType")
    ]


def test_text_calls_and_results_are_measured_and_files_counted() -> None:
    checked = check(row(USER, CALL, RESULT, part(fileData=file()), ANSWER, tools=None), DatasetLimits())
    said = 'Weather in Rome?{"name":"weather","args":{"city":"Rome"}}{"name":"weather","response":{"t":22}}Sunny.'
    assert (checked.characters, checked.media) == (len(said), 1)


ANY_PART = st.fixed_dictionaries({"text": st.sampled_from(["a", "", " ", "\u00e9"])})
ANY_TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "model", "system"]), "parts": st.lists(ANY_PART, max_size=2)}
)


@given(st.lists(ANY_TURN, max_size=4), st.none() | ANY_TURN)
def test_the_short_way_of_usual_rows_agrees_with_the_search(turns: list[Turn], instruction: Turn | None) -> None:
    line = msgspec.json.encode({"contents": turns} | ({"systemInstruction": instruction} if instruction else {}))
    short, full = check(decode(line), DEFAULTS), check(msgspec.json.decode(line, type=GeminiRow), DEFAULTS)
    assert short == full
