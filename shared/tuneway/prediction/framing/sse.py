"""Cut server-sent events from bytes: any split of the bytes gives the same events.

An event is the joined ``data`` of its lines. Lines end with LF, CRLF or CR; comments and other fields are passed
over. A body that is JSON without ``data:`` (how hosts report errors) is one event, handed over at its end.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, except that an event cut off by the end of
the body is still handed over: a broken stream shall be seen as broken.
"""

from tuneway.prediction.upstream_errors import broken

LONGEST_EVENT = 25_165_824  # bytes: as much as the longest payload of the event stream

_BOM = b"\xef\xbb\xbf"
_FIELD = b"data: "
_JSON_STARTS = (b"{", b"[")


class SseDecoder:
    """Bytes in, event data out."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._size = 0
        self._ends_with_cr = False
        self._ends_with_lf = False
        self._first = True
        self._bare = False

    def decode(self, data: bytes) -> list[bytes]:
        """The events that ``data`` completes. Raises UpstreamError for one that has no end."""
        if not self._size and _is_one_event(data) and not self._bare:  # nearly every arrival of a live stream
            self._first = self._ends_with_cr = False
            self._ends_with_lf = True
            return [data[6:-2]]
        if b"\r" in data or self._ends_with_cr:
            data = self._with_lf(data)
        pending = self._pending
        whole = b"\n\n" in data or (self._ends_with_lf and data.startswith(b"\n"))
        pending.append(data)
        if data:
            self._ends_with_lf = data.endswith(b"\n")
        if not whole or self._bare:
            self._size += len(data)
            if self._size > LONGEST_EVENT:
                raise broken("The model's host sent more than any event holds.")
            return []
        *blocks, rest = b"".join(pending).split(b"\n\n")
        pending[:] = [rest]
        self._size = len(rest)
        return self._events(blocks)

    def flush(self) -> list[bytes]:
        """What the end of the body completes."""
        events = [] if self._bare else self._events([self._drained()])
        return [*events, self._drained().strip()] if self._bare else events

    def _drained(self) -> bytes:
        rest = b"".join(self._pending)
        self._pending.clear()
        return rest

    def _with_lf(self, data: bytes) -> bytes:
        """CRLF and CR as LF at once; the LF of a CRLF that was cut in two is dropped when it comes."""
        if self._ends_with_cr and data.startswith(b"\n"):
            data = data[1:]
            self._ends_with_cr = False
        if data:
            self._ends_with_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, blocks: list[bytes]) -> list[bytes]:
        """The data of each block; from the first block of bare JSON on, everything is kept for ``flush``."""
        events: list[bytes] = []
        if self._first and blocks:
            blocks[0] = blocks[0].removeprefix(_BOM)
            self._first = False
        for position, block in enumerate(blocks):
            if block.startswith(_FIELD) and b"\n" not in block and len(block) > len(_FIELD):
                events.append(block[6:])
            elif block.lstrip().startswith(_JSON_STARTS):
                self._bare = True
                self._pending[:] = [b"\n\n".join([*blocks[position:], *self._pending])]
                return events
            elif data := _data(block):  # empty data keeps a connection alive and says nothing
                events.append(data)
        return events


def _is_one_event(data: bytes) -> bool:
    """Whether the bytes are one event of one line that says something, and nothing else."""
    return (
        data.find(b"\n") == len(data) - 2 > len(_FIELD)
        and data.endswith(b"\n")
        and data.startswith(_FIELD)
        and b"\r" not in data
    )


def _data(block: bytes) -> bytes:
    """The ``data`` lines of a block, joined."""
    return b"\n".join([line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")])
