"""Every folder here; see README.md."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.cloud.aiplatform_v1beta1.types import EmbedContentRequest, EmbedContentResponse, PredictRequest
from openai.types import CreateEmbeddingResponse

from tests.golden.openai_document import validator
from tuneway.prediction.surfaces.embeddings.embedders import embedder_of, encode_embeddings
from tuneway.prediction.surfaces.embeddings.request import decode_embedding_request
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/asked.json"))
CONTENT = [case for case in CASES if case.name.startswith("vertex_embed_content")]
VERTEX = [case for case in CASES if case.name.startswith("vertex_") and case not in CONTENT]


def name(case: Path) -> str:
    return case.name


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def target(case: Path) -> Target:
    return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)


def with_numbers(answer: Any) -> Any:
    return {**answer, "data": [{**one, "embedding": numbers(one["embedding"])} for one in answer["data"]]}


def numbers(vector: Any) -> list[float]:
    if not isinstance(vector, str):
        return list(vector)
    data = base64.b64decode(vector)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_request_becomes_the_hosts_calls(case: Path) -> None:
    body = (case / "asked.json").read_bytes()
    bodies = embedder_of(target(case)).to_bodies(decode_embedding_request(body), body, target(case))
    assert [json.loads(one) for one in bodies] == golden(case, "requests.json")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_hosts_answers_become_one(case: Path) -> None:
    request = decode_embedding_request((case / "asked.json").read_bytes())
    responses = [json.dumps(one).encode() for one in golden(case, "responses.json")]
    told = embedder_of(target(case)).from_responses(responses, request)
    assert json.loads(encode_embeddings(told)) == golden(case, "answer.json")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_answers_are_what_openai_publishes(case: Path) -> None:
    answer = with_numbers(golden(case, "answer.json"))
    validator("CreateEmbeddingResponse").validate(answer)
    CreateEmbeddingResponse.model_validate(answer)


@pytest.mark.parametrize("case", VERTEX, ids=name)
def test_vertex_requests_are_what_googles_proto_knows(case: Path) -> None:
    for request in golden(case, "requests.json"):
        PredictRequest.from_json(json.dumps(request), ignore_unknown_fields=False)


@pytest.mark.parametrize("case", CONTENT, ids=name)
def test_googles_proto_knows_what_content_is_embedded(case: Path) -> None:
    for request in golden(case, "requests.json"):
        EmbedContentRequest.from_json(json.dumps(request), ignore_unknown_fields=False)
    for response in golden(case, "responses.json"):
        EmbedContentResponse.from_json(json.dumps(response), ignore_unknown_fields=False)
