"""tuneway as a provider of LiteLLM's: ``tuneway/<alias>`` in ``litellm.completion`` and in ``litellm.Router``.

    pip install 'tuneway[litellm]'

    from tuneway.litellm_provider import register
    register()
    litellm.completion("tuneway/gemma-shop", messages, api_base="https://…", api_key="…")

Without ``api_base`` and ``api_key`` it is the tuneway of ``TUNEWAY_URL`` and ``TUNEWAY_API_KEY``. LiteLLM's proxy takes
``custom_handler: tuneway.litellm_provider.handler``.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Protocol, Required, cast

import httpx
import litellm
from litellm import exceptions
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import EmbeddingResponse, ModelResponse, ModelResponseStream
from typing_extensions import TypedDict, Unpack

from tuneway.api import CompletionStream, acompletion, aembedding, completion, embedding
from tuneway.api.answers import Record
from tuneway.api.deployed import located
from tuneway.api.errors import APIError, ContentPolicyViolationError, ContextWindowExceededError
from tuneway.api.options import EmbeddingOptions, Options

PROVIDER = "tuneway"
LITELLMS_OWN = frozenset({"max_retries", "stream"})  # its router retries, and the method called says whether to stream


class Asked(TypedDict, total=False):
    """What LiteLLM hands a provider; of the rest, which is about LiteLLM itself, nothing is needed."""

    api_base: str | None
    api_key: str | None
    headers: Mapping[str, str] | None
    optional_params: Mapping[str, object]
    timeout: float | httpx.Timeout | None


class Given(Asked, total=False):
    """A conversation."""

    messages: Required[Sequence[object]]


class Texts(Asked, total=False):
    """What vectors are wanted of."""

    input: Required[str | Sequence[str]]


class Tuneway(CustomLLM):
    """The provider: each call is one call of the deployed tuneway, told in LiteLLM's classes, errors too."""

    def completion(self, model: str, **given: Unpack[Given]) -> ModelResponse:
        """The answer."""
        try:
            answer = completion(model, given["messages"], stream=False, **_options(given))
        except APIError as fault:
            raise _told(fault, model) from fault
        return ModelResponse(**_fields(answer))

    async def acompletion(self, model: str, **given: Unpack[Given]) -> ModelResponse:
        """The answer, for coroutines."""
        try:
            answer = await acompletion(model, given["messages"], stream=False, **_options(given))
        except APIError as fault:
            raise _told(fault, model) from fault
        return ModelResponse(**_fields(answer))

    def streaming(self, model: str, **given: Unpack[Given]) -> Iterator[ModelResponseStream]:
        """The chunks."""
        try:
            with completion(model, given["messages"], stream=True, **_options(given)) as chunks:
                for chunk in chunks:
                    yield ModelResponseStream(**_fields(chunk))
        except APIError as fault:
            raise _told(fault, model) from fault

    async def astreaming(self, model: str, **given: Unpack[Given]) -> AsyncIterator[ModelResponseStream]:
        """The chunks, for coroutines."""
        try:
            async with await _opened(model, given) as chunks:
                async for chunk in chunks:
                    yield ModelResponseStream(**_fields(chunk))
        except APIError as fault:
            raise _told(fault, model) from fault

    def embedding(self, model: str, **given: Unpack[Texts]) -> EmbeddingResponse:
        """The vectors."""
        try:
            answer = embedding(model, given["input"], **_of_vectors(given))
        except APIError as fault:
            raise _told(fault, model) from fault
        return EmbeddingResponse(**_fields(answer))

    async def aembedding(self, model: str, **given: Unpack[Texts]) -> EmbeddingResponse:
        """The vectors, for coroutines."""
        try:
            answer = await aembedding(model, given["input"], **_of_vectors(given))
        except APIError as fault:
            raise _told(fault, model) from fault
        return EmbeddingResponse(**_fields(answer))


handler = Tuneway()


def register() -> None:
    """Let LiteLLM know the provider; repeating the call changes nothing."""
    others = [item for item in litellm.custom_provider_map if item["provider"] != PROVIDER]
    litellm.custom_provider_map = [*others, {"provider": PROVIDER, "custom_handler": handler}]


async def _opened(model: str, given: Given) -> CompletionStream:
    return await acompletion(model, given["messages"], stream=True, **_options(given))


def _options(given: Given) -> Options:
    return cast("Options", _arguments(given))


def _of_vectors(given: Texts) -> EmbeddingOptions:
    return cast("EmbeddingOptions", _arguments(given))


def _arguments(given: Asked) -> dict[str, object]:
    there = located(given.get("api_base"), given.get("api_key"))
    timeout = given.get("timeout")
    parameters = {name: value for name, value in given.get("optional_params", {}).items() if name not in LITELLMS_OWN}
    return {
        **parameters,
        "base_url": there.url,
        "api_key": there.key,
        "timeout": timeout.read if isinstance(timeout, httpx.Timeout) else timeout,
        "extra_headers": given.get("headers") or None,
    }


def _fields(answer: Record) -> dict[str, object]:
    return answer.model_dump()


class _New(Protocol):
    def __call__(
        self, *, message: str, model: str, llm_provider: str, response: httpx.Response | None = None
    ) -> Exception: ...


BY_KIND: Mapping[type[APIError], _New] = {
    ContentPolicyViolationError: exceptions.ContentPolicyViolationError,
    ContextWindowExceededError: exceptions.ContextWindowExceededError,
}
BY_STATUS: Mapping[int, _New] = {
    400: exceptions.BadRequestError,
    401: exceptions.AuthenticationError,
    403: exceptions.PermissionDeniedError,
    404: exceptions.NotFoundError,
    408: exceptions.Timeout,
    429: exceptions.RateLimitError,
    500: exceptions.InternalServerError,
    502: exceptions.BadGatewayError,
    503: exceptions.ServiceUnavailableError,
    504: exceptions.Timeout,
}


def _told(fault: APIError, model: str) -> Exception:
    """The error as LiteLLM's own, which its router's retries, cooldowns and fallbacks go by."""
    usual = exceptions.InternalServerError if fault.status_code >= 500 else exceptions.BadRequestError  # noqa: PLR2004
    kind = BY_KIND.get(type(fault)) or BY_STATUS.get(fault.status_code, usual)
    headers = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
    response = httpx.Response(fault.status_code, headers=headers, request=httpx.Request("POST", "https://tuneway"))
    return kind(message=fault.message, model=model, llm_provider=PROVIDER, response=response)
