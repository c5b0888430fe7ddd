"""Targets of every vendor's fake are probed: what works is found, and what does not is told with its fault."""

import asyncio
from base64 import b64decode

import pytest

from tests.integration.surfaces.hosts import ENVIRONMENT, HOSTS, KEY, able
from tests.vendors.fake import Fake
from tests.vendors.script import Error, Manner, Reply, Text
from tuneway.adapters import prediction
from tuneway.adapters.probing import all_probed, probed
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.prediction.prices import load
from tuneway.prediction.probing import Prober, picture
from tuneway.routing.probes import STARS, TargetProbe
from tuneway.settings import Settings

BLIND = set(STARS) - {"vision"}  # the fakes tell of a picture, and not of its colour


@pytest.fixture
def settings(fakes: dict[str, Fake], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Settings(project="local-project", vertex_url=fakes["vertex"].url)


def stars(probe: TargetProbe) -> set[str]:
    return {name for name, finding in probe.stars.items() if finding.works}


def one(settings: Settings, fakes: dict[str, Fake], alias: str = "vllm") -> TargetProbe:
    (found,) = probed(settings, [HOSTS[alias].at(fakes)])
    return found


def impatient(settings: Settings, fakes: dict[str, Fake], *, each: float, all_of_them: float) -> list[TargetProbe]:
    async def found() -> list[TargetProbe]:
        upstream = HttpxUpstream()
        try:
            via = prediction.connection(settings, upstream, prediction.google(settings, upstream))
            prober = Prober(via, load(), seconds=each)
            return await all_probed(prober, [HOSTS["vllm"].at(fakes), HOSTS["tgi"].at(fakes)], seconds=all_of_them)
        finally:
            await upstream.close()

    return asyncio.run(found())


def test_every_host_has_the_stars_it_earns(settings: Settings, fakes: dict[str, Fake]) -> None:
    found = dict(zip(HOSTS, probed(settings, [host.at(fakes) for host in HOSTS.values()]), strict=True))
    for alias, probe in found.items():
        lacking = {
            star for star, feature in (("tools", "tools"), ("json_schema", "schema")) if alias not in able(feature)
        }
        missing = lacking | ({"stream", "usage"} if alias == "container" else set())
        assert (alias, stars(probe)) == (alias, BLIND - missing)
        assert probe.answers.works
        assert (probe.whole_ms or 0) > 0
        assert (probe.first_chunk_ms is None) == (alias == "container")
        assert probe.tokens > 0
    assert {alias for alias, probe in found.items() if probe.cost_usd} >= {"gemini", "gemini-tuned"}


@pytest.mark.parametrize("alias", ["openai", "vllm", "anthropic", "bedrock", "gemini", "claude-vertex"])
def test_what_a_host_takes_and_does_not_do_earns_no_star(
    settings: Settings, fakes: dict[str, Fake], alias: str
) -> None:
    fakes[HOSTS[alias].fake].always(Text("Red."))
    found = one(settings, fakes, alias)
    assert stars(found) == {"stream", "vision", "usage"}
    assert "called none" in (found.stars["tools"].reason or "")
    assert "does not keep to the JSON schema" in (found.stars["json_schema"].reason or "")


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (Error(401), "upstream_authentication_failed", 502),
        (Error(404), "model_not_found", 404),
        (Error(429), None, 429),
        (Error(503), None, 503),
    ],
)
def test_one_that_does_not_answer_says_why_and_is_asked_nothing_more(
    settings: Settings, fakes: dict[str, Fake], error: Error, code: str | None, status: int
) -> None:
    fakes["openai"].always(error)
    found = one(settings, fakes, "openai")
    assert (found.answers.works, found.answers.status) == (False, status)
    assert code in {None, found.answers.code}
    assert stars(found) == set()
    assert (len(fakes["openai"].requests), found.tokens) == (1, 0)
    assert found.stars["tools"].reason == "Not asked, because the target does not answer."


def test_a_key_that_is_not_there_is_told_by_its_name_alone(
    settings: Settings, fakes: dict[str, Fake], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY.removeprefix("env:"))
    found = one(settings, fakes, "openai")
    assert found.answers.code == "no_upstream_credentials"
    assert "KEY_OF_THE_HOSTS is not set" in (found.answers.reason or "")


def test_a_stream_that_breaks_earns_no_star(settings: Settings, fakes: dict[str, Fake]) -> None:
    fakes["vllm"].always(Reply("one two three", manner=Manner(broken=2)))
    found = one(settings, fakes)
    assert (found.answers.works, found.stars["stream"].works) == (True, False)


def test_a_host_that_counts_nothing_earns_no_star_for_it(settings: Settings, fakes: dict[str, Fake]) -> None:
    fakes["vllm"].always(Reply("Red.", usage=False))
    assert "usage" not in stars(one(settings, fakes))


def test_one_that_hangs_is_waited_for_so_long_and_no_longer(settings: Settings, fakes: dict[str, Fake]) -> None:
    fakes["vllm"].always(Reply("late", manner=Manner(hang=-1)))
    hanging, other = impatient(settings, fakes, each=3, all_of_them=120)
    assert (hanging.answers.code, hanging.answers.status) == ("upstream_timeout", 504)
    assert other.answers.works


def test_those_there_was_no_time_for_say_so(settings: Settings, fakes: dict[str, Fake]) -> None:
    fakes["vllm"].always(Reply("late", manner=Manner(hang=-1)))
    hanging, _ = impatient(settings, fakes, each=120, all_of_them=1.5)
    assert "no time left" in (hanging.answers.reason or "")


def test_every_question_is_small(settings: Settings, fakes: dict[str, Fake]) -> None:
    one(settings, fakes)
    assert all(body["max_tokens"] <= 512 for body in fakes["vllm"].bodies)
    assert len(fakes["vllm"].requests) == 5
    assert max(len(asked.raw) for asked in fakes["vllm"].requests) < 1_000


def test_the_picture_is_a_small_png() -> None:
    data = b64decode(picture().partition(",")[2])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(data) < 250
