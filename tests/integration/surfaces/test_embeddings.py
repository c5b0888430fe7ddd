"""Embeddings: the openai SDK, unmodified, against every host that embeds."""

import base64
from array import array
from typing import Any

import openai
import pytest

from tests.integration.surfaces.conftest import Behind
from tests.integration.surfaces.door import Door
from tests.integration.surfaces.hosts import EMBEDDERS, HOSTS
from tests.vendors.openai_surfaces import vector
from tests.vendors.script import Error

TEXTS = ["one", "two words", "three more words"]


def numbers(given: Any) -> list[float]:
    """A vector as it came: the SDK unpacks only what it asked to be packed."""
    return list(array("f", base64.b64decode(given))) if isinstance(given, str) else given


every = pytest.mark.parametrize("alias", list(EMBEDDERS))


@every
@pytest.mark.parametrize("form", [None, "float", "base64"])
def test_each_input_has_its_vector_in_its_place(door: Door, alias: str, form: Any) -> None:
    options = {} if form is None else {"encoding_format": form}
    client = door.sdk(documented=form == "float")  # the document does not know base64, which the SDK asks for
    raw = client.embeddings.with_raw_response.create(model=alias, input=TEXTS, **options)
    answer = raw.parse()
    vectors = [numbers(one.embedding) for one in answer.data]
    assert [one.index for one in answer.data] == [0, 1, 2]
    assert vectors == [vector(text, len(vectors[0])) for text in TEXTS]
    assert (answer.model, answer.usage.prompt_tokens > 0) == (alias, True)
    line = door.line(raw.headers["x-request-id"])
    assert (line["gen_ai.operation.name"], line["gen_ai.usage.input_tokens"]) == (
        "embeddings",
        answer.usage.prompt_tokens,
    )


@pytest.mark.parametrize(
    "alias", ["vertex-embeds", "titan-embeds", "openai-embeds", "gemini-embeds", "gemini-embeds-2"]
)
def test_the_length_of_a_vector_can_be_chosen(door: Door, alias: str) -> None:
    answer = door.sdk(documented=False).embeddings.create(model=alias, input="one", dimensions=256)
    assert len(answer.data[0].embedding) == 256


def test_a_host_that_takes_one_input_a_call_is_asked_as_often_but_not_all_at_once(door: Door, behind: Behind) -> None:
    texts = [f"text {number}" for number in range(100)]
    answer = door.sdk(documented=False).embeddings.create(model="titan-embeds", input=texts, dimensions=256)
    assert [one.embedding for one in answer.data] == [vector(text, 256) for text in texts]
    assert len(behind("titan-embeds").requests) == 100
    assert behind("titan-embeds").connections.open <= 20


async def test_the_asynchronous_sdk_embeds_too(door: Door) -> None:
    async with door.async_sdk() as client:
        answer = await client.embeddings.create(model="vertex-embeds", input="one")
    assert answer.data[0].embedding == vector("one", 768)


@every
def test_one_refusal_is_the_answer(door: Door, behind: Behind, alias: str) -> None:
    behind(alias).always(Error(429, retry_after=3))
    with pytest.raises(openai.RateLimitError) as caught:
        door.sdk().embeddings.create(model=alias, input=TEXTS)
    assert caught.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize("alias", ["gemini", "anthropic", "bedrock-key"])
def test_a_model_that_only_chats_says_so(door: Door, alias: str) -> None:
    assert alias in HOSTS
    with pytest.raises(openai.BadRequestError, match="cannot embed"):
        door.sdk().embeddings.create(model=alias, input="one")
