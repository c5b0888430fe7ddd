"""Which targets failed on the way to an answer: what the log says of them, and usage counts against them."""

import pytest

from tests.unit.prediction.scripted import Script, fault, route
from tuneway.errors import BadInput, TunewayError

REFUSED = "upstream_authentication_failed"


def names(script: Script) -> list[str]:
    return [target.model for target in script.journey.failed]


async def test_who_answered_at_once_follows_nobody() -> None:
    script = Script(a="Hi", b="Hi")
    await script.answered(route("x", "a", "b"))
    assert names(script) == []


async def test_those_who_failed_before_the_answer_are_told_as_often_as_they_did() -> None:
    script = Script(a=[fault(503), fault(500), "Hi"], b=fault(429))
    await script.answered(route("x", "a", "b", retries=3))
    assert names(script) == ["a", "b", "a", "b"]
    assert script.journey.target is not None


async def test_of_the_last_one_the_answer_tells() -> None:
    script = Script(a=fault(503), b=fault(500))
    with pytest.raises(TunewayError):
        await script.answered(route("x", "a", "b"))
    assert names(script) == ["a"]


async def test_a_fallbacks_fault_is_told_too() -> None:
    script = Script(a=fault(503), b=fault(500), c="Hi")
    script.routes = {"y": route("y", "b", "c")}
    await script.answered(route("x", "a", fallbacks=("y",)))
    assert names(script) == ["a", "b"]


async def test_a_target_that_cannot_say_it_has_not_answered_either() -> None:
    script = Script(a=BadInput("No.", code="unsupported_parameter"), b="Hi")
    await script.answered(route("x", "a", "b"))
    assert (script.asked, names(script)) == (["a", "b"], ["a"])


async def test_credentials_that_ran_out_are_nobodys_failure() -> None:
    script = Script(a=[fault(502, REFUSED), "Hi"], b="Hi")
    script.renewable = True
    await script.answered(route("x", "a", "b"))
    assert names(script) == []
