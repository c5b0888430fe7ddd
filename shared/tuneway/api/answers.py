"""Answers as objects: ``r.choices[0].message.content``, ``r["choices"][0]["message"]`` and ``r.model_dump()``.

Every answer is a dictionary of what was received, so fields that nobody here has heard of are there too. The
annotations say which fields there usually are; one of them that is absent is None.
"""

import json
from collections.abc import Mapping
from typing import ClassVar, Self, TypeVar

import msgspec
from typing_extensions import override

from tuneway.api.errors import InternalServerError

Parts = Mapping[str, type["Record"]]
R = TypeVar("R", bound="Record")


class Record(dict[str, object]):
    """A JSON object whose fields are attributes too; ``parts`` says which classes the objects inside are of."""

    parts: ClassVar[Parts] = {}

    def __init__(self, fields: Mapping[str, object]) -> None:
        super().__init__({name: _held(value, self.parts.get(name, Record)) for name, value in fields.items()})

    @classmethod
    def from_json(cls, body: bytes | str) -> Self:
        """The answer in a body. Raises msgspec.DecodeError."""
        return cls(msgspec.json.decode(body, type=dict[str, object]))

    def __getattr__(self, name: str) -> object:
        """The field of that name; None for one that is absent but usual. Raises AttributeError."""
        if name in self:
            return self[name]
        if not name.startswith("_") and any(name in kind.__annotations__ for kind in type(self).__mro__[:-2]):
            return None
        raise AttributeError(f"'{type(self).__name__}' has no field '{name}'")

    @override
    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def model_dump(
        self, *, mode: str = "python", exclude_none: bool = False, exclude_unset: bool = False
    ) -> dict[str, object]:
        """Plain dictionaries and lists; in either ``mode`` they are JSON's, and only what was received is in them."""
        del mode, exclude_unset  # what SDKs pass on: nothing here differs by it
        return {
            name: _plain(value, exclude_none) for name, value in self.items() if not exclude_none or value is not None
        }

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False) -> str:
        """The same as JSON."""
        return json.dumps(self.model_dump(exclude_none=exclude_none), indent=indent, ensure_ascii=False)

    def to_dict(self) -> dict[str, object]:
        """As ``model_dump``."""
        return self.model_dump()

    def json(self) -> dict[str, object]:
        """As ``model_dump``, which is what LiteLLM's answers give."""
        return self.model_dump()


class Function(Record):
    """The function a model calls; ``arguments`` is JSON."""

    name: str | None
    arguments: str


class ToolCall(Record):
    """A call, or in a stream a piece of one."""

    id: str | None
    type: str | None
    index: int | None
    function: Function
    parts: ClassVar[Parts] = {"function": Function}


class Message(Record):
    """What the model says; it can be put into the next call's ``messages`` as it is."""

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None
    tool_calls: list[ToolCall] | None
    parts: ClassVar[Parts] = {"tool_calls": ToolCall}


class Choice(Record):
    """One of the answers."""

    index: int
    message: Message
    finish_reason: str
    logprobs: Record | None
    parts: ClassVar[Parts] = {"message": Message}


class Usage(Record):
    """Tokens; ``estimated`` is True where the model's host counted none."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: Record | None
    completion_tokens_details: Record | None
    estimated: bool | None


class ModelResponse(Record):
    """A whole answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    parts: ClassVar[Parts] = {"choices": Choice, "usage": Usage}


class Delta(Record):
    """What a chunk adds to an answer."""

    role: str | None
    content: str | None
    refusal: str | None
    reasoning_content: str | None
    tool_calls: list[ToolCall] | None
    parts: ClassVar[Parts] = {"tool_calls": ToolCall}


class StreamingChoice(Record):
    """One of the answers a chunk adds to."""

    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: Record | None
    parts: ClassVar[Parts] = {"delta": Delta}


class ModelResponseStream(Record):
    """A chunk of a streamed answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[StreamingChoice]
    usage: Usage | None
    parts: ClassVar[Parts] = {"choices": StreamingChoice, "usage": Usage}


class Embedding(Record):
    """The vector of one input; a base64 text where that was asked for."""

    object: str
    index: int
    embedding: list[float]


class EmbeddingResponse(Record):
    """The vectors, in the order of the inputs."""

    object: str
    data: list[Embedding]
    model: str
    usage: Usage
    parts: ClassVar[Parts] = {"data": Embedding, "usage": Usage}


class FineTuningJob(Record):
    """A tuning job as OpenAI shows it; ``progress`` is from 0 to 1, ``tuneway`` holds what more is known."""

    id: str
    object: str
    model: str
    status: str
    created_at: int
    finished_at: int | None
    fine_tuned_model: str | None
    training_file: str
    validation_file: str | None
    trained_tokens: int | None
    progress: float | None
    estimated_finish: int | None
    hyperparameters: Record | None
    method: Record | None
    metadata: Record | None
    error: Record | None
    tuneway: Record | None


class FineTuningJobs(Record):
    """A page of jobs, the newest first."""

    object: str
    data: list[FineTuningJob]
    has_more: bool
    parts: ClassVar[Parts] = {"data": FineTuningJob}


class CostEstimate(Record):
    """What tuning will cost, in USD, and how long it takes; ``label`` says how sure that is.

    ``amount`` is the interval for people, ``dataset`` what the file holds, ``duration`` None without past jobs.
    """

    model: str
    amount: str | None
    usd_low: float | None
    usd_high: float | None
    currency: str
    label: str
    stand_in: bool
    tokens_low: int
    tokens_high: int
    epochs: int
    price_source: str | None
    price_as_of: str | None
    notes: list[str]
    duration: Record | None
    dataset: Record | None
    validation_dataset: Record | None


def read(kind: type[R], body: bytes) -> R:
    """The answer in a body. Raises InternalServerError."""
    try:
        return kind.from_json(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InternalServerError("The answer is no JSON object. Check the address.", status_code=502) from exc


def _held(value: object, kind: type[Record]) -> object:
    if isinstance(value, Record):
        return value
    if isinstance(value, dict):
        return kind(msgspec.convert(value, dict[str, object]))
    if isinstance(value, list):
        return [_held(item, kind) for item in msgspec.convert(value, list[object])]
    return value


def _plain(value: object, exclude_none: bool) -> object:  # noqa: FBT001
    if isinstance(value, Record):
        return value.model_dump(exclude_none=exclude_none)
    if isinstance(value, list):
        return [_plain(item, exclude_none) for item in msgspec.convert(value, list[object])]
    return value
