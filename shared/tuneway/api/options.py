"""What a call takes besides its model and its words: LiteLLM's and OpenAI's arguments, and which of them say how."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from typing_extensions import TypedDict

from tuneway.api.errors import refused
from tuneway.api.ways import mapping, way_of
from tuneway.settings import environment

Surface = Literal["chat/completions", "embeddings"]


class Ways(TypedDict, total=False):
    """How a call is made: arguments of ``completion`` and of ``embedding`` alike.

    ``custom_llm_provider`` stands before the model's name; ``vertex_project``, ``vertex_location`` and
    ``vertex_credentials`` (a file, its JSON or the object in it) are for Vertex AI, ``api_version`` for Azure, and
    ``aws_*`` for Bedrock. ``api_base`` replaces the address of the model's host and ``api_key`` the credentials for it.
    ``base_url`` is a deployed tuneway; ``api_key`` is then a key of its own. ``timeout`` is in seconds without an
    arrival of bytes. ``drop_params`` (names, or True for all) leaves out what a model cannot take.
    """

    custom_llm_provider: str | None
    vertex_project: str | None
    vertex_location: str | None
    vertex_credentials: str | Mapping[str, object] | None
    api_base: str | None
    api_key: str | None
    api_version: str | None
    aws_region_name: str | None
    aws_access_key_id: str | None
    aws_secret_access_key: str | None
    aws_session_token: str | None
    base_url: str | None
    timeout: float | None
    num_retries: int | None
    max_retries: int | None
    fallbacks: Sequence[str] | None
    drop_params: bool | Sequence[str] | None
    extra_headers: Mapping[str, str] | None
    extra_body: Mapping[str, object] | None


class Options(Ways, total=False):
    """Arguments of ``completion``; any other one is sent to the model as it is."""

    temperature: float | None
    top_p: float | None
    top_k: int | None
    n: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    max_tokens: int | None
    max_completion_tokens: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, float] | None
    logprobs: bool | None
    top_logprobs: int | None
    response_format: object
    tools: Sequence[object] | None
    tool_choice: object
    parallel_tool_calls: bool | None
    reasoning_effort: str | None
    stream_options: Mapping[str, object] | None
    modalities: Sequence[str] | None
    audio: object
    prediction: object
    metadata: Mapping[str, str] | None
    service_tier: str | None
    store: bool | None
    user: str | None
    verbosity: str | None


class EmbeddingOptions(Ways, total=False):
    """Arguments of ``embedding``; what the vectors are for is ``task_type`` or, in Cohere's words, ``input_type``."""

    dimensions: int | None
    encoding_format: Literal["float", "base64"] | None
    user: str | None
    task_type: str | None
    input_type: str | None
    title: str | None
    truncate: Literal["NONE", "START", "END"] | None
    normalize: bool | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a call is made: the options that are not for the model."""

    custom_llm_provider: str | None = None
    vertex_project: str | None = None
    vertex_location: str | None = None
    vertex_credentials: str | None = None
    api_base: str | None = None
    api_key: str | None = None
    api_version: str | None = None
    aws_region_name: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    base_url: str | None = None
    timeout: float | None = None
    num_retries: int = 0
    fallbacks: tuple[str, ...] = ()
    drop_params: tuple[str, ...] = ()
    extra_headers: tuple[tuple[str, str], ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One call: which model, what is asked of it, and how; ``body`` is OpenAI's JSON for ``surface``."""

    model: str
    surface: Surface = "chat/completions"
    stream: bool
    body: bytes
    way: Way


def asked(model: str, messages: Sequence[object], options: Mapping[str, object], *, stream: bool) -> Asked:
    """The call of ``completion``. Raises BadRequestError."""
    words = {"messages": messages, **({"stream": True} if stream else {})}
    return _asked(model, words, options, surface="chat/completions")


def asked_for_vectors(model: str, texts: object, options: Mapping[str, object]) -> Asked:
    """The call of ``embedding``. Raises BadRequestError."""
    return _asked(model, {"input": texts}, options, surface="embeddings")


def _asked(model: str, words: Mapping[str, object], options: Mapping[str, object], *, surface: Surface) -> Asked:
    given = {name: value for name, value in options.items() if value is not None}
    extra = mapping(given.pop("extra_body", {}), "extra_body")
    if "max_retries" in given:  # the name that OpenAI's SDK has for it
        given.setdefault("num_retries", given.pop("max_retries"))
    how = {name: given.pop(name) for name in Way.__struct_fields__ if name in given}
    if how.get("base_url") and how.get("custom_llm_provider"):
        model = f"{how['custom_llm_provider']}/{model.removeprefix(str(how['custom_llm_provider']) + '/')}"
    body = _encoded({"model": model, **words, **given, **extra})
    return Asked(model=model, surface=surface, stream="stream" in words, body=body, way=_way(how, given))


def setting(*names: str) -> str | None:
    """The first of these environment variables that is set."""
    return next((found for name in names if (found := environment().get(name))), None)


def _way(how: dict[str, object], parameters: Mapping[str, object]) -> Way:
    if isinstance(how.get("drop_params"), bool):
        how = {**how, "drop_params": tuple(parameters) if how["drop_params"] else ()}
    return way_of(how, Way)


def _encoded(value: object) -> bytes:
    try:
        return msgspec.json.encode(value, enc_hook=_as_json)
    except (TypeError, msgspec.MsgspecError) as exc:
        raise refused(f"An argument cannot be written as JSON: {exc}.", param="messages") from exc


def _as_json(value: object) -> object:
    """Pydantic's objects (messages of SDKs) and its classes (``response_format``), without importing it."""
    if isinstance(value, type):
        schema: object = getattr(value, "model_json_schema", None)
        if callable(schema):
            return {"type": "json_schema", "json_schema": {"name": value.__name__, "schema": schema()}}
    dump: object = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return {str(name): held for name, held in msgspec.convert(value, dict[str, object]).items()}
    raise TypeError(f"an object of type {type(value).__name__}")
