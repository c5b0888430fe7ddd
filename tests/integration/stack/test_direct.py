"""A model tuned through the stack is an ordinary endpoint of Vertex AI: Google's own client calls it directly."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials

from tests.integration.stack.running import Stack, asked

QUESTION = "What is 7 plus one?"


@pytest.fixture
def google(stack: Stack) -> Iterator[genai.Client]:
    with genai.Client(
        vertexai=True,
        project="local-project",
        location="us-central1",
        credentials=Credentials("x"),
        http_options=HttpOptions(base_url=stack.vertex_url, api_version="v1"),
    ) as client:
        yield client


def test_google_genai_calls_the_endpoint_that_tuneway_made(
    stack: Stack, google: genai.Client, tuned: dict[str, Any]
) -> None:
    endpoint = tuned["tuneway"]["tuned"]["endpoint"]
    direct = google.models.generate_content(model=endpoint, contents=QUESTION)
    routed = stack.http.post("/v1/chat/completions", json=asked(tuned["fine_tuned_model"], QUESTION)).json()
    assert direct.text == routed["choices"][0]["message"]["content"] == "It is 8."


def test_google_genai_sees_the_job_that_tuneway_submitted(google: genai.Client, tuned: dict[str, Any]) -> None:
    job = google.tunings.get(name=tuned["tuneway"]["provider_job"])
    assert job.tuned_model is not None
    assert job.tuned_model.endpoint == tuned["tuneway"]["tuned"]["endpoint"]
    assert job.labels == {"tuneway-job": tuned["id"]}
