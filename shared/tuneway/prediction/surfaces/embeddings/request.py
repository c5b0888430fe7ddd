"""``/v1/embeddings``: read a request.

Shape and limits: OpenAI's published OpenAPI document, ``CreateEmbeddingRequest``. Beyond it four fields are taken
(an SDK sends them with ``extra_body``), because the models behind have them and a good retrieval needs them:

| field | means |
|---|---|
| ``task_type``, or Cohere's name for it ``input_type`` | what the vector is for, in either's words (``TASKS``) |
| ``title`` | the document's title (Google, with ``RETRIEVAL_DOCUMENT``) |
| ``truncate`` | ``NONE`` (the default: too long an input is an error, as at OpenAI), ``START`` or ``END`` |
| ``normalize`` | whether vectors have length 1 (Titan; the default is true) |
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tuneway.errors import BadInput
from tuneway.prediction.hub.decode import with_unknown
from tuneway.prediction.hub.fit import unsupported_by
from tuneway.prediction.surfaces.texts import Tokens, require_one_kind, texts_in
from tuneway.routing.routes import Target

Truncate = Literal["NONE", "START", "END"]

# Google's word and Cohere's for the same purpose; a caller may use either.
TASKS: dict[str, tuple[str, str]] = {
    "RETRIEVAL_DOCUMENT": ("RETRIEVAL_DOCUMENT", "search_document"),
    "RETRIEVAL_QUERY": ("RETRIEVAL_QUERY", "search_query"),
    "CLASSIFICATION": ("CLASSIFICATION", "classification"),
    "CLUSTERING": ("CLUSTERING", "clustering"),
    "SEARCH_DOCUMENT": ("RETRIEVAL_DOCUMENT", "search_document"),
    "SEARCH_QUERY": ("RETRIEVAL_QUERY", "search_query"),
    "SEMANTIC_SIMILARITY": ("SEMANTIC_SIMILARITY", ""),
    "QUESTION_ANSWERING": ("QUESTION_ANSWERING", ""),
    "FACT_VERIFICATION": ("FACT_VERIFICATION", ""),
    "CODE_RETRIEVAL_QUERY": ("CODE_RETRIEVAL_QUERY", ""),
}


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request; None is an absent field. ``unknown`` names fields that only a server of its own may know."""

    model: Annotated[str, Meta(min_length=1)]
    input: str | Annotated[list[str | int | Tokens], Meta(min_length=1, max_length=2048)]
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None
    task_type: str | None = None
    input_type: str | None = None
    title: str | None = None
    truncate: Truncate | None = None
    normalize: bool | None = None
    unknown: tuple[str, ...] = ()


_KNOWN = frozenset(field.name for field in msgspec.structs.fields(EmbeddingRequest)) - {"unknown"}
_OPTIONAL = _KNOWN - {"model", "input", "encoding_format"}


def decode_embedding_request(body: bytes) -> EmbeddingRequest:
    """The request. Raises BadInput with ``param`` when JSON, a type or a range is wrong."""
    request = with_unknown(body, EmbeddingRequest, needs="input")
    require_one_kind(request.input, "input")
    return request


def fitted(request: EmbeddingRequest, unsupported: Sequence[str], target: Target) -> EmbeddingRequest:
    """The request without what the route drops. Raises BadInput for anything else the target cannot express."""
    drop = target.drop_params
    kept = msgspec.structs.replace(request, **{name: None for name in drop if name in _OPTIONAL})
    unseen = [name for name in unsupported if getattr(kept, name) is not None]
    for name in [*unseen, *(name for name in request.unknown if name not in drop)]:
        raise refused(name, request)
    return kept


def refused(name: str, request: EmbeddingRequest, why: str = "") -> BadInput:
    """The refusal of a parameter that this target cannot express."""
    return unsupported_by(request.model, name, why=why)


def texts_of(request: EmbeddingRequest) -> list[str]:
    """The inputs as texts. Raises BadInput for tokens, which only the model's own server can read."""
    return texts_in(request.input, "input", model=request.model)


def task_of(request: EmbeddingRequest) -> tuple[str, str] | None:
    """Google's and Cohere's words for the purpose ("" where one has none). Raises BadInput for an unknown one."""
    field = "input_type" if request.task_type is None else "task_type"
    named: str | None = getattr(request, field)
    if named is None:
        return None
    task = TASKS.get(named.upper())
    if task is None:
        known = ", ".join(sorted(TASKS))
        raise BadInput(f"Invalid '{field}': '{named}' is none of {known}.", param=field, code="invalid_value")
    return task


def batches(texts: Sequence[str], *, most: int, characters: int) -> Iterator[list[str]]:
    """The texts in order, cut into batches that a host takes in one call; a text that is too long goes alone."""
    batch: list[str] = []
    room = characters
    for text in texts:
        if batch and (len(batch) == most or len(text) > room):
            yield batch
            batch, room = [], characters
        batch.append(text)
        room -= len(text)
    if batch:
        yield batch
