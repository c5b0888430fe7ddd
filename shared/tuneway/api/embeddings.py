"""``embedding`` and ``aembedding``: LiteLLM's names, arguments and answers."""

from collections.abc import Mapping, Sequence

import msgspec
from typing_extensions import Unpack

from tuneway.api import deployed, direct
from tuneway.api.answers import EmbeddingResponse, read
from tuneway.api.background import background
from tuneway.api.options import Asked, EmbeddingOptions, asked_for_vectors

# A parameter is called ``input`` below (A002): that is its name at OpenAI and LiteLLM.
Texts = str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]


def embedding(model: str, input: Texts, **options: Unpack[EmbeddingOptions]) -> EmbeddingResponse:  # noqa: A002
    """The vectors of texts (or of tokens, where the model's host reads them); see ``EmbeddingOptions``.

    ``model`` is named as for ``completion``, and so is a deployed tuneway. Raises APIError.
    """
    return background.run(_vectors(asked_for_vectors(model, input, _given(options))))


async def aembedding(model: str, input: Texts, **options: Unpack[EmbeddingOptions]) -> EmbeddingResponse:  # noqa: A002
    """``embedding`` for coroutines. Cancelling it ends the call."""
    return await background.wait(_vectors(asked_for_vectors(model, input, _given(options))))


async def _vectors(question: Asked) -> EmbeddingResponse:
    return read(EmbeddingResponse, await (deployed.whole if deployed.is_meant(question) else direct.whole)(question))


def _given(options: EmbeddingOptions) -> Mapping[str, object]:
    return msgspec.convert(options, dict[str, object])
