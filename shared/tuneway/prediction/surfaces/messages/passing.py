"""Anthropic's words to a target that speaks them: the caller's own JSON passes, new fields and all.

Only the model's name changes, on the way there to the target's and on the way back to the caller's; tokens are counted
in passing. ``anthropic-beta`` passes too, with what the target's profile asks for.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from tuneway.errors import UpstreamError
from tuneway.prediction.dialects.anthropic.response import Counts, fault_of, usage_of
from tuneway.prediction.dialects.anthropic.stream import counted, event_of
from tuneway.prediction.hub.answer import Usage
from tuneway.prediction.profiles import model_name, profile_of
from tuneway.prediction.surfaces.messages.events import sse
from tuneway.prediction.surfaces.messages.request import fields_of
from tuneway.prediction.upstream_errors import broken
from tuneway.routing.routes import Target

BETA_HEADER = "anthropic-beta"


class _Answer(msgspec.Struct):
    type: str = ""
    usage: Counts | None = None


class _Start(msgspec.Struct):
    message: dict[str, Raw]


_ANSWERS = msgspec.json.Decoder(_Answer)
_STARTS = msgspec.json.Decoder(_Start)


def passed_request(body: bytes, target: Target) -> dict[str, object]:
    """The body for the target, without what its route drops; ``body`` has been read as an envelope before."""
    fields = {name: value for name, value in fields_of(body).items() if name not in target.drop_params}
    return {**fields, "model": model_name(target)}


def betas(headers: Mapping[str, str], target: Target) -> str | None:
    """The value of ``anthropic-beta``: the caller's and the profile's, each once; header names are lower-case."""
    asked = [beta.strip() for beta in headers.get(BETA_HEADER, "").split(",")]
    return ",".join(dict.fromkeys(beta for beta in (*asked, *profile_of(target).betas) if beta)) or None


def passed_answer(body: bytes, *, model: str) -> tuple[bytes, Usage]:
    """The answer under the name the caller used, and its tokens. Raises UpstreamError when it is none."""
    try:
        answer = _ANSWERS.decode(body)
        fields = fields_of(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise fault_of(body) from None
    if answer.type != "message":
        raise fault_of(body)
    return msgspec.json.encode({**fields, "model": model}), usage_of(answer.usage or Counts())


class PassedEvents:
    """Events in, the same events out; ``usage`` is what was counted so far."""

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._counts = Counts()
        self._ended = False

    @property
    def usage(self) -> Usage:
        """The tokens counted so far."""
        return usage_of(self._counts)

    def decode(self, event: bytes) -> bytes:
        """The event on the wire. Raises UpstreamError when it is an error or no event."""
        told = event_of(event)
        self._counts = counted(self._counts, told)
        self._ended = self._ended or told.type == "message_stop"
        named = self._renamed(event) if told.message is not None else event
        return sse(told.type, named.replace(b"\n", b" "))  # an event of several lines; in texts their ends are escaped

    def flush(self) -> bytes:
        """Nothing. Raises UpstreamError when the body ended before the message did."""
        if not self._ended:
            raise self._cut()
        return b""

    def _renamed(self, event: bytes) -> bytes:
        message = _STARTS.decode(event).message
        return msgspec.json.encode({**fields_of(event), "message": {**message, "model": self._model}})

    @staticmethod
    def _cut() -> UpstreamError:
        return broken("The model's host broke off in the middle of the answer. Try again.")
