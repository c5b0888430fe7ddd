"""One small call whose answer is a credential: what went wrong is told without a word of what was sent or got."""

from tuneway.errors import UpstreamError
from tuneway.ports import Timeouts, Upstream, UpstreamRequest

TIMEOUTS = Timeouts(connect=5.0, read=10.0)
OK = 200


async def answer(upstream: Upstream, request: UpstreamRequest, *, who: str) -> bytes:
    """The body of a good answer. Raises UpstreamError (502) that names ``who`` answered what."""
    try:
        async with upstream.send(request) as response:
            body = await response.read()
            status = response.status
    except UpstreamError as exc:
        raise missing(f"{who} could not be reached") from exc
    if status != OK:
        raise missing(f"{who} answered {status}")
    return body


def missing(reason: str) -> UpstreamError:
    """The fault is ours: the caller can neither see nor mend these credentials."""
    return UpstreamError(
        f"This installation has no credentials for the model's host: {reason}. The fault is not in your key or "
        "request; tell whoever runs this installation.",
        status=502,
        kind="server_error",
        code="no_upstream_credentials",
    )
