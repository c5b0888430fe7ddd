import json
from base64 import b64encode

import pytest

from tests.unit.adapters.clouds import Clock, Cloud, FakeSecrets, Numbered, Unreachable, told
from tuneway.adapters.secrets_environment import EnvironmentSecrets
from tuneway.adapters.secrets_manager import MOST_KEPT, SecretManager
from tuneway.adapters.secrets_referenced import ReferencedSecrets
from tuneway.errors import UpstreamError

REF = "projects/acme/secrets/openai/versions/latest"


def version(secret: str) -> str:
    return json.dumps({"name": REF, "payload": {"data": b64encode(secret.encode()).decode()}})


def manager(cloud: Cloud, clock: Clock | None = None) -> SecretManager:
    return SecretManager(cloud.upstream, Numbered("google"), clock=clock or Clock())


async def test_a_variable_is_a_secret_without_blanks_around_it() -> None:
    assert await EnvironmentSecrets({"KEY": " sk-1\n"}).value("env:KEY") == "sk-1"


@pytest.mark.parametrize("ref", ["env:MISSING", "env:EMPTY", "env:a b", "env:", "KEY"])
async def test_what_is_no_variable_is_a_fault_of_ours(ref: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        await EnvironmentSecrets({"EMPTY": " ", "KEY": "sk-1"}).value(ref)
    assert (caught.value.status, caught.value.code) == (502, "no_upstream_credentials")


@pytest.mark.parametrize(
    ("ref", "url"),
    [
        (REF, f"https://secretmanager.googleapis.com/v1/{REF}:access"),
        (
            "projects/1/locations/europe-west4/secrets/k/versions/7",
            "https://secretmanager.europe-west4.rep.googleapis.com/v1/projects/1/locations/europe-west4/secrets/k/versions/7:access",
        ),
    ],
)
async def test_secret_manager_is_asked_as_google_says(ref: str, url: str) -> None:
    cloud = Cloud(version("sk-1\n"))
    assert await manager(cloud).value(ref) == "sk-1"
    assert str(cloud.asked[0].url) == url
    assert cloud.asked[0].headers["authorization"] == "Bearer google"


async def test_a_secret_is_kept_for_minutes_and_then_seen_anew() -> None:
    cloud, clock = Cloud(version("old")), Clock()
    secrets = manager(cloud, clock)
    await secrets.value(REF)
    cloud.answer = version("new")
    assert await secrets.value(REF) == "old"
    clock.now += 300
    assert await secrets.value(REF) == "new"
    assert len(cloud.asked) == 2


async def test_only_so_many_are_kept() -> None:
    cloud = Cloud(version("s"))
    secrets = manager(cloud)
    for number in range(MOST_KEPT + 1):
        await secrets.value(f"projects/acme/secrets/s{number}/versions/1")
    await secrets.value("projects/acme/secrets/s0/versions/1")
    assert len(cloud.asked) == MOST_KEPT + 2


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "projects/a/secrets/b",
        "projects/a/secrets/../versions/1",
        f"{REF}?x=1",
        f"{REF}:destroy",
        "projects/a/locations/evil.com/secrets/b/versions/1",
    ],
)
async def test_what_is_no_reference_is_never_asked_for(ref: str) -> None:
    cloud = Cloud(version("s"))
    with pytest.raises(UpstreamError):
        await manager(cloud).value(ref)
    assert cloud.asked == []


@pytest.mark.parametrize(
    "cloud",
    [
        Cloud("sk-hidden", 403),
        Cloud("sk-hidden"),
        Cloud('{"payload": {"data": "sk-hidden!"}}'),
        Cloud('{"payload": {"data": "/w=="}}'),
        Unreachable(),
    ],
)
async def test_a_fault_says_nothing_of_what_came(cloud: Cloud) -> None:
    with pytest.raises(UpstreamError) as caught:
        await manager(cloud).value(REF)
    assert caught.value.status == 502
    assert "sk-hidden" not in told(caught.value)
    assert REF not in caught.value.message


async def test_each_form_of_reference_has_its_place() -> None:
    secrets = ReferencedSecrets(
        {"env:": FakeSecrets(**{"env:A": "a"}), "projects/": FakeSecrets(**{"projects/b": "b"})}
    )
    assert (await secrets.value("env:A"), await secrets.value("projects/b")) == ("a", "b")
    with pytest.raises(UpstreamError, match="begins with none of env:, projects/"):
        await secrets.value("sk-hidden")
