"""A stranger is refused at every door: by tuneway where the door is public, by the platform where it is not."""

import httpx
import openai
import pytest

from tests.integration.deployed.installation import Installation
from tuneway.local.manifest import HttpTrigger, load

MANIFEST = load()
PUBLIC = sorted(name for name, function in MANIFEST.functions.items() if function.callers == "public")
PLATFORM = sorted(set(MANIFEST.functions) - set(PUBLIC))
DOORS = {
    "predict": [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/messages"),
        ("GET", "/v1/models"),
    ],
    "tuning": [
        ("GET", "/v1/fine_tuning/jobs"),
        ("POST", "/v1/fine_tuning/jobs"),
        ("GET", "/v1/files"),
        ("GET", "/v1/webhook_endpoints"),
    ],
    "registry": [
        ("GET", "/v1/registry/models"),
        ("GET", "/v1/registry/keys"),
        ("POST", "/v1/registry/keys"),
        ("GET", "/v1/registry/routes"),
        ("GET", "/v1/registry/dead_letters"),
    ],
}
STRANGER = "stranger@elsewhere.iam.gserviceaccount.com"


def called(url: str, **headers: str) -> int:
    with httpx.Client(trust_env=False, timeout=60) as http:
        return http.post(url, headers=headers, json={}).status_code


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_door_asks_for_a_key(installation: Installation, name: str) -> None:
    with httpx.Client(base_url=installation.url, trust_env=False, timeout=60) as http:
        for method, path in DOORS[name]:
            for headers in ({}, {"authorization": "Bearer tw-nobody"}, {"x-api-key": "tw-nobody"}):
                assert http.request(method, path, headers=headers, content=b"{}").status_code == 401, (path, headers)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_path_of_a_public_door_is_left_out(name: str) -> None:
    trigger = MANIFEST.functions[name].trigger
    assert isinstance(trigger, HttpTrigger)
    assert not [path for path in trigger.paths if not any(asked.startswith(path) for _, asked in DOORS[name])]


def test_the_sdk_of_a_stranger_says_so(installation: Installation) -> None:
    with installation.sdk(api_key="tw-nobody") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()


@pytest.mark.parametrize("name", PUBLIC)
def test_behind_one_hostname_a_doors_own_url_is_closed(installation: Installation, name: str) -> None:
    url = installation.declared.services[name].url
    assert called(url, authorization=f"Bearer {installation.key}") == 404


@pytest.mark.parametrize("name", PLATFORM)
def test_the_internet_does_not_reach_what_the_platform_calls(installation: Installation, name: str) -> None:
    service = installation.declared.services[name]
    assert called(service.url) == 404
    assert called(service.url, authorization=f"Bearer {installation.key}") == 404


@pytest.mark.parametrize("name", PLATFORM)
def test_from_inside_only_the_caller_comes_in(installation: Installation, name: str) -> None:
    service, run = installation.declared.services[name], installation.run
    caller = next(iter(service.invokers)).removeprefix("serviceAccount:")
    unsigned = {header: value for header, value in run.signed(caller, service.url).items() if header != "authorization"}
    assert called(service.url, **unsigned) == 403
    assert called(service.url, **run.signed(STRANGER, service.url)) == 403
    assert called(service.url, **run.signed(caller, "https://elsewhere.example")) == 401
    assert called(service.url, **unsigned, authorization="Bearer a.b.c") == 401


@pytest.mark.parametrize("name", PLATFORM)
def test_the_load_balancer_does_not_lead_to_what_the_platform_calls(installation: Installation, name: str) -> None:
    assert name not in installation.declared.paths.values()
    assert called(f"{installation.url}/tick") == 404
