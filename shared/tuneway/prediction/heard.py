"""What the caller is told, read again: whole answers and events of OpenAI's and Anthropic's APIs.

Only calls whose way depends on what was said are read so, and no more of them than that takes.
"""

import msgspec

_DATA = b"data: "
_WORDS = frozenset({"text", "thinking"})


class Said(msgspec.Struct, gc=False):
    """A message or delta of OpenAI's; a refusal is no answer."""

    content: object = None
    reasoning_content: object = None
    tool_calls: object = None
    function_call: object = None
    images: object = None

    @property
    def anything(self) -> bool:
        """Whether it says, thinks, calls or draws something."""
        return any((self.content, self.reasoning_content, self.tool_calls, self.function_call, self.images))


class Choice(msgspec.Struct, gc=False):
    """One of OpenAI's choices, or what is new of one."""

    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    text: str | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None

    @property
    def said(self) -> bool:
        """Whether it holds anything."""
        words = self.message or self.delta or Said()
        return bool(self.text) or words.anything

    @property
    def end(self) -> str | None:
        """The word for its end, the host's own first."""
        return self.native_finish_reason or self.finish_reason


class Block(msgspec.Struct, gc=False):
    """A block of Anthropic's, or what is new of one, or of the message."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    stop_reason: str | None = None

    @property
    def said(self) -> bool:
        """Whether it holds anything."""
        return bool(self.text or self.thinking or self.partial_json)


class Told(msgspec.Struct, gc=False):
    """A whole answer or an event, in either language."""

    choices: list[Choice] = []
    content: list[Block] = []
    content_block: Block | None = None
    delta: Block | None = None
    stop_reason: str | None = None
    error: object = None

    @property
    def said(self) -> bool:
        """Whether it holds words, thoughts, calls, or an error, which is the caller's to see."""
        blocks = [*self.content, *([self.delta] if self.delta else [])]
        opened = self.content_block
        return (
            self.error is not None
            or any(choice.said for choice in self.choices)
            or any(block.said or block.type == "tool_use" for block in blocks)
            or (opened is not None and (opened.said or opened.type not in _WORDS))
        )

    @property
    def ends(self) -> list[str]:
        """The words for the end of each choice that has ended."""
        message = self.stop_reason or (self.delta.stop_reason if self.delta else None)
        found = [choice.end for choice in self.choices] if self.choices else [message]
        return [end for end in found if end is not None]


_DECODER = msgspec.json.Decoder(Told)
# What is put in words that nobody here knows: it is the caller's to see, whatever it says.
_UNREAD = Said(content=True)


def answer_in(body: bytes) -> Told:
    """A whole answer or one event; one that cannot be read so says something."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Told(choices=[Choice(message=_UNREAD)])


def events_in(piece: bytes) -> list[Told]:
    """The events of a piece, which are whole."""
    lines = [line.removeprefix(_DATA) for line in piece.split(b"\n") if line.startswith(_DATA)]
    return [answer_in(line) for line in lines if line != b"[DONE]"]
