"""Read a request of Anthropic's ``count_tokens``: a message's request without a limit, never answered but measured.

Source of the shape: Anthropic's API reference, ``MessageCountTokensParams``.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from tuneway.prediction.hub.decode import broken_json
from tuneway.prediction.hub.request import ChatRequest
from tuneway.prediction.surfaces.messages.chat import to_chat
from tuneway.prediction.surfaces.messages.request import bad_field, decode_messages_request, fields_of

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ENCODER = msgspec.json.Encoder()
_LIMIT = Raw(b"1000000")  # what a message's request must have, and no count depends on


class _Envelope(msgspec.Struct, frozen=True):
    model: Annotated[str, Meta(min_length=1)]
    messages: Raw


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be measured: its body, the model it names, Anthropic's own headers."""

    body: bytes
    model: str
    headers: Mapping[str, str] = {}

    def fields(self, drop: tuple[str, ...]) -> dict[str, Raw]:
        """The top-level fields, each as its own JSON, without those a route drops."""
        return {name: value for name, value in fields_of(self.body).items() if name not in drop}

    def chat(self) -> ChatRequest:
        """The same in the hub's words, for hosts with words of their own. Raises BadInput naming the field."""
        body = _ENCODER.encode({**fields_of(self.body), "max_tokens": _LIMIT})
        return to_chat(decode_messages_request(body))


def measured(body: bytes, headers: Mapping[str, str]) -> Measured:
    """The request. Raises BadInput naming the field."""
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except msgspec.ValidationError as exc:
        raise bad_field(str(exc)) from exc
    except _BROKEN as exc:
        raise broken_json(exc) from exc
    return Measured(body=body, model=envelope.model, headers=headers)
