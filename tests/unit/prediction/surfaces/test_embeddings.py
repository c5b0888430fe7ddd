import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.errors import BadInput, UpstreamError
from tuneway.prediction.surfaces.embeddings.answer import estimated, numbers, rendered
from tuneway.prediction.surfaces.embeddings.embedders import embedder_of, encode_embeddings
from tuneway.prediction.surfaces.embeddings.request import EmbeddingRequest, batches, decode_embedding_request
from tuneway.routing.routes import Dialect, Target

GOOGLE = "projects/p/locations/l/publishers/google/models"
VERTEX = Target(resource=f"{GOOGLE}/text-embedding-005")
OPENAI = Target(dialect="openai", provider="openai", model="text-embedding-3-small")
TITAN = Target(dialect="bedrock", provider="bedrock", model="amazon.titan-embed-text-v2:0")
OLD_TITAN = Target(dialect="bedrock", provider="bedrock", model="amazon.titan-embed-text-v1")
COHERE = Target(dialect="bedrock", provider="bedrock", model="cohere.embed-english-v3")
FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False))


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": "Hello", **fields}).encode()


def ask(**fields: Any) -> EmbeddingRequest:
    return decode_embedding_request(body(**fields))


def sent(target: Target, **fields: Any) -> list[Any]:
    return [json.loads(one) for one in embedder_of(target).to_bodies(ask(**fields), body(**fields), target)]


def told(target: Target, *answers: bytes, **fields: Any) -> Any:
    return json.loads(encode_embeddings(embedder_of(target).from_responses(answers, ask(**fields))))


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"input": None}, "input", "invalid_type"),
        ({"input": []}, "input", "invalid_value"),
        ({"input": ["a", [1]]}, "input", "invalid_type"),
        ({"input": ["a"] * 2049}, "input", "invalid_value"),
        ({"dimensions": 0}, "dimensions", "invalid_value"),
        ({"encoding_format": "int8"}, "encoding_format", "invalid_value"),
        ({"model": ""}, "model", "invalid_value"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        ask(**fields)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"input": "\xff"}', b'{"x":' + b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode_embedding_request(raw)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize(
    ("target", "fields", "param"),
    [
        (VERTEX, {"input": [1, 2]}, "input"),
        (VERTEX, {"input": [[1], [2]]}, "input"),
        (VERTEX, {"normalize": True}, "normalize"),
        (VERTEX, {"truncate": "START"}, "truncate"),
        (VERTEX, {"task_type": "guess"}, "task_type"),
        (VERTEX, {"input_type": "guess"}, "input_type"),
        (VERTEX, {"future": 1}, "future"),
        (TITAN, {"task_type": "CLUSTERING"}, "task_type"),
        (TITAN, {"truncate": "END"}, "truncate"),
        (TITAN, {"title": "x"}, "title"),
        (OLD_TITAN, {"dimensions": 256}, "dimensions"),
        (COHERE, {"dimensions": 256}, "dimensions"),
        (COHERE, {"normalize": False}, "normalize"),
        (COHERE, {"task_type": "FACT_VERIFICATION"}, "task_type"),
        (COHERE, {"input_type": "FACT_VERIFICATION"}, "input_type"),
    ],
)
def test_what_a_model_cannot_express_is_refused_by_name(target: Target, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        sent(target, **fields)
    assert caught.value.param == param
    assert param in caught.value.message


def test_what_a_route_drops_is_dropped() -> None:
    dropping = Target(resource=VERTEX.resource, drop_params=("normalize", "future", "input", "model"))
    assert sent(dropping, normalize=True, future=1) == [
        {"instances": [{"content": "Hello"}], "parameters": {"autoTruncate": False}}
    ]


def test_titan_without_options_gets_the_text_alone() -> None:
    assert sent(OLD_TITAN) == [{"inputText": "Hello"}]


@pytest.mark.parametrize(
    "target",
    [
        Target(resource=f"{GOOGLE}/gemini-3.5-flash"),
        Target(dialect="anthropic", model="claude"),
        Target(dialect="bedrock", model="anthropic.claude"),
    ],
)
def test_a_model_that_cannot_embed_is_refused(target: Target) -> None:
    with pytest.raises(BadInput, match="cannot embed"):
        embedder_of(target)


@pytest.mark.parametrize("dialect", ["gemini", "instances"])
def test_a_tuned_embedding_endpoint_embeds(dialect: Dialect) -> None:
    [asked] = sent(Target(resource="projects/p/locations/l/endpoints/1", dialect=dialect))
    assert asked["instances"] == [{"content": "Hello"}]


@pytest.mark.parametrize("target", [VERTEX, OPENAI, TITAN, COHERE])
@pytest.mark.parametrize("answer", [b"<html>", b'{"error": {"message": "x", "code": 500}}', b"{}", b'"\xff"'])
def test_what_is_no_answer_is_an_error(target: Target, answer: bytes) -> None:
    with pytest.raises(UpstreamError):
        told(target, answer)


@pytest.mark.parametrize(
    ("target", "answer"),
    [(VERTEX, b'{"predictions": []}'), (OPENAI, b'{"data": []}'), (COHERE, b'{"embeddings": [[1.0], [2.0]]}')],
)
def test_a_wrong_count_of_vectors_is_an_error(target: Target, answer: bytes) -> None:
    with pytest.raises(UpstreamError):
        told(target, answer)


def test_tokens_nobody_counted_are_estimated() -> None:
    usage = {"prompt_tokens": 2, "total_tokens": 2, "estimated": True}
    assert told(VERTEX, b'{"predictions": [{"embeddings": {"values": [1.0]}}]}')["usage"] == usage
    assert told(TITAN, b'{"embedding": [1.0]}')["usage"] == usage
    assert told(OPENAI, b'{"data": [{"embedding": [1.0]}]}')["usage"] == usage
    assert told(OPENAI, b'{"data": [{"embedding": [1.0]}], "usage": {}}')["usage"] == usage


def test_tokens_that_were_sent_are_counted() -> None:
    assert estimated(ask(input=[1, 2, 3])).prompt_tokens == 3
    assert estimated(ask(input=[[1, 2], [3]])).prompt_tokens == 3


def test_base64_where_numbers_were_asked_for_is_read() -> None:
    packed = rendered([0.5, 0.25], ask(encoding_format="base64"))
    answer = json.dumps({"data": [{"embedding": packed}]}).encode()
    assert told(OPENAI, answer)["data"][0]["embedding"] == [0.5, 0.25]


@pytest.mark.parametrize("text", ["?", "AAA", "AAAA"])
def test_base64_that_is_no_vector_is_an_error(text: str) -> None:
    with pytest.raises(UpstreamError):
        numbers(text)


def test_a_number_out_of_range_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="out of range"):
        rendered([1e300], ask(encoding_format="base64"))


