import json
from typing import Any

import pytest

from tests.unit.tuning.datasets.planted import ANSWER, CALLING, RESULT, SYSTEM, TOOLS, USER, Row, _line, clean, image
from tuneway.tuning.datasets.forms import Target
from tuneway.tuning.datasets.limits import DatasetLimits
from tuneway.tuning.datasets.lint import lint
from tuneway.tuning.datasets.purpose import Purpose
from tuneway.tuning.datasets.report import DatasetReport, Form

LIMITS = DatasetLimits(recommended_rows=1)
PAIR = {"prompt": "Q", "completion": "A"}
CHAT = {"messages": [SYSTEM, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}


def sent(row: Row, target: Target, *, also: tuple[Target, ...] = ()) -> tuple[DatasetReport, list[Any]]:
    copy: list[bytes] = []
    report = lint([_line(row)], limits=LIMITS, sink=copy.append, purpose=Purpose(target=target, also=also))
    return report, [json.loads(line) for line in copy]


@pytest.mark.parametrize(
    ("row", "target", "expected"),
    [
        (CHAT, "messages", CHAT),
        ({"messages": [{**SYSTEM, "role": "developer"}, *CHAT["messages"][1:]]}, "messages", CHAT),
        (PAIR, "messages", {"messages": CHAT["messages"][1:]}),
        (CHAT, "prompt_completion", {"prompt": "Be brief.\n\nQ", "completion": "A"}),
        (PAIR, "prompt_completion", PAIR),
        ({"question": "Q", "answer": "A"}, "prompt_completion", PAIR),
        (CHAT, "claude", {"system": "Be brief.", "messages": CHAT["messages"][1:]}),
        (PAIR, "claude", {"messages": CHAT["messages"][1:]}),
        (
            CHAT,
            "converse",
            {
                "schemaVersion": "bedrock-conversation-2024",
                "system": [{"text": "Be brief."}],
                "messages": [
                    {"role": "user", "content": [{"text": "Q"}]},
                    {"role": "assistant", "content": [{"text": "A"}]},
                ],
            },
        ),
    ],
)
def test_a_row_is_written_in_the_providers_words(row: Row, target: Target, expected: Row) -> None:
    report, rows = sent(row, target)
    assert (report.verdict, report.differs, rows) == ("accepted", True, [expected])


def test_neighbours_of_one_role_alternate_for_claude() -> None:
    _, (row,) = sent({"messages": [USER, {**USER, "content": [{"type": "text", "text": "Well?"}]}, ANSWER]}, "claude")
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"] == "Is the shop open?\n\nWell?"


@pytest.mark.parametrize("target", ["claude", "converse", "prompt_completion"])
@pytest.mark.parametrize(
    "row",
    [
        {"messages": [USER, CALLING, RESULT, ANSWER], "tools": TOOLS},
        {"messages": [image("gs://b/a.png"), ANSWER]},
    ],
)
def test_what_a_provider_cannot_take_is_an_error_and_never_lost(row: Row, target: Target) -> None:
    report, rows = sent(row, target)
    assert ([issue.rule for issue in report.errors], rows) == (["not_expressible"], [])


def test_a_conversation_is_no_pair() -> None:
    report, _ = sent({"messages": [USER, ANSWER, USER, ANSWER]}, "prompt_completion")
    assert [(issue.line, issue.rule) for issue in report.errors] == [(1, "not_expressible")]


@pytest.mark.parametrize("form", [Form.DPO, Form.OPENAI_PREFERENCE, Form.GEMINI_PREFERENCE])
def test_a_form_without_a_way_is_told_once(form: Form) -> None:
    report = lint([b"\n".join(clean(form))], limits=LIMITS, purpose=Purpose(target="messages"))
    assert [(issue.line, issue.rule) for issue in report.errors] == [(None, "not_convertible")]


def test_what_a_provider_takes_as_well_is_not_converted() -> None:
    report, rows = sent(PAIR, "messages", also=("prompt_completion",))
    assert rows == [PAIR]
    gemini = json.loads(clean(Form.GEMINI)[0])
    report, rows = sent(gemini, "messages", also=("gemini",))
    assert (report.differs, rows) == (False, [gemini])


def test_gemini_rows_go_through_chat() -> None:
    _, (row,) = sent(json.loads(clean(Form.GEMINI)[0]), "messages")
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
