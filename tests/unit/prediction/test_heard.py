"""Events in words that nobody here knows are the caller's to see."""

import pytest

from tuneway.prediction.heard import answer_in, events_in


@pytest.mark.parametrize("event", [b'{"choices":null}', b'{"choices":[{"index":null}]}', b"no JSON", b'"\xff"'])
def test_what_cannot_be_read_says_something(event: bytes) -> None:
    assert answer_in(event).said
    [told] = events_in(b"data: " + event + b"\n\ndata: [DONE]\n\n")
    assert (told.said, told.ends) == (True, [])


def test_what_says_nothing_still_says_nothing() -> None:
    assert not answer_in(b'{"choices":[{"index":0,"delta":{"content":""}}]}').said
