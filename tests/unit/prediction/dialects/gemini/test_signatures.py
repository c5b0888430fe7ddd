from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import GEMINI, ask
from tuneway.prediction.dialects.gemini.request import to_request
from tuneway.prediction.dialects.gemini.signatures import STAND_IN
from tuneway.routing.routes import Target

OLDER = Target(dialect="gemini", resource="projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash")
ASKED, AGAIN = {"role": "user", "content": "Warm?"}, {"role": "user", "content": "And in Oslo?"}
SIGNED = {"google": {"thought_signature": "c2lnbmVk"}}


def call(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}, **more}


def called(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(calls), **more}


def result(number: int) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"c{number}", "content": "20"}


def signatures(*messages: dict[str, Any], target: Target = GEMINI) -> list[str | None]:
    """Those of the calls, in order."""
    turns = msgspec.to_builtins(to_request(ask(*messages), target))["contents"]
    return [part.get("thoughtSignature") for turn in turns for part in turn["parts"] if "functionCall" in part]


def test_an_unsigned_call_of_the_current_turn_gets_a_stand_in() -> None:
    assert signatures(ASKED, called(call(1)), result(1)) == [STAND_IN]


def test_only_the_first_of_parallel_calls_needs_one() -> None:
    assert signatures(ASKED, called(call(1), call(2)), result(1), result(2)) == [STAND_IN, None]


def test_each_step_of_the_turn_needs_one() -> None:
    assert signatures(ASKED, called(call(1)), result(1), called(call(2)), result(2)) == [STAND_IN, STAND_IN]


def test_a_signature_that_came_back_stays() -> None:
    assert signatures(ASKED, called(call(1, extra_content=SIGNED)), result(1)) == ["c2lnbmVk"]


def test_earlier_turns_are_not_checked_and_stay_as_they_are() -> None:
    before = [ASKED, called(call(1)), result(1), {"role": "assistant", "content": "Yes."}]
    assert signatures(*before, AGAIN, called(call(2)), result(2)) == [None, STAND_IN]


def test_a_conversation_that_opens_with_a_call_gets_one_too() -> None:
    assert signatures(called(call(1)), result(1)) == [STAND_IN]


def test_a_model_that_checks_nothing_gets_none() -> None:
    assert signatures(ASKED, called(call(1)), result(1), target=OLDER) == [None]


@pytest.mark.parametrize("place", ["extra_content", "provider_specific_fields"])
def test_a_texts_signature_comes_back_from_wherever_the_client_kept_it(place: str) -> None:
    kept = SIGNED if place == "extra_content" else {"refusal": None, "extra_content": SIGNED}
    said = {"role": "assistant", "content": "Yes.", place: kept}
    turns = msgspec.to_builtins(to_request(ask(ASKED, said, AGAIN), GEMINI))["contents"]
    assert turns[1]["parts"] == [{"text": "Yes.", "thoughtSignature": "c2lnbmVk"}]


def test_other_notes_of_litellm_say_nothing() -> None:
    said = {"role": "assistant", "content": "Yes.", "provider_specific_fields": {"refusal": None}}
    turns = msgspec.to_builtins(to_request(ask(ASKED, said, AGAIN), GEMINI))["contents"]
    assert turns[1]["parts"] == [{"text": "Yes."}]
