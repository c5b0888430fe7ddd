"""openai → openai: a server's stream passed to the caller, each event as it came but for the name of the model.

What a caller of OpenAI relies on holds whatever the server forgets: one finish for each choice, the usage only where
it was asked for and then in a last chunk of its own, ``[DONE]`` at the end. Every event is checked by one typed decode;
one that is not what OpenAI's document says is made so (``cleaning.py``).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from tuneway.prediction.dialects.openai.cleaning import clean_chunk
from tuneway.prediction.dialects.openai.counts import Counted, estimated, usage_in, usage_of
from tuneway.prediction.dialects.openai.exact import ExactLogprobs
from tuneway.prediction.dialects.openai.passage import Kind, Passage
from tuneway.prediction.dialects.openai.response import fields_of
from tuneway.prediction.dialects.openai.values import Fields, objects_in
from tuneway.prediction.hub.answer import DONE, Usage
from tuneway.prediction.upstream_errors import broken

END = b"[DONE]"
_NULL_USAGE = b',"usage":null'
_FRAME = frozenset({"id", "object", "created", "model", "choices", "usage"})


class _Function(msgspec.Struct, gc=False):
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class _Piece(msgspec.Struct, gc=False):
    index: int
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = UNSET
    function: _Function | UnsetType = UNSET


class _Delta(msgspec.Struct, gc=False):
    """A delta as the document has it; thoughts under another name make it another."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET
    tool_calls: list[_Piece] | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning: UnsetType = UNSET
    function_call: dict[str, str] | UnsetType = UNSET


class _Choice(msgspec.Struct, gc=False):
    index: int
    delta: _Delta
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | None
    logprobs: ExactLogprobs | UnsetType | None = UNSET

    @property
    def said(self) -> str | UnsetType | None:
        """What is new, or of the thoughts."""
        return self.delta.content or self.delta.reasoning_content


class _TextChoice(msgspec.Struct, gc=False):
    index: int
    text: str
    finish_reason: Literal["stop", "length", "content_filter"] | None
    logprobs: Raw | None

    @property
    def said(self) -> str:
        """What is new."""
        return self.text


class _Head(msgspec.Struct, gc=False):
    id: Annotated[str, Meta(min_length=1)]
    created: int
    model: str
    usage: Counted | UnsetType | None = UNSET
    system_fingerprint: str | UnsetType = UNSET
    error: UnsetType = UNSET


class _Chunk(_Head, kw_only=True, gc=False):
    object: Literal["chat.completion.chunk"]
    choices: list[_Choice]


class _TextChunk(_Head, kw_only=True, gc=False):
    object: Literal["text_completion"]
    choices: list[_TextChoice]


_CLEAN: dict[Kind, msgspec.json.Decoder[_Chunk] | msgspec.json.Decoder[_TextChunk]] = {
    "chat": msgspec.json.Decoder(_Chunk),
    "text": msgspec.json.Decoder(_TextChunk),
}
_RAW_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_ENCODER = msgspec.json.Encoder()


