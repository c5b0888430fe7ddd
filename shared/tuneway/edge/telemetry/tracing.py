"""Trace contexts, read: W3C's ``traceparent`` and Google's ``X-Cloud-Trace-Context``."""

import re

from tuneway.ports.traces import Trace

# Later versions may add fields behind these four, and 00 may not: https://www.w3.org/TR/trace-context/#versioning-of-traceparent
_W3C = re.compile(r"(?:00|((?!00|ff)[0-9a-f]{2}))-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?(1)(?:-.*)?|)", re.ASCII)
# TRACE_ID[/SPAN_ID][;o=OPTIONS], the span in decimal: https://cloud.google.com/trace/docs/trace-context (read 2026-11)
_GOOGLE = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]+))?", re.ASCII)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_SPANS = 2**64


def read(traceparent: str | None, google: str | None) -> Trace | None:
    """The caller's place in its trace; what is no context is as if it were not there, as both specifications ask."""
    found = None if traceparent is None else _of_w3c(traceparent)
    return _of_google(google) if found is None and google is not None else found


def _of_w3c(header: str) -> Trace | None:
    match = _W3C.fullmatch(header.strip())
    if match is None or match[2] == _NO_TRACE or match[3] == _NO_SPAN:
        return None
    return Trace(id=match[2], span=match[3], sampled=bool(int(match[4], 16) & 1))


def _of_google(header: str) -> Trace | None:
    match = _GOOGLE.fullmatch(header.strip())
    if match is None or match[1] == _NO_TRACE:
        return None
    span = int(match[2] or 0)
    sampled = bool(int(match[3] or 0) & 1)
    return Trace(id=match[1].lower(), span=f"{span:016x}" if 0 < span < _SPANS else None, sampled=sampled)
