import json

import msgspec
import pytest
from google.genai.types import GeminiPreferenceExample

from tests.unit.tuning.datasets.planted import ANSWER, CALLING, RESULT, SYSTEM, TOOLS, USER, _line, clean, preference
from tuneway.ports import Method
from tuneway.tuning.datasets.forms import INSPECTORS
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import PREFERENCES, DatasetReport, Form

LIMITS = DatasetLimits(recommended_rows=1)


def written(form: Form, line: bytes) -> dict[str, object]:
    checked, row = INSPECTORS[form](line, LIMITS)
    assert checked.findings == ()
    return msgspec.json.decode(row.written("gemini"), type=dict[str, object])


def with_method(line: bytes, method: Method | None) -> DatasetReport:
    return lint([line], limits=LIMITS, purpose=Purpose(method=method))


@pytest.mark.parametrize("form", sorted(PREFERENCES))
def test_every_form_becomes_what_googles_own_types_take(form: Form) -> None:
    for line in clean(form)[:20]:
        example = GeminiPreferenceExample.model_validate(written(form, line))
        assert example.completions is not None
        assert [completion.score for completion in example.completions] == [1, 0]


def test_instructions_tools_and_results_stay_in_the_prompt() -> None:
    line = _line(preference([SYSTEM, USER, CALLING, RESULT], "It is.", [CALLING], tools=TOOLS))
    out = written(Form.OPENAI_PREFERENCE, line)
    assert out["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    contents, completions = json.loads(json.dumps([out["contents"], out["completions"]]))
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert [each["completion"]["role"] for each in completions] == ["model", "model"]
    assert completions[1]["completion"]["parts"] == [{"functionCall": {"name": "hours", "args": {"day": "Monday"}}}]
    assert len(json.loads(json.dumps(out["tools"]))[0]["functionDeclarations"]) == 1


def test_texts_and_turns_say_the_same() -> None:
    texts = {"prompt": "Q", "chosen": "A", "rejected": "B"}
    turns = {
        "prompt": [{"role": "user", "content": "Q"}],
        "chosen": [{"role": "assistant", "content": "A"}],
        "rejected": [{"role": "assistant", "content": "B"}],
    }
    assert written(Form.DPO, _line(texts)) == written(Form.DPO, _line(turns))


@pytest.mark.parametrize("form", list(Form))
def test_a_file_must_be_of_the_methods_form(form: Form) -> None:
    line = clean(form)[0]
    fits, other = Method.PREFERENCE, Method.SUPERVISED
    if form not in PREFERENCES:
        fits, other = other, fits
    assert with_method(line, fits).by_rule == {}
    assert with_method(line, None).by_rule == {}
    report = with_method(line, other)
    assert [(issue.line, issue.rule) for issue in report.errors] == [(None, "method_mismatch")]


def test_answers_that_call_are_held_against_the_tools() -> None:
    line = _line(preference([USER], [CALLING], [ANSWER]))
    (warning,) = with_method(line, Method.PREFERENCE).warnings
    assert (warning.rule, warning.path) == (
        "undeclared_function",
        "$.preferred_output[0].tool_calls[0].function.name",
    )


def test_googles_own_spelling_of_the_instruction_is_taken() -> None:
    row = json.loads(clean(Form.GEMINI_PREFERENCE)[0])
    line = _line({**row, "system_instruction": {"parts": [{"text": "Be brief."}]}})
    checked, read = INSPECTORS[Form.GEMINI_PREFERENCE](line, LIMITS)
    assert (checked.findings, read.turns()[0].text, read.written("gemini")) == ((), "Be brief.", line)
    blank = _line({**row, "system_instruction": {"parts": [{"text": ""}]}})
    assert with_method(blank, None).errors[0].path == "$.system_instruction.parts[0].text"


@pytest.mark.parametrize("scores", [(1, 1), (0, 0), (2, 1), (0.5, 0), (1,), (1, 0, 0), ()])
def test_the_scores_are_one_and_zero(scores: tuple[float, ...]) -> None:
    row = json.loads(clean(Form.GEMINI_PREFERENCE)[0])
    completions = [{"score": score, "completion": row["completions"][0]["completion"]} for score in scores]
    report = with_method(_line({**row, "completions": completions}), None)
    assert report.by_rule == {"completion_pair": 1}