class StreamPass:
    """Events in, server-sent events for the caller out, ``[DONE]`` included; ``usage`` is what was counted so far."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._clean = _CLEAN[passage.kind]
        self._named = b'"model":%b' % _ENCODER.encode(passage.model)
        self._renames: tuple[str, tuple[bytes, ...]] = (passage.model, ())
        self._head: Fields = {}
        self._early: Fields = {}
        self._open: set[int] = set()
        self._closed: set[int] = set()
        self._counted: Usage | None = None
        self._shown = False
        self._written = 0
        self._done = False

    @property
    def usage(self) -> Usage:
        """The tokens so far, estimated where the server counted none."""
        return self._counted or estimated(self._passage.body, self._written)

    def decode(self, event: bytes) -> bytes:
        """What one event is to the caller, possibly nothing. Raises UpstreamError when it is an error or no answer."""
        if self._done:
            return b""
        if event == END:
            return self._end()
        try:
            chunk = self._clean.decode(event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._mended(fields_of(event))
        if chunk.usage:
            return self._counting(event, chunk.usage, alone=not chunk.choices)
        if not self._head and self._begins_otherwise(chunk):
            return self._mended(fields_of(event))
        for choice in chunk.choices:
            self._heard(choice.index, choice.said, closed=choice.finish_reason is not None)
        if chunk.usage is None and not self._passage.shows_usage:
            event = event.replace(_NULL_USAGE, b"", 1)
        return b"data: %b\n\n" % self._renamed(event, chunk.model)

    def _begins_otherwise(self, chunk: _Chunk | _TextChunk) -> bool:
        """Whether the first chunk is not what an answer begins with, or more goes with it; its head is kept."""
        if not chunk.choices:
            return True
        self._head = {"id": chunk.id, "created": chunk.created}
        return bool(self._early)

    def flush(self) -> bytes:
        """What the end of the body brings. Raises UpstreamError when it came before a finish."""
        if self._done:
            return b""
        if self._open - self._closed:
            raise broken("The model's host broke off in the middle of the answer. Try again.")
        return self._end()

    def _end(self) -> bytes:
        """The finishes and the usage that are still owed, and the mark of the end."""
        if not self._open:
            raise broken("The model's host closed the stream without an answer. Try again.")
        self._done = True
        owed = [self._finish(index) for index in sorted(self._open - self._closed)]
        if self._passage.shows_usage and not self._shown:
            owed.append(self._event({"choices": [], "usage": self.usage}))
        return b"".join(owed) + DONE

    def _finish(self, index: int) -> bytes:
        return self._event({"choices": [{"index": index, "finish_reason": "stop"}]})

    def _event(self, fields: Fields) -> bytes:
        """A chunk made of ``fields``, under the same id as the others."""
        return b"data: %b\n\n" % _ENCODER.encode(clean_chunk({**self._head, **fields}, self._passage))

    def _heard(self, index: int, said: object, *, closed: bool) -> None:
        self._open.add(index)
        if closed:
            self._closed.add(index)
        if isinstance(said, str):
            self._written += len(said)

    def _counting(self, event: bytes, counted: Counted, *, alone: bool) -> bytes:
        """An event with the usage: shown in a chunk of its own, to those who asked."""
        if not alone:
            return self._mended(fields_of(event))
        self._counted = usage_of(counted)
        if not self._passage.shows_usage:
            return b""
        self._shown = True
        return self._event(fields_of(event))

    def _mended(self, fields: Fields) -> bytes:
        """An event that is not quite OpenAI's; its usage waits for the end unless every chunk was to have one.

        What is said before any choice (Azure's findings about the prompt) goes with the first: code that was written
        for OpenAI reads ``choices[0]`` of all chunks but the usage's.
        """
        self._counted = usage_in(fields.get("usage")) or self._counted
        if not self._open and fields["choices"] == [] and "usage" not in fields:
            self._early = {**self._early, **{name: said for name, said in fields.items() if name not in _FRAME}}
            return b""
        clean = clean_chunk({**self._early, **fields}, self._passage)
        self._early = {}
        for choice in objects_in(clean["choices"]):
            delta = next(iter(objects_in(choice.get("delta"))), choice)
            said = delta.get("content") or delta.get("reasoning_content") or delta.get("text")
            self._heard(int(str(choice["index"])), said, closed=choice["finish_reason"] is not None)
        if not self._passage.continuous:
            clean = {name: value for name, value in clean.items() if name != "usage"}
        if not clean["choices"] and "usage" in fields:
            return b""
        return b"data: %b\n\n" % _ENCODER.encode(clean)

    def _renamed(self, event: bytes, model: str) -> bytes:
        """The event under the caller's name of the model, by one replacement where that is safe."""
        known, patterns = self._renames
        if model != known:
            name = _ENCODER.encode(model)
            patterns = (b'"model":%b' % name, b'"model": %b' % name)
            self._renames = (model, patterns)
        if b"\n" in event:  # an event of several lines; inside of texts a line's end is escaped
            event = event.replace(b"\n", b" ")
        for pattern in patterns:
            if event.count(pattern) == 1:
                return event.replace(pattern, self._named)
        return event if model == self._passage.model else self._reframed(event)

    def _reframed(self, event: bytes) -> bytes:
        fields = _RAW_FIELDS.decode(event)
        fields["model"] = Raw(_ENCODER.encode(self._passage.model))
        return _ENCODER.encode(fields)
