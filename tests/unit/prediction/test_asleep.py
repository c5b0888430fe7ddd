"""Targets whose place is asleep are passed over, and what is told when nothing else answers."""

import pytest

from tests.unit.prediction.scripted import Script, fault, route, target
from tuneway.errors import UpstreamError
from tuneway.prediction.asleep import SOON, ModelAsleep, asleep_fault
from tuneway.prediction.journey import Journey
from tuneway.routing.fragments import Asleep
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route

NOW = 1_795_000_000.0


class Night(Script):
    """A script in which some targets are asleep."""

    def sleeps(self, *names: str, strict: bool = False) -> "Night":
        self.places = {place_of(target(name)): Asleep(seconds=300.0, strict=strict) for name in names}
        return self

    async def told(self, way: Route, *, stream: bool = False) -> str:
        self.journey = Journey(way, stream=stream, began=0.0, asleep=self.places)
        return await self.attempts.answered(self.journey, self.ask, resolve=self._resolve)

    async def refused(self, way: Route) -> UpstreamError:
        with pytest.raises(UpstreamError) as caught:
            await self.told(way)
        return caught.value


@pytest.mark.parametrize("stream", [False, True])
async def test_another_target_answers_for_one_that_sleeps(*, stream: bool) -> None:
    script = Night(b="Hi").sleeps("a")
    assert await script.told(route("x", "a", "b"), stream=stream) == "Hi"
    assert (script.asked, script.journey.attempts) == (["b"], 1)
    assert [each.model for each in script.journey.slept] == ["a"]
    assert script.journey.failed == ()


async def test_a_fallback_answers_when_all_targets_sleep() -> None:
    script = Night(c="Hi").sleeps("a", "b")
    script.routes = {"c": route("c")}
    assert await script.told(route("x", "a", "b", fallbacks=("c",))) == "Hi"
    assert [each.model for each in script.journey.slept] == ["a", "b"]


async def test_one_that_sleeps_behind_one_that_answers_is_not_wanted() -> None:
    script = Night(a="Hi").sleeps("b")
    assert await script.told(route("x", "a", "b")) == "Hi"
    assert script.journey.slept == ()


async def test_alone_it_is_told_to_come_back_and_never_asked() -> None:
    script = Night().sleeps("a")
    refused = await script.refused(route("a", retries=5))
    assert isinstance(refused, ModelAsleep)
    assert (refused.status, refused.kind, refused.code, refused.retry_after) == (
        503,
        "server_error",
        "model_asleep",
        300,
    )
    assert (script.asked, script.pauses) == ([], [])


async def test_a_failing_fallback_does_not_hide_that_the_model_is_being_woken() -> None:
    script = Night(c=fault(500)).sleeps("a")
    script.routes = {"c": route("c")}
    assert isinstance(await script.refused(route("a", fallbacks=("c",))), ModelAsleep)


async def test_one_that_no_call_wakes_does_not_hide_what_will_pass() -> None:
    script = Night(b=fault(429)).sleeps("a", strict=True)
    assert (await script.refused(route("x", "a", "b"))).status == 429
    script = Night(b=fault(429)).sleeps("a")
    assert isinstance(await script.refused(route("x", "a", "b")), ModelAsleep)
    script = Night().sleeps("a", "b", strict=True)
    assert isinstance(await script.refused(route("x", "a", "b")), ModelAsleep)


async def test_a_sleeping_fallback_does_not_hide_what_failed() -> None:
    script = Night(a=fault(500)).sleeps("c")
    script.routes = {"c": route("c")}
    assert (await script.refused(route("a", fallbacks=("c",)))).status == 500
    assert [each.model for each in script.journey.slept] == ["c"]


async def test_a_fallback_that_all_lead_to_sleep_is_told_of_the_first() -> None:
    script = Night().sleeps("a", "c")
    script.routes = {"c": route("c")}
    assert "'a'" in (await script.refused(route("a", fallbacks=("c",)))).message


async def test_an_unweighted_target_is_not_woken() -> None:
    silent = Route(alias="x", targets=(target("a", weight=0.0), target("b")), created_at=0.0)
    script = Night(b="Hi").sleeps("a")
    assert await script.told(silent) == "Hi"
    assert script.journey.slept == ()


async def test_sleep_says_nothing_of_a_targets_health() -> None:
    script = Night(a="Hi").sleeps("a")
    for _ in range(5):
        await script.refused(route("a"))
    script.places = {}
    assert await script.told(route("a", retries=1)) == "Hi"


@pytest.mark.parametrize(
    ("said", "seconds", "words"),
    [
        (Asleep(seconds=300.0), 300, "This call wakes it."),
        (Asleep(seconds=300.0, ready_at=NOW + 120), 120, "It is being woken."),
        (Asleep(seconds=300.0, ready_at=NOW - 60), SOON, "It is being woken."),
        (Asleep(seconds=300.0, wakes_at=NOW + 3600, strict=True), 3900, "It is woken at 2026-11-18 12:06 UTC."),
        (Asleep(seconds=300.0, strict=True), 300, "It is woken by hand."),
        (Asleep(seconds=300.0, wakes_at=NOW + 60), 360, "could not be woken just now"),
        (Asleep(seconds=300.0, wakes_at=NOW - 60), 300, "tried again"),
    ],
)
def test_who_waits_is_told_how_long_and_for_what(said: Asleep, seconds: float, words: str) -> None:
    told = asleep_fault("shop", said, now=NOW)
    assert told.retry_after == seconds
    assert words in told.message
    assert told.message.startswith("The model 'shop' is asleep.")
