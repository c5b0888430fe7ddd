"""A call that is passed on as it is: what has to be known of it, read without reading the conversation."""

from typing import Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.bad_fields import bad_field
from tuneway.prediction.hub.decode import broken_json

Kind = Literal["chat", "text"]


class Options(msgspec.Struct, frozen=True, gc=False):
    """``stream_options``; ``continuous_usage_stats`` is vLLM's usage in every chunk."""

    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What a body asks for, as far as a gateway has to know; the conversation is not looked at."""

    model: str
    stream: bool | None = None
    stream_options: Options | None = None
    n: object = None


class Passage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call under way: the caller's ``body`` and name of the model, the id and Unix time for an answer without.

    ``shows_usage`` and ``continuous`` say whether the caller asked to see the tokens of a stream, and of each chunk,
    ``several`` whether the body asks for anything but one choice.
    """

    kind: Kind = "chat"
    body: bytes
    model: str
    id: str
    created: int
    stream: bool = False
    shows_usage: bool = False
    continuous: bool = False
    several: bool = False

    def call_id(self, choice: int, position: int) -> str:
        """An id for a tool call that came without one, the same on every replay."""
        return f"call_{self.id.rpartition('-')[2]}_{choice}_{position}"


_DECODER = msgspec.json.Decoder(Asked)


def asked_of(body: bytes) -> Asked:
    """What a body asks for. Raises BadInput with ``param``."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise broken_json(exc) from exc


def passage_of(body: bytes, *, answer_id: str, created: int, kind: Kind = "chat") -> Passage:
    """The passage of a body. Raises BadInput with ``param``."""
    asked = asked_of(body)
    if not asked.model:
        raise BadInput("Invalid 'model': expected the name of a model.", param="model", code="invalid_value")
    options = asked.stream_options or Options()
    return Passage(
        kind=kind,
        body=body,
        model=asked.model,
        id=answer_id,
        created=created,
        stream=asked.stream is True,
        shows_usage=options.include_usage is True,
        continuous=options.continuous_usage_stats is True,
        several=asked.n is not None and asked.n != 1,
    )
