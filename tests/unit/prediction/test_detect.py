"""What an endpoint speaks, found out with as few questions as can be."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tuneway.errors import NotFound, UpstreamError
from tuneway.ports import Auth, UpstreamRequest
from tuneway.prediction.calls import Connection
from tuneway.prediction.detect import detected
from tuneway.routing.routes import Target

PLACE = "projects/p/locations/us-central1"
NAMED = Target(resource=f"{PLACE}/endpoints/1")
DNS = "1.us-central1-2.prediction.vertexai.goog"
OWN_MACHINES = {"deployedModels": [{"model": f"{PLACE}/models/9@1", "dedicatedResources": {"minReplicaCount": 1}}]}
VLLM = (400, {"error": {"message": "[{'type': 'missing', 'loc': ('body', 'messages')}]", "type": "Bad Request"}})
FASTAPI = (422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]})
GOOGLE = (400, {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "The model has no such method."}})


class Google:
    """Vertex AI as a table from the end of a URL to status and body."""

    def __init__(self, endpoint: object, **answers: tuple[int, Any]) -> None:
        self.answers = {"endpoints/1": (200, endpoint), **{k.replace("_", "/"): v for k, v in answers.items()}}
        self.asked: list[UpstreamRequest] = []

    async def headers(self, _: UpstreamRequest, auth: Auth) -> Mapping[str, str]:
        return {auth.header: "Bearer t"}

    @asynccontextmanager
    async def send(self, request: UpstreamRequest) -> AsyncIterator["Answer"]:
        self.asked.append(request)
        found = [told for end, told in self.answers.items() if request.url.endswith(end)]
        yield Answer(*(found[0] if found else (404, {"error": {"code": 404}})))

    def via(self) -> Connection:
        return Connection(upstream=self, credentials=self)


class Answer:
    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def read(self) -> bytes:
        return self.body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.body


async def test_what_google_serves_speaks_gemini_and_is_asked_one_question() -> None:
    google = Google({"deployedModels": [{"model": "tuned"}]})
    assert (await detected(NAMED, via=google.via())).target == Target(resource=NAMED.resource)
    assert [request.method for request in google.asked] == ["GET"]
    assert google.asked[0].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("missing", [VLLM, FASTAPI, (200, {"choices": []})])
async def test_a_server_that_misses_the_messages_chats(missing: tuple[int, Any]) -> None:
    google = Google(OWN_MACHINES, chat_completions=missing)
    assert (await detected(NAMED, via=google.via())).target.dialect == "openai"
    assert google.asked[-1].body == b"{}"
    assert google.asked[-1].url.endswith("/v1beta1/projects/p/locations/us-central1/endpoints/1/chat/completions")


@pytest.mark.parametrize("other", [GOOGLE, (404, b"<html>"), (405, {}), (200, {"predictions": []}), (500, b"Oops")])
async def test_any_other_container_predicts(other: tuple[int, Any]) -> None:
    google = Google(OWN_MACHINES, chat_completions=other, **{"models_9@1": (200, {"containerSpec": {}})})
    assert (await detected(NAMED, via=google.via())).target.dialect == "instances"


async def test_a_container_whose_predict_route_is_chat_is_asked_raw() -> None:
    model = {"containerSpec": {"predictRoute": "/v1/chat/completions"}}
    google = Google(OWN_MACHINES, **{"models_9@1": (200, model)})
    found = (await detected(NAMED, via=google.via())).target
    assert (found.dialect, found.raw) == ("openai", True)


@pytest.mark.parametrize("answer", [(403, {}), (200, b"<html>")])
async def test_a_model_that_may_not_be_looked_at_says_nothing(answer: tuple[int, Any]) -> None:
    google = Google(OWN_MACHINES, **{"models_9@1": answer})
    found = (await detected(NAMED, via=google.via())).target
    assert (found.dialect, found.raw) == ("instances", False)


async def test_a_dedicated_endpoint_is_asked_at_its_own_host() -> None:
    google = Google(
        {**OWN_MACHINES, "dedicatedEndpointEnabled": True, "dedicatedEndpointDns": DNS}, chat_completions=VLLM
    )
    assert (await detected(NAMED, via=google.via())).target.host == DNS
    assert google.asked[-1].url.startswith(f"https://{DNS}/")


async def test_an_endpoint_that_is_not_there_is_not_found() -> None:
    google = Google({})
    google.answers = {}
    with pytest.raises(NotFound):
        await detected(NAMED, via=google.via())


@pytest.mark.parametrize("status", [401, 403, 429, 503, 504])
async def test_a_probe_that_tells_nothing_is_no_answer(status: int) -> None:
    with pytest.raises(UpstreamError):
        await detected(NAMED, via=Google(OWN_MACHINES, chat_completions=(status, {})).via())


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff"])
async def test_a_description_that_cannot_be_read_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        await detected(NAMED, via=Google(body).via())


async def test_an_empty_endpoint_is_called_as_gemini_but_not_for_certain() -> None:
    found = await detected(NAMED, via=Google({}).via())
    assert (found.target.dialect, found.certain) == ("gemini", False)


@pytest.mark.parametrize(
    "held", [{"automaticResources": {}}, {"sharedResources": f"{PLACE}/deploymentResourcePools/x"}]
)
@pytest.mark.parametrize(
    ("image", "dialect"), [({"containerSpec": {"imageUri": "us-docker.pkg.dev/x"}}, "instances"), ({}, "gemini")]
)
async def test_shared_machines_mean_a_container_when_the_model_has_one(
    held: dict[str, object], image: dict[str, object], dialect: str
) -> None:
    google = Google({"deployedModels": [{"model": f"{PLACE}/models/9@1", **held}]}, **{"models/9@1": (200, image)})
    assert (await detected(NAMED, via=google.via())).target.dialect == dialect
