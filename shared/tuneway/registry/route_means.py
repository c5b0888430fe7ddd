"""How a route's targets are looked at: what they speak, whether their secrets are there, what they can."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tuneway.routing.probes import TargetProbe
from tuneway.routing.routes import Target


def _all_readable(_: Sequence[str]) -> Mapping[str, str]:
    return {}


def _nothing_found(_: Sequence[Target]) -> Sequence[TargetProbe]:
    return ()


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """``detect`` asks an endpoint what it speaks: raises NotFound, UpstreamError.

    ``unreadable`` tells which references lead to no secret, and why; ``probe`` asks each target what it can.
    """

    detect: Callable[[Target], Target]
    unreadable: Callable[[Sequence[str]], Mapping[str, str]] = _all_readable
    probe: Callable[[Sequence[Target]], Sequence[TargetProbe]] = _nothing_found
