"""One call on its way: rounds, pauses, fallbacks, deadlines."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.prediction.scripted import Outcome, Script, fault, route
from tuneway.errors import BadInput, NotFound, TunewayError, UpstreamError
from tuneway.routing.health import FAILURES
from tuneway.routing.policy import LONGEST_WAIT
from tuneway.routing.routes import Limits, Route, Target

REFUSED = "upstream_authentication_failed"


async def failed(script: Script, way: Route, *, stream: bool = False) -> TunewayError:
    with pytest.raises(TunewayError) as caught:
        await script.answered(way, stream=stream)
    return caught.value


async def test_one_target_that_answers_is_asked_once() -> None:
    script = Script(a="Hi")
    assert await script.answered(route("a")) == "Hi"
    assert (script.asked, script.pauses, script.journey.attempts) == (["a"], [], 1)


async def test_without_retries_a_fault_is_told_at_once() -> None:
    script = Script(a=fault(503))
    assert (await failed(script, route("a"))).message == "503 None"
    assert (script.asked, script.pauses) == (["a"], [])


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_passing_fault_is_tried_again_after_a_pause(status: int) -> None:
    script = Script(a=[fault(status), "Hi"])
    assert await script.answered(route("a", retries=2)) == "Hi"
    assert (script.asked, len(script.pauses), script.journey.attempts) == (["a", "a"], 1, 2)
    assert script.journey.waited == sum(script.pauses)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_a_fault_of_the_callers_own_is_never_tried_again(status: int) -> None:
    script = Script(a=fault(status), b="Hi", c="Hi")
    script.routes = {"c": route("c")}
    assert (await failed(script, route("x", "a", "b", retries=5, fallbacks=("c",)))).message == f"{status} None"
    assert script.asked == ["a"]


async def test_retries_have_an_end_and_the_pauses_grow() -> None:
    script = Script(a=fault(503))
    await failed(script, route("a", retries=3))
    assert len(script.asked) == 4
    assert script.pauses == sorted(script.pauses)
    assert len(set(script.pauses)) == 3


async def test_a_host_is_given_the_time_it_asks_for() -> None:
    script = Script(a=[fault(429, retry_after=7.0), "Hi"])
    await script.answered(route("a", retries=1))
    assert script.pauses == [7.0]


async def test_a_host_that_asks_for_too_long_is_not_waited_for() -> None:
    script = Script(a=fault(429, retry_after=LONGEST_WAIT + 1), b="Hi")
    script.routes = {"b": route("b")}
    assert await script.answered(route("a", retries=3, fallbacks=("b",))) == "Hi"
    assert (script.asked, script.pauses) == (["a", "b"], [])


async def test_a_failing_target_gives_way_to_the_next_without_a_pause() -> None:
    script = Script(a=fault(500), b="Hi")
    assert await script.answered(route("x", "a", "b", retries=2)) == "Hi"
    assert (script.asked, script.pauses) == (["a", "b"], [])
    assert script.journey.target is not None
    assert (script.journey.target.model, script.journey.attempts) == ("b", 2)


async def test_a_round_asks_again_only_those_that_may_have_mended() -> None:
    script = Script(a=fault(404, "model_not_found"), b=[fault(503), "Hi"])
    assert await script.answered(route("x", "a", "b", retries=1)) == "Hi"
    assert script.asked == ["a", "b", "b"]


@pytest.mark.parametrize("code", ["model_not_found", "upstream_permission_denied", "no_upstream_credentials"])
async def test_what_is_about_one_target_sends_the_call_on_and_is_not_repeated(code: str) -> None:
    script = Script(a=fault(502, code), b=fault(502, code))
    assert (await failed(script, route("x", "a", "b", retries=3))).code == code
    assert (script.asked, script.pauses) == (["a", "b"], [])


async def test_a_parameter_that_one_target_cannot_express_goes_to_one_that_can() -> None:
    script = Script(a=BadInput("No seed.", param="seed", code="unsupported_parameter"), b="Hi")
    assert await script.answered(route("x", "a", "b")) == "Hi"


async def test_the_fault_that_may_pass_is_the_one_that_is_told() -> None:
    script = Script(a=fault(404, "model_not_found"), b=fault(503), c=fault(404, "model_not_found"))
    script.routes = {"c": route("c")}
    assert (await failed(script, route("x", "a", "b", fallbacks=("c",)))).message == "503 None"


async def test_fallbacks_follow_in_turn_each_once_and_theirs_too() -> None:
    script = Script(a=fault(503), b=fault(503), c=fault(503), d="Hi")
    script.routes = {
        "b": route("b", fallbacks=("a", "d")),
        "c": route("c", fallbacks=("b",)),
        "d": route("d"),
    }
    assert await script.answered(route("a", fallbacks=("gone", "b", "c"))) == "Hi"
    assert script.asked == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("code", "asked"),
    [("context_length_exceeded", ["a", "long"]), ("content_filter", ["a", "mild"]), (None, ["a"])],
)
async def test_a_kind_of_refusal_has_its_own_fallback(code: str | None, asked: list[str]) -> None:
    script = Script(a=fault(400, code), long="Hi", mild="Hi", other="Hi")
    script.routes = {name: route(name) for name in ("long", "mild", "other")}
    way = route("a", fallbacks=("other",), context_fallbacks=("long",), content_fallbacks=("mild",), retries=2)
    if code is None:
        await failed(script, way)
    else:
        assert await script.answered(way) == "Hi"
    assert script.asked == asked


async def test_a_fallback_that_fails_does_not_hide_the_refusal() -> None:
    script = Script(a=fault(400, "context_length_exceeded"), long=fault(404, "model_not_found"))
    script.routes = {"long": route("long")}
    assert (await failed(script, route("a", context_fallbacks=("long",)))).code == "context_length_exceeded"


async def test_a_token_that_ran_out_is_renewed_once() -> None:
    script = Script(a=[fault(502, REFUSED), "Hi"])
    script.renewable = True
    assert await script.answered(route("a")) == "Hi"
    assert (script.asked, script.renewals, script.journey.attempts) == (["a", "a"], ["a"], 2)


@pytest.mark.parametrize("renewable", [True, False])
async def test_credentials_that_stay_refused_go_to_the_next_target(*, renewable: bool) -> None:
    script = Script(a=fault(502, REFUSED), b="Hi")
    script.renewable = renewable
    assert await script.answered(route("x", "a", "b")) == "Hi"
    assert script.asked == (["a", "a", "b"] if renewable else ["a", "b"])


async def test_a_target_that_keeps_failing_is_left_alone_until_its_rest_is_over() -> None:
    script = Script(a=fault(503), b="Hi")
    way = route("x", "a", "b", cooldown=30.0)
    for _ in range(FAILURES + 2):
        await script.answered(way)
    assert script.asked.count("a") == FAILURES
    script.now += 30.0
    await script.answered(way)
    assert script.asked.count("a") == FAILURES + 1


async def test_a_busy_target_rests_as_long_as_it_asks() -> None:
    script = Script(a=[fault(429, retry_after=5.0), "Hi"], b="Ho")
    way = route("x", "a", "b")
    assert [await script.answered(way) for _ in range(2)] == ["Ho", "Ho"]
    script.now += 5.0
    assert await script.answered(way) == "Hi"


async def test_a_callers_fault_rests_nobody() -> None:
    script = Script(a=fault(400, "context_length_exceeded"), b="Hi")
    way = route("x", "a", "b")
    for _ in range(FAILURES + 1):
        await failed(script, way)
    assert set(script.asked) == {"a"}


async def test_the_total_ends_attempts_and_pauses_alike() -> None:
    script = Script(a=[5.0])
    way = route("a", retries=5, timeouts=Limits(total=0.02))
    caught = await asyncio.wait_for(failed(script, way), 2)
    assert isinstance(caught, UpstreamError)
    assert (caught.status, caught.code) == (504, "timeout")


async def test_no_attempt_begins_after_the_total() -> None:
    script = Script(a=fault(503))
    script.now = 700.0
    await failed(script, route("a", retries=5))
    assert script.asked == ["a"]


async def test_a_first_chunk_that_is_late_sends_the_call_on() -> None:
    script = Script(a=[5.0], b="Hi")
    way = route("x", "a", "b", timeouts=Limits(first=0.02))
    assert await asyncio.wait_for(script.answered(way, stream=True), 2) == "Hi"
    assert script.asked == ["a", "b"]


async def test_a_whole_answer_has_no_first_chunk() -> None:
    script = Script(a=[0.05, "Hi"])
    assert await script.answered(route("a", timeouts=Limits(first=0.01))) == "Hi"


async def test_a_caller_who_leaves_in_a_pause_ends_the_call() -> None:
    script = Script(a=[fault(503)])
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.sleep(60)

    script.attempts._sleep = sleep  # noqa: SLF001  (the one pause that is really waited for)
    call = asyncio.create_task(script.answered(route("a", retries=3)))
    await asyncio.wait_for(waiting.wait(), 2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert script.asked == ["a"]


async def test_a_route_without_a_target_is_no_model() -> None:
    way = Route(alias="a", targets=(), created_at=0.0)
    assert isinstance(await failed(Script(), way), NotFound)


OUTCOMES = st.sampled_from(
    [
        "Hi",
        fault(429, retry_after=1.0),
        fault(429, retry_after=LONGEST_WAIT + 1),
        fault(503),
        fault(404, "model_not_found"),
        fault(400),
        fault(400, "context_length_exceeded"),
        fault(502, REFUSED),
    ]
)


@given(
    scripts=st.lists(st.lists(OUTCOMES, min_size=1, max_size=4), min_size=1, max_size=4),
    retries=st.integers(0, 3),
    renewable=st.booleans(),
)
def test_every_way_ends_with_the_first_answer_or_a_fault_that_was_told(
    scripts: list[list[Outcome]], retries: int, *, renewable: bool
) -> None:
    names = [f"t{place}" for place in range(len(scripts))]
    script = Script(**dict(zip(names, map(list, scripts), strict=True)))
    script.renewable = renewable
    told: list[Outcome] = []

    async def ask(target: Target) -> str:
        try:
            told.append(await script.ask(target))
        except TunewayError as exc:
            told.append(exc)
            raise
        return str(told[-1])

    async def ended() -> Outcome:
        try:
            return await script.answered(route("x", *names, retries=retries), ask=ask)
        except TunewayError as exc:
            return exc

    end = asyncio.run(ended())
    assert end in told
    assert told.count("Hi") == (end == "Hi")
    assert "Hi" not in told[:-1]
    assert len(told) == script.journey.attempts <= 2 * len(names) * (retries + 1)
    assert len(script.pauses) <= retries
    given_up = [place for place, one in enumerate(told) if isinstance(one, UpstreamError) and one.status == 400]
    assert given_up in ([], [len(told) - 1])
