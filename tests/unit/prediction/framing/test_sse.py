import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.splits import splits
from tuneway.errors import UpstreamError
from tuneway.prediction.framing.sse import LONGEST_EVENT, SseDecoder


def events(*pieces: bytes) -> list[bytes]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.decode(piece)] + decoder.flush()


BODIES = [
    b'data: {"a": 1}\n\ndata: {"b": 2}\n\n',
    b'data: {"a": 1}\r\n\r\ndata:{"b": 2}\r\n\r\n',
    b'\xef\xbb\xbfdata: {"a": 1}\r\rdata: {"b": 2}\r\r',
    b': hi\n\nevent: x\nid: 1\nretry: 5\ndata: {"a": 1}\n\n\n\n: ping\n\ndata: {"b": 2}',
]
LINE = st.sampled_from(
    [
        b"data: x",
        b"data:y",
        b"data",
        b"data:",
        b"data: ",
        b"data: \xc3\xa9",
        b": c",
        b"event: e",
        b"",
        b'{"e": 1}',
        b"[",
        b"junk",
    ]
)
END = st.sampled_from([b"\n", b"\r\n", b"\r"])


def test_every_way_to_end_a_line_gives_the_same_events() -> None:
    assert [events(body) for body in BODIES] == [[b'{"a": 1}', b'{"b": 2}']] * 4


def test_several_data_lines_are_one_event() -> None:
    assert events(b"data: a\ndata: b\n\n") == [b"a\nb"]


def test_an_event_leaves_as_soon_as_it_is_whole() -> None:
    decoder = SseDecoder()
    assert decoder.decode(b"data: a\r") == []
    assert decoder.decode(b"\r") == [b"a"]
    assert decoder.decode(b"data: b\r\n\r") == [b"b"]
    assert decoder.decode(b"\ndata: c\n") == []
    assert decoder.decode(b"\n") == [b"c"]


def test_bare_json_is_one_event_at_the_end() -> None:
    body = b'[{\n "error":\r\n\r\n {"code": 429}}]\n'
    assert events(body) == [b'[{\n "error":\n\n {"code": 429}}]']


def test_bare_json_after_events_is_handed_over() -> None:
    assert events(b'data: a\n\n{"error":\n\n', b"1}\n") == [b"a", b'{"error":\n\n1}']


def test_nothing_gives_nothing() -> None:
    assert events() == events(b"") == events(b"\n\n\n") == []


def test_an_event_cut_off_is_handed_over() -> None:
    assert events(b'data: {"a"') == [b'{"a"']


@settings(deadline=None)
@given(st.lists(st.tuples(LINE, END)), st.data())
def test_any_split_gives_the_same_events(lines: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    body = b"".join(line + end for line, end in lines)
    assert events(*data.draw(splits(body))) == events(body)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=8)))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    assert events(*pieces) == events(b"".join(pieces))


@pytest.mark.parametrize("start", [b"data: ", b"[", b"data: a\n\ndata: "])
def test_an_event_without_an_end_is_a_fault(start: bytes) -> None:
    with pytest.raises(UpstreamError):
        events(start, *[b"x" * 2**20] * (LONGEST_EVENT // 2**20 + 1))


def test_many_events_together_may_be_longer_than_any() -> None:
    decoder = SseDecoder()
    arrivals = [decoder.decode(b"data: " + b"x" * 2**20 + end) for _ in range(30) for end in (b"", b"\n\n")]
    assert sum(len(events) for events in arrivals) == 30


@pytest.mark.parametrize("silence", [b"data: \n\n", b"data:\n\n", b"event: ping\ndata:\n\n", b"data: \r\n\r\n"])
def test_data_that_is_empty_only_keeps_the_connection(silence: bytes) -> None:
    assert events(silence, b"data: a\n\n", silence) == events(silence + b"data: a\n\n" + silence) == [b"a"]
