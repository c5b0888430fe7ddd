"""The plugs of the prediction path, chosen by settings."""

import json
from pathlib import Path

import httpx
import pytest

from tuneway.adapters import prediction
from tuneway.adapters.google_tokens import GoogleTokens, StaticTokens
from tuneway.adapters.snapshots_firestore import FirestoreSnapshots
from tuneway.adapters.snapshots_sqlite import SqliteSnapshots
from tuneway.adapters.upstream_httpx import HttpxUpstream
from tuneway.errors import BadInput, UpstreamError
from tuneway.ports import Auth, UpstreamRequest
from tuneway.routing.routes import Target
from tuneway.settings import Settings

CALL = UpstreamRequest(url="https://host/v1", headers={})
ROLE = "arn:aws:iam::123456789012:role/tuneway"


class Clouds:
    """The token services of three clouds."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.host == "metadata.google.internal":
            if request.url.path.endswith("/identity"):
                return httpx.Response(200, text="h.eyJleHAiOjQwMDAwMDAwMDAsImlhdCI6Mzk5OTk5NjQwMH0.s")
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"google-{self.tokens}", "expires_in": 3600})
        return httpx.Response(200, json={"access_token": "entra", "expires_in": 3600})

    def upstream(self) -> HttpxUpstream:
        return HttpxUpstream(httpx.MockTransport(self))


async def proof(settings: Settings, auth: Auth, clouds: Clouds | None = None) -> str:
    upstream = (clouds or Clouds()).upstream()
    via = prediction.connection(settings, upstream, prediction.google(settings, upstream))
    return (await via.credentials.headers(CALL, auth))[auth.header]


async def test_in_the_cloud_the_metadata_servers_token_goes_along() -> None:
    assert await proof(Settings(), Auth(kind="google")) == "Bearer google-1"


async def test_in_the_simulation_no_real_token_goes_along() -> None:
    assert await proof(Settings(vertex_url="http://127.0.0.1:1"), Auth(kind="google")) == "Bearer simulated"


async def test_a_key_of_the_environment_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "k3y")
    assert await proof(Settings(), Auth(kind="bearer", secret="env:SOME_KEY")) == "Bearer k3y"


@pytest.mark.parametrize("secret", [None, "env:ENTRA_SECRET"])
async def test_an_application_of_entra_is_known_by_its_secret_or_by_googles_word(
    monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    monkeypatch.setenv("ENTRA_SECRET", "s3cret")
    clouds = Clouds()
    settings = Settings(entra_tenant="tenant", entra_client="client", entra_secret=secret)
    assert await proof(settings, Auth(kind="entra", scope="https://ai.azure.com/.default"), clouds) == "Bearer entra"
    form = clouds.asked[-1].content.decode()
    assert ("client_secret=s3cret" in form, "client_assertion=" in form) == (secret is not None, secret is None)


async def test_a_cloud_nobody_set_up_is_our_fault() -> None:
    for kind in ("entra", "sigv4"):
        with pytest.raises(UpstreamError) as caught:
            await proof(Settings(), Auth(kind=kind, region="us-east-1"))
        assert (caught.value.status, caught.value.code) == (502, "no_upstream_credentials")


async def test_a_role_of_aws_is_asked_for_with_googles_word() -> None:
    clouds = Clouds()
    with pytest.raises(UpstreamError):  # the made-up service lends no keys
        await proof(Settings(aws_role=ROLE), Auth(kind="sigv4", region="us-east-1"), clouds)
    assert clouds.asked[-1].url.host == "sts.us-east-1.amazonaws.com"


async def test_a_refused_token_of_google_is_renewed_but_not_in_a_row() -> None:
    clouds = Clouds()
    tokens = prediction.google(Settings(), clouds.upstream())
    assert isinstance(tokens, GoogleTokens)
    renewed = prediction.renewal(tokens)
    vertex, other = Target(resource="projects/p/locations/us/endpoints/1"), Target(provider="openai", dialect="openai")
    assert await renewed(vertex)
    assert await tokens.token() == "google-1"
    assert not await renewed(vertex)
    assert not await renewed(other)
    assert not await prediction.renewal(StaticTokens("t"))(vertex)


def test_the_state_is_a_file_or_firestore(tmp_path: Path) -> None:
    upstream = Clouds().upstream()
    for settings, kind in (
        (Settings(state_folder=tmp_path), SqliteSnapshots),
        (Settings(), FirestoreSnapshots),
        (Settings(vertex_url="http://127.0.0.1:1", firestore_emulator="127.0.0.1:2"), FirestoreSnapshots),
    ):
        assert isinstance(prediction.snapshots(settings, upstream, prediction.google(settings, upstream)), kind)


def test_what_names_leave_open_comes_from_the_settings() -> None:
    places = {"azure": {"base_url": "my-resource", "secret": "env:AZURE"}}
    found = prediction.defaults(Settings(project="p", vendors=json.dumps(places)))
    assert (found.project, found.places["azure"].base_url) == ("p", "my-resource")
    with pytest.raises(BadInput, match="TUNEWAY_VENDORS"):
        prediction.defaults(Settings(vendors="[]"))


def test_an_installation_has_prices_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"as_of": "2026-11-21", "prices": []}))
    assert prediction.prices(Settings(prices_file=file)) is not None
    assert prediction.prices(Settings()) is not None
    assert prediction.freshness(Settings(snapshot_refresh=2.0)).refresh == 2.0


def test_the_installations_own_buckets_are_closed() -> None:
    settings, upstream = Settings(bucket="ours", aws_bucket="ours-s3"), Clouds().upstream()
    via = prediction.connection(settings, upstream, prediction.google(settings, upstream))
    assert via.closed == {"ours", "ours-s3"}
