"""google-genai asks the simulation for embeddings."""

import pytest
from google import genai
from google.genai import types
from google.genai.errors import ClientError

from tests.integration.vertex.conftest import PARENT, Simulated

MODELS = ["gemini-embedding-001", "text-embedding-005"]
TEXTS = ["Red shoes for rain", "red shoes", "The price of gold"]


def vectors(client: genai.Client, model: str, texts: list[str], size: int | None = None) -> list[list[float]]:
    config = types.EmbedContentConfig(output_dimensionality=size)
    found = [client.models.embed_content(model=model, contents=text, config=config).embeddings for text in texts]
    return [each[0].values or [] for each in found if each]


@pytest.mark.parametrize(("model", "size"), [("gemini-embedding-001", 3072), ("text-embedding-005", 768)])
def test_texts_that_share_words_lie_near_each_other(genai_client: genai.Client, model: str, size: int) -> None:
    rain, red, gold = vectors(genai_client, model, TEXTS)
    assert len(rain) == size
    assert sum(value * value for value in rain) == pytest.approx(1.0, abs=1e-4)
    near, far = (sum(a * b for a, b in zip(red, other, strict=True)) for other in (rain, gold))
    assert near > 0.5 > far


@pytest.mark.parametrize("model", MODELS)
def test_fewer_dimensions_are_given_and_more_refused(genai_client: genai.Client, model: str) -> None:
    assert [len(vector) for vector in vectors(genai_client, model, TEXTS[:1], 128)] == [128]
    with pytest.raises(ClientError, match="dimensions"):
        vectors(genai_client, model, TEXTS[:1], 10_000)


def test_a_model_that_embeds_nothing_is_not_found(genai_client: genai.Client) -> None:
    with pytest.raises(ClientError, match="was not found"):
        vectors(genai_client, "text-embedding-gecko", TEXTS[:1])


def test_gemini_embedding_2_takes_one_content_a_call(vertex: Simulated) -> None:
    where = f"{vertex.url}/v1/{PARENT}/publishers/google/models/gemini-embedding-2:embedContent"
    body = {"content": {"parts": [{"text": "red "}, {"text": "shoes"}]}, "outputDimensionality": 16}
    said = vertex.http.post(where, json=body).json()
    assert (len(said["embedding"]["values"]), said["usageMetadata"]["promptTokenCount"]) == (16, 3)
    refused = vertex.http.post(where, json={"content": {"parts": []}})
    assert (refused.status_code, "no text" in refused.json()["error"]["message"]) == (400, True)


def test_gemini_embedding_takes_one_text_a_call(vertex: Simulated) -> None:
    where = f"{vertex.url}/v1/{PARENT}/publishers/google/models/gemini-embedding-001:predict"
    refused = vertex.http.post(where, json={"instances": [{"content": "a"}, {"content": "b"}]})
    assert (refused.status_code, "Only one instance" in refused.json()["error"]["message"]) == (400, True)