@given(FLOATS)
def test_base64_keeps_every_number(vector: list[float]) -> None:
    assert numbers(str(rendered(vector, ask(encoding_format="base64")))) == vector


@given(st.lists(st.text(max_size=9)), st.integers(1, 4))
def test_batches_keep_every_text_in_order(texts: list[str], most: int) -> None:
    cut = list(batches(texts, most=most, characters=10))
    assert [text for batch in cut for text in batch] == texts
    assert all(1 <= len(batch) <= most and sum(map(len, batch)) <= 10 for batch in cut)


def test_a_text_too_long_for_a_batch_goes_alone() -> None:
    assert list(batches(["a", "b" * 20, "c"], most=9, characters=10)) == [["a"], ["b" * 20], ["c"]]


SECOND = Target(resource=f"{GOOGLE}/gemini-embedding-2")


def test_gemini_embedding_2_embeds_content_one_text_a_call() -> None:
    assert sent(SECOND, input=["a", "b"]) == [
        {"content": {"parts": [{"text": text}]}, "autoTruncate": False} for text in ("a", "b")
    ]


@pytest.mark.parametrize(
    ("field", "value"), [("task_type", "RETRIEVAL_QUERY"), ("title", "T"), ("truncate", "START"), ("normalize", True)]
)
def test_what_gemini_embedding_2_reads_in_the_text_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadInput) as caught:
        sent(SECOND, **{field: value})
    assert (caught.value.param, caught.value.code) == (field, "unsupported_parameter")


def test_a_count_that_is_missing_is_estimated() -> None:
    answer = told(SECOND, b'{"embedding": {"values": [1.0]}}', encoding_format="float")
    assert answer["usage"]["estimated"] is True


@pytest.mark.parametrize("raw", [b"{}", b"<html>", b'{"error": {"message": "No."}}'])
def test_an_answer_without_content_embedded_is_a_fault(raw: bytes) -> None:
    with pytest.raises(UpstreamError):
        told(SECOND, raw)
