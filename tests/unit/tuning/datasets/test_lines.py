from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.datasets.lines import Line, LineDecoder, Overlong


def lines(*chunks: bytes, bound: int = 100) -> list[Line]:
    decoder = LineDecoder(bound)
    return [*(line for chunk in chunks for line in decoder.decode(chunk)), *decoder.flush()]


def test_a_line_ends_at_its_line_feed() -> None:
    assert lines(b"a\n\nb\r\nc") == [b"a", b"", b"b\r", b"c"]


def test_a_last_line_feed_opens_no_line() -> None:
    assert lines(b"a\n") == [b"a"]
    assert lines() == []


def test_a_line_above_the_bound_is_skipped_and_the_next_one_read() -> None:
    assert lines(b"abcd\nefg\n", bound=3) == [Overlong(b"abc", 4), b"efg"]


@given(st.lists(st.sampled_from([b"a", b"bb", b"\n", b"cccccc", b"d\ne", b""])), st.integers(1, 7))
def test_any_split_of_the_bytes_gives_the_same_lines(chunks: list[bytes], bound: int) -> None:
    whole = lines(b"".join(chunks), bound=bound)
    assert lines(*chunks, bound=bound) == whole
    assert all(len(line) <= bound for line in whole if isinstance(line, bytes))
