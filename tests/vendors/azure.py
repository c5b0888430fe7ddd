"""Azure OpenAI and Azure AI Foundry: the v1 path, dated deployments, the models path, and Claude in Foundry."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from starlette.routing import Route
from typing_extensions import override

from tests.vendors.anthropic_messages import Messages
from tests.vendors.counting import CountMessages
from tests.vendors.fake import Asked, Fake, Refused, route
from tests.vendors.openai_chat import Chat, openai_error, shaped
from tests.vendors.openai_shapes import CHAT, COMPLETION, EMBEDDING
from tests.vendors.openai_surfaces import Completions, Embeddings, listed
from tests.vendors.script import Error, Reply
from tests.vendors.shapes import Shape, refuse

DATED = frozenset({"2024-06-01", "2024-10-21", "2025-01-01-preview", "2025-03-01-preview", "2025-04-01-preview"})
FOUNDRY = frozenset({"2024-05-01-preview", "2024-08-01-preview"})
SAFE = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": False, "severity": "safe"}}
STRUCK = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": True, "severity": "high"}}


def known(asked: Asked, fake: Fake) -> None:
    """Refuses a request with neither the key nor an Entra token."""
    token = fake.facts.get("token", "entra-token")
    by_key = asked.headers.get("api-key") == fake.key
    if not by_key and asked.headers.get("authorization") not in {f"Bearer {token}", f"Bearer {fake.key}"}:
        said = "Access denied due to invalid subscription key or wrong API endpoint."
        raise refuse(401, said, code="401")


class AzureChat(Chat):
    """Chat of a deployment. ``style`` is "v1", "dated" or "foundry"."""

    def __init__(self, style: str = "v1") -> None:
        self.style = style
        needed = {"messages": CHAT["properties"]["messages"], **({} if style == "dated" else {"model": {}})}
        self.shape: Shape = {**CHAT, "required": list(needed)}

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        known(asked, fake)
        versioned(asked, self.style)
        shaped(asked, self.shape)
        self.agrees({"model": self.model(asked), **asked.body}, fake)

    @override
    def agrees(self, body: dict[str, Any], fake: Fake) -> None:
        deployments = fake.facts.get("deployments")
        if deployments is not None and body["model"] not in deployments:
            said = "The API deployment for this resource does not exist."
            raise refuse(404, said, code="DeploymentNotFound")
        super().agrees(body, fake)

    def model(self, asked: Asked) -> str:
        return asked.parameters.get("deployment") or str(asked.body["model"])

    @override
    def head(self, asked: Asked, kind: str) -> dict[str, Any]:
        return super().head(_named(asked, self.model(asked)), kind)

    @override
    def blocked(self) -> Refused:
        said = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
        return refuse(400, said, code="content_filter", param="prompt")

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return azure_error(error), azure_limits(error)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        answer = super().whole(asked, reply)
        assert isinstance(answer, dict)
        results = STRUCK if reply.ended == "content_filter" else SAFE
        choices = [{**choice, "content_filter_results": results} for choice in answer["choices"]]
        return {**answer, "choices": choices, "prompt_filter_results": _prompt_results()}

    @override
    def chunks(self, asked: Asked, reply: Reply) -> Iterator[dict[str, Any]]:
        head = {**self.head(asked, ""), "id": "", "model": "", "created": 0}
        yield {**head, "choices": [], "prompt_filter_results": _prompt_results()}
        yield from super().chunks(asked, reply)


class AzureCompletions(Completions):
    """Completions of a deployment, dated or v1."""

    def __init__(self, style: str = "v1") -> None:
        self.style = style
        self.shape: Shape = {**COMPLETION, "required": ["prompt"] if style == "dated" else ["prompt", "model"]}

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        known(asked, fake)
        versioned(asked, self.style)
        shaped(asked, self.shape)

    @override
    def head(self, asked: Asked, kind: str) -> dict[str, Any]:
        return super().head(_named(asked, asked.parameters.get("deployment") or str(asked.body["model"])), kind)


class AzureEmbeddings(Embeddings):
    """Embeddings of a deployment, dated or v1."""

    def __init__(self, style: str = "v1") -> None:
        self.style = style
        self.shape: Shape = {**EMBEDDING, "required": ["input"] if style == "dated" else ["input", "model"]}

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        known(asked, fake)
        versioned(asked, self.style)
        shaped(asked, self.shape)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        return super().whole(_named(asked, asked.parameters.get("deployment") or str(asked.body["model"])), reply)


class FoundryMessages(Messages):
    """Claude in Foundry: Anthropic's API behind Azure's keys."""

    @override
    def admitted(self, asked: Asked, fake: Fake) -> None:
        keys = {asked.headers.get("api-key"), asked.headers.get("x-api-key")}
        if fake.key not in keys:
            known(asked, fake)


def versioned(asked: Asked, style: str) -> None:
    """Refuses a missing or unknown ``api-version``."""
    version = asked.query.get("api-version")
    allowed = {"v1": {None, "preview", "v1"}, "dated": DATED, "foundry": FOUNDRY}[style]
    if version not in allowed:
        raise refuse(404, "Resource not found", code="404")


def azure_error(error: Error) -> dict[str, object]:
    """OpenAI's error with what Azure adds."""
    shape = openai_error(error)
    inside = shape["error"]
    assert isinstance(inside, dict)
    if error.code == "content_filter":
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": STRUCK}
        return {"error": {**inside, "type": None, "status": 400, "innererror": inner}}
    if error.status in {401, 404, 429} and error.kind is None:
        return {"error": {"code": error.code or str(error.status), "message": error.message}}
    return shape


def azure_limits(error: Error) -> dict[str, str]:
    """Azure's headers with a refusal for load."""
    if error.status != 429:
        return {}
    wait = 1 if error.retry_after is None else error.retry_after
    return {"retry-after-ms": str(wait * 1000), "x-ratelimit-remaining-requests": "0"}


def azure_routes(fake: Fake) -> list[Route]:
    """All of Azure's surfaces."""
    dated = "/openai/deployments/{deployment}"
    return [
        route(fake, "/openai/v1/chat/completions", AzureChat()),
        route(fake, "/openai/v1/completions", AzureCompletions()),
        route(fake, "/openai/v1/embeddings", AzureEmbeddings()),
        route(fake, f"{dated}/chat/completions", AzureChat("dated")),
        route(fake, f"{dated}/completions", AzureCompletions("dated")),
        route(fake, f"{dated}/embeddings", AzureEmbeddings("dated")),
        route(fake, "/models/chat/completions", AzureChat("foundry")),
        route(fake, "/anthropic/v1/messages", FoundryMessages()),
        route(fake, "/anthropic/v1/messages/count_tokens", CountMessages(FoundryMessages().admitted)),
        listed(fake, "/openai/v1/models", "azure"),
    ]


def _named(asked: Asked, model: str) -> Asked:
    return replace(asked, body={**asked.body, "model": model})


def _prompt_results() -> list[dict[str, object]]:
    return [{"prompt_index": 0, "content_filter_results": SAFE}]
