"""Every vendor's errors, as the SDKs of both surfaces raise them: class, type, code and when to come back."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import httpx
import httpx2
import openai
import pytest

from tests.unit.edge.predict_door import RESOURCE, Predict
from tuneway.routing.routes import Target

MODEL = "anthropic.claude-sonnet-4-6-v1:0"
TARGETS = {
    "gemini": Target(resource=RESOURCE + "1"),
    "claude": Target(dialect="anthropic", provider="anthropic", model="claude-sonnet-4-6"),
    "converse": Target(dialect="bedrock", provider="bedrock", model=MODEL, region="eu-west-1"),
    "azure": Target(dialect="openai", provider="azure", model="gpt-5", base_url="https://r.openai.azure.com/openai/v1"),
    "vllm": Target(dialect="openai", provider="custom_openai", model="m", base_url="http://box/v1", profile="vllm"),
    "tgi": Target(dialect="openai", provider="custom_openai", model="m", base_url="http://box/v1", profile="tgi"),
    "mistral": Target(
        dialect="openai", resource="projects/p/locations/us/publishers/mistralai/models/mistral-medium-3"
    ),
}


def google(code: int, status: str, message: str = "No.", **more: Any) -> Any:
    return [{"error": {"code": code, "message": message, "status": status, **more}}]


def claude(kind: str, message: str = "No.") -> Any:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def azure(code: str, message: str = "No.", **more: Any) -> Any:
    return {"error": {"code": code, "message": message, "type": None, "param": None, **more}}


def vllm(code: int, message: str = "No.") -> Any:
    return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": code}


AWS = "x-amzn-errortype"
FILTER: dict[str, Any] = {"innererror": {"code": "ResponsibleAIPolicyViolation"}}
TOO_LONG = "context_length_exceeded"


class Raised(NamedTuple):
    """What the SDKs raise: OpenAI's class with type and code, Anthropic's with its type."""

    openais: type[openai.APIStatusError]
    kind: str
    code: str | None
    anthropics: type[anthropic.APIStatusError]
    anthropics_type: str


ASKED, OURS, THEIRS = "invalid_request_error", "api_error", "server_error"
OpenAI5xx, Anthropic5xx = openai.InternalServerError, anthropic.APIStatusError
BAD = Raised(openai.BadRequestError, ASKED, None, anthropic.BadRequestError, ASKED)
LONG, FILTERED, VALUE = (BAD._replace(code=code) for code in (TOO_LONG, "content_filter", "unsupported_value"))
GONE = Raised(openai.NotFoundError, ASKED, "model_not_found", anthropic.NotFoundError, "not_found_error")
LARGE = Raised(openai.APIStatusError, ASKED, "request_too_large", anthropic.APIStatusError, "request_too_large")
CONFLICT = Raised(openai.ConflictError, "conflict", "upstream_conflict", anthropic.ConflictError, "conflict_error")
BUSY = Raised(
    openai.RateLimitError, "rate_limit_error", "rate_limit_exceeded", anthropic.RateLimitError, "rate_limit_error"
)
KEY = Raised(OpenAI5xx, OURS, "upstream_authentication_failed", Anthropic5xx, OURS)
RIGHTS, BILL = (KEY._replace(code=code) for code in ("upstream_permission_denied", "upstream_billing"))
BROKEN = Raised(OpenAI5xx, THEIRS, "upstream_error", Anthropic5xx, "api_error")
GATEWAY = BROKEN._replace(code="bad_gateway")
DOWN = BROKEN._replace(code="service_unavailable", anthropics_type="overloaded_error")
LATE = BROKEN._replace(code="timeout", anthropics_type="timeout_error")
SEVEN = {"retry-after": "7"}
# host, its status, body and headers → what is raised
Row = tuple[str, int, Any, dict[str, str], Raised]
ROWS: list[Row] = [
    ("gemini", 400, google(400, "INVALID_ARGUMENT"), {}, BAD),
    ("gemini", 400, google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum."), {}, LONG),
    ("gemini", 401, google(401, "UNAUTHENTICATED"), {}, KEY),
    ("gemini", 403, google(403, "PERMISSION_DENIED"), {}, RIGHTS),
    ("gemini", 404, google(404, "NOT_FOUND"), {}, GONE),
    ("gemini", 409, google(409, "ABORTED"), {}, CONFLICT),
    ("gemini", 429, google(429, "RESOURCE_EXHAUSTED", details=[{"retryDelay": "7s"}]), {}, BUSY),
    ("gemini", 500, google(500, "INTERNAL"), {}, BROKEN),
    ("gemini", 503, google(503, "UNAVAILABLE"), {}, DOWN),
    ("gemini", 504, google(504, "DEADLINE_EXCEEDED"), {}, LATE),
    ("claude", 400, claude("invalid_request_error"), {}, BAD),
    ("claude", 400, claude("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), {}, LONG),
    ("claude", 400, claude("invalid_request_error", "Output blocked by content filtering policy"), {}, FILTERED),
    ("claude", 401, claude("authentication_error"), {}, KEY),
    ("claude", 402, claude("billing_error"), {}, BILL),
    ("claude", 403, claude("permission_error"), {}, RIGHTS),
    ("claude", 404, claude("not_found_error"), {}, GONE),
    ("claude", 413, claude("request_too_large"), {}, LARGE),
    ("claude", 429, claude("rate_limit_error"), SEVEN, BUSY),
    ("claude", 500, claude("api_error"), {}, BROKEN),
    ("claude", 504, claude("timeout_error"), {}, LATE),
    ("claude", 529, claude("overloaded_error"), {}, DOWN),
    ("converse", 403, {"message": "No."}, {AWS: "AccessDeniedException"}, RIGHTS),
    ("converse", 404, {"message": "No."}, {AWS: "ResourceNotFoundException"}, GONE),
    ("converse", 400, {"message": "No."}, {AWS: "ValidationException"}, BAD),
    ("converse", 400, {"message": "Input is too long for requested model."}, {AWS: "ValidationException"}, LONG),
    ("converse", 400, {"message": "No."}, {AWS: "ServiceQuotaExceededException", **SEVEN}, BUSY),
    ("converse", 408, {"message": "No."}, {AWS: "ModelTimeoutException"}, LATE),
    ("converse", 424, {"message": "No."}, {AWS: "ModelErrorException"}, GATEWAY),
    ("converse", 429, {"message": "No."}, {AWS: "ThrottlingException", **SEVEN}, BUSY),
    ("converse", 429, {"message": "No."}, {AWS: "ModelNotReadyException"}, DOWN),
    ("converse", 500, {"message": "No."}, {AWS: "InternalServerException"}, BROKEN),
    ("converse", 503, {"message": "No."}, {AWS: "ServiceUnavailableException"}, DOWN),
    ("azure", 400, azure("content_filter", **FILTER), {}, FILTERED),
    ("azure", 400, azure(TOO_LONG, "maximum context length is 8 tokens"), {}, LONG),
    ("azure", 400, azure("unsupported_value", param="temperature"), {}, VALUE),
    ("azure", 401, azure("401"), {}, KEY),
    ("azure", 404, azure("DeploymentNotFound"), {}, GONE),
    ("azure", 429, azure("429"), {"retry-after-ms": "6500"}, BUSY),
    ("vllm", 400, vllm(400), {}, BAD),
    ("vllm", 400, vllm(400, "The decoder prompt (length 9) is longer than the maximum model length of 8."), {}, LONG),
    ("vllm", 404, vllm(404), {}, GONE),
    ("vllm", 500, b"Internal Server Error", {}, BROKEN),
    ("vllm", 502, b"<html>Bad Gateway</html>", {}, GATEWAY),
    ("tgi", 422, {"error": "Input validation error: no.", "error_type": "validation"}, {}, BAD),
    ("tgi", 424, {"error": "Request failed", "error_type": "generation"}, {}, GATEWAY),
    ("tgi", 429, {"error": "Model is overloaded", "error_type": "overloaded"}, SEVEN, BUSY),
    ("mistral", 422, {"object": "error", "message": {"detail": [{"msg": "No."}]}}, {}, BAD),
]


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    made = Predict(tmp_path)
    made.state.key("k", "acme")
    for alias, target in TARGETS.items():
        made.state.route(alias, target)
    return made


def host(status: int, body: Any, headers: dict[str, str]) -> Any:
    async def reply(_: httpx.Request) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, headers=headers)

    return reply


def replaying(answer: httpx.Response) -> httpx2.Client:
    """An SDK's client on a host that answers as the door did."""
    told = httpx2.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)
    return httpx2.Client(transport=httpx2.MockTransport(lambda _: told))


def as_openai(answer: httpx.Response) -> openai.APIStatusError:
    client = openai.OpenAI(api_key="k", base_url="http://door/v1", max_retries=0, http_client=replaying(answer))
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    return caught.value


def as_anthropic(answer: httpx.Response) -> anthropic.APIStatusError:
    client = anthropic.Anthropic(api_key="k", max_retries=0, http_client=replaying(answer))
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    return caught.value


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}-{row[4].code}")
async def test_the_sdks_raise_what_a_host_said(predict: Predict, row: Row, *, stream: bool) -> None:
    alias, status, body, headers, raised = row
    predict.host.reply = host(status, body, headers)
    answer = await predict.chat(alias, stream=stream)
    error = as_openai(answer)
    assert isinstance(error, raised.openais)
    assert (error.type, error.code) == (raised.kind, raised.code)
    asked = {"model": alias, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    told = await predict.call("POST", "/v1/messages", json=asked)
    fault = as_anthropic(told)
    assert isinstance(fault, raised.anthropics)
    assert fault.status_code == error.status_code
    assert told.json()["error"]["type"] == raised.anthropics_type
    assert {answer.headers.get("retry-after"), told.headers.get("retry-after")} == {"7" if raised is BUSY else None}
