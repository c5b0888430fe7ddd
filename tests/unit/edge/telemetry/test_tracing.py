"""Trace contexts: W3C's and Google's are read, and what is no context is as if it were not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneway.edge.telemetry.tracing import read
from tuneway.ports.traces import Trace

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
W3C = f"00-{ID}-{SPAN}-01"


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (W3C, True),
        (f"00-{ID}-{SPAN}-00", False),
        (f"00-{ID}-{SPAN}-03", True),
        (f"00-{ID}-{SPAN}-fe", False),
        (f"01-{ID}-{SPAN}-01", True),
        (f"cc-{ID}-{SPAN}-01-what-later-versions-add", True),
        (f"  {W3C} ", True),
    ],
)
def test_w3cs_context_is_read(header: str, sampled: bool) -> None:  # noqa: FBT001  (a parameter of a test)
    assert read(header, None) == Trace(id=ID, span=SPAN, sampled=sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "-",
        ID,
        f"ff-{ID}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{ID}-{SPAN}-1",
        f"00-{ID}-{SPAN}-01-more",
        f"01-{ID}-{SPAN}-01more",
        f"00-{ID[:-1]}-{SPAN}-01",
        f"0-{ID}-{SPAN}-01",
        f"00-{ID}-{SPAN[:-1]}٣-01",
        f"{W3C},{W3C}",
    ],
)
def test_what_is_no_context_of_w3cs_begins_nothing(header: str) -> None:
    assert read(header, None) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"{ID}/67667974448284343;o=1", Trace(id=ID, span=SPAN, sampled=True)),
        (f"{ID}/67667974448284343;o=0", Trace(id=ID, span=SPAN)),
        (f"{ID}/67667974448284343", Trace(id=ID, span=SPAN)),
        (f"{ID.upper()}/1;o=1", Trace(id=ID, span="0000000000000001", sampled=True)),
        (f"{ID};o=1", Trace(id=ID, sampled=True)),
        (ID, Trace(id=ID)),
        (f"{ID}/0;o=1", Trace(id=ID, sampled=True)),
        (f"{ID}/18446744073709551615", Trace(id=ID, span="f" * 16)),
        (f"{ID}/18446744073709551616", Trace(id=ID)),
    ],
)
def test_googles_context_is_read(header: str, found: Trace) -> None:
    assert read(None, header) == found


@pytest.mark.parametrize("header", ["", "/", "0" * 32, f"{ID}/x", f"{ID}/", f"{ID};o=", "a" * 31, f"{ID}/1;o=1;"])
def test_what_is_no_context_of_googles_begins_nothing(header: str) -> None:
    assert read(None, header) is None


def test_w3cs_goes_first_and_googles_stands_in_for_a_broken_one() -> None:
    google = f"{'a' * 32}/1;o=1"
    assert read(W3C, google) == Trace(id=ID, span=SPAN, sampled=True)
    assert read("broken", google) == Trace(id="a" * 32, span="0000000000000001", sampled=True)
    assert read(None, None) is None


@given(st.text(), st.text())
def test_no_header_does_harm(traceparent: str, google: str) -> None:
    found = read(traceparent, google)
    assert found is None or len(found.id) == len(ID)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_what_is_carried_on_is_read_again(id_: int, span: int, sampled: bool) -> None:  # noqa: FBT001  (as above)
    trace = Trace(id=f"{id_:032x}", span=f"{span:016x}", sampled=sampled)
    assert read(trace.header(), None) == trace
