"""Every folder here, both ways; see README.md."""

import base64
import json
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from anthropic.types import MessageCountTokensParams, MessageTokensCount
from botocore.validate import ParamValidator
from google.cloud.aiplatform_v1beta1.types import CountTokensRequest, CountTokensResponse
from pydantic import TypeAdapter

from tuneway.prediction.providers import table
from tuneway.prediction.surfaces.counts.counters import Counter, counter_of, tokens_in
from tuneway.prediction.surfaces.counts.request import measured
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/asked.json"))
SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def target(case: Path) -> Target:
    return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)


def counter(case: Path) -> Counter:
    found = counter_of(target(case))
    assert found is not None
    return found


def of(dialect: str, provider: str | None = None) -> list[Path]:
    return [case for case in CASES if target(case).dialect == dialect and provider in (None, target(case).provider)]


def opened(body: Any) -> Any:
    """A body with what it holds as base64 unpacked: blanks in that are no matter."""
    match body:
        case {"input": {"invokeModel": {"body": held}}}:
            return json.loads(base64.b64decode(held))
        case _:
            return body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_question_becomes_the_hosts(case: Path) -> None:
    body = counter(case).to_body(measured((case / "asked.json").read_bytes(), {}), target(case))
    assert opened(json.loads(msgspec.json.encode(body))) == opened(golden(case, "request.json"))
    url = table.url(counter(case).target_of(target(case)), operation="count")
    assert url == (case / "url.txt").read_text().strip()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_hosts_count_becomes_the_callers(case: Path) -> None:
    answer = {"input_tokens": tokens_in((case / "response.json").read_bytes())}
    assert answer == golden(case, "answer.json")
    MessageTokensCount.model_validate(answer)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_questions_are_what_anthropic_knows(case: Path) -> None:
    TypeAdapter(MessageCountTokensParams).validate_python(golden(case, "asked.json"))


@pytest.mark.parametrize("case", of("gemini"), ids=lambda case: case.name)
def test_googles_proto_knows_them(case: Path) -> None:
    CountTokensRequest.from_json(json.dumps(golden(case, "request.json")), ignore_unknown_fields=False)
    CountTokensResponse.from_json(json.dumps(golden(case, "response.json")), ignore_unknown_fields=False)


@pytest.mark.parametrize("case", [*of("bedrock"), *of("anthropic", "bedrock")], ids=lambda case: case.name)
def test_botocore_knows_them(case: Path) -> None:
    operation = SERVICE.operation_model("CountTokens")
    body = golden(case, "request.json")
    asked = ParamValidator().validate({"modelId": "m", **body}, operation.input_shape)
    assert not asked.has_errors(), asked.generate_report()
    told = ParamValidator().validate(golden(case, "response.json"), operation.output_shape)
    assert not told.has_errors(), told.generate_report()


@pytest.mark.parametrize("case", of("anthropic", "bedrock"), ids=lambda case: case.name)
def test_the_body_within_is_that_of_invoke_model(case: Path) -> None:
    held = opened(golden(case, "request.json"))
    asked = golden(case, "asked.json")
    assert held["messages"] == asked["messages"]
    assert {"anthropic_version", "max_tokens"} <= set(held)
    assert "model" not in held
