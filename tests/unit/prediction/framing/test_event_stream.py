import json
from base64 import b64encode
from operator import itemgetter
from struct import pack
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden.bedrock.framed import event, frame, header
from tests.splits import splits
from tuneway.errors import UpstreamError
from tuneway.prediction.framing.event_stream import LONGEST_HEADERS, LONGEST_PAYLOAD, EventStreamDecoder

STOP = event("messageStop", {"stopReason": "end_turn"})
STOPPED = b'{"messageStop":{"stopReason": "end_turn"}}'
NAME = st.text("abcdefgXYZ:-", min_size=1, max_size=20)
# A header of every type, with values of any bytes.
HEADER = st.one_of(
    st.tuples(NAME, st.sampled_from([b"\x00", b"\x01"])),
    *(
        st.tuples(NAME, st.binary(min_size=size, max_size=size).map(bytes([kind]).__add__))
        for kind, size in ((2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16))
    ),
    st.tuples(NAME, st.binary(max_size=40).map(lambda value: b"\x06" + pack(">H", len(value)) + value)),
    st.tuples(NAME, st.text(max_size=20).map(lambda text: b"\x07" + pack(">H", len(text.encode())) + text.encode())),
)


def events(*pieces: bytes) -> list[bytes]:
    decoder = EventStreamDecoder()
    return [told for piece in pieces for told in decoder.decode(piece)] + list(decoder.flush())


def outcome(*pieces: bytes) -> tuple[list[bytes], bool]:
    """The events up to an error, and whether there was one."""
    decoder, told = EventStreamDecoder(), list[bytes]()
    try:
        for piece in pieces:
            told.extend(decoder.decode(piece))
        told.extend(decoder.flush())
    except UpstreamError:
        return told, True
    return told, False


def prelude(length: int, headers: int) -> bytes:
    lengths = pack(">II", length, headers)
    return lengths + pack(">I", crc32(lengths))


def test_an_event_is_json_under_its_name() -> None:
    assert events(STOP + STOP) == [STOPPED, STOPPED]


def test_an_event_leaves_as_soon_as_it_is_whole() -> None:
    decoder = EventStreamDecoder()
    assert list(decoder.decode(STOP[:-1])) == []
    assert list(decoder.decode(STOP[-1:] + STOP[:3])) == [STOPPED]


def test_an_exception_is_told_by_its_name() -> None:
    assert events(event("throttlingException", {"message": "slow"})) == [b'{"throttlingException":{"message": "slow"}}']


def test_an_error_without_a_shape_is_told_too() -> None:
    headers = header(":message-type", "error") + header(":error-code", "Oops") + header(":error-message", "no")
    assert events(frame(headers, b"")) == [b'{"error":{"code":"Oops","message":"no"}}']


def test_an_event_without_a_payload_is_an_empty_object() -> None:
    assert events(frame(header(":message-type", "event") + header(":event-type", "ping"), b"")) == [b'{"ping":{}}']


def test_a_chunk_is_the_models_own_event() -> None:
    own = b'{"type":"message_stop"}'
    assert events(event("chunk", {"bytes": b64encode(own).decode()})) == [own]


@pytest.mark.parametrize("payload", [{"bytes": "*"}, {"bytes": 1}])
def test_a_chunk_that_is_none_is_an_error(payload: dict[str, object]) -> None:
    assert outcome(STOP + event("chunk", payload)) == ([STOPPED], True)


def test_the_events_before_a_damaged_frame_still_come() -> None:
    assert outcome(STOP + STOP[:-1] + b"\x00" + STOP) == ([STOPPED], True)


def test_a_damaged_stream_stays_damaged() -> None:
    decoder = EventStreamDecoder()
    for piece in (b"\x00" * 12, STOP):
        with pytest.raises(UpstreamError, match="damaged"):
            list(decoder.decode(piece))


def test_a_frame_cut_off_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="broke off"):
        events(STOP[:-1])


@pytest.mark.parametrize(
    ("length", "headers"),
    [
        (0, 0),
        (15, 0),
        (20, 5),
        (16 + LONGEST_PAYLOAD + 1, 0),
        (16 + LONGEST_HEADERS + 1, LONGEST_HEADERS + 1),
        (2**32 - 1, 0),
        (16, 2**32 - 1),
    ],
)
def test_an_impossible_length_is_not_waited_for(length: int, headers: int) -> None:
    with pytest.raises(UpstreamError, match="damaged"):
        list(EventStreamDecoder().decode(prelude(length, headers)))


def test_the_longest_frame_is_waited_for() -> None:
    assert list(EventStreamDecoder().decode(prelude(16 + LONGEST_HEADERS + LONGEST_PAYLOAD, LONGEST_HEADERS))) == []


@pytest.mark.parametrize(
    "headers", [b"\x05ab", b"\x01a", b"\x01a\x0a", b"\x01a\x07\x00\x09x", b"\x01\xff\x00", b"\x01a\x05\x00"]
)
def test_headers_that_cannot_be_read_are_an_error(headers: bytes) -> None:
    with pytest.raises(UpstreamError, match="damaged"):
        events(frame(headers, b"{}"))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.lists(HEADER, max_size=4, unique_by=itemgetter(0)), st.binary(max_size=60)), max_size=4),
    st.data(),
)
def test_frames_are_what_botocore_reads(
    drawn: list[tuple[list[tuple[str, bytes]], bytes]], data: st.DataObject
) -> None:
    kind = header(":message-type", "event") + header(":event-type", "e")
    others = [b"".join(bytes([len(name)]) + name.encode() + value for name, value in pairs) for pairs, _ in drawn]
    frames = [frame(kind + other, body) for other, (_, body) in zip(others, drawn, strict=True)]
    body = b"".join(frames)
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    expected = [b'{"e":%b}' % (message.payload or b"{}") for message in buffer]
    assert events(*data.draw(splits(body))) == expected


@settings(deadline=None)
@given(st.binary(max_size=30), st.integers(0, 200), st.data())
def test_any_split_of_damaged_bytes_gives_the_same_outcome(noise: bytes, place: int, data: st.DataObject) -> None:
    good = STOP + event("messageStart", {"role": "assistant"}) + STOP
    body = good[:place] + noise + good[place + len(noise) :]
    assert outcome(*data.draw(splits(body))) == outcome(body)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40)))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    outcome(*pieces)


def test_every_event_is_json() -> None:
    name = 'odd "name"'
    headers = header(":message-type", "event") + header(":event-type", name)
    assert json.loads(events(frame(headers, b"{}"))[0]) == {name: {}}
