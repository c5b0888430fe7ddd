"""Hub ↔ Converse: ``service_tier`` as Bedrock's tier of service, or as its latency-optimised inference.

| OpenAI | Bedrock |
|---|---|
| ``auto``, ``default`` | nothing: it is what happens anyway |
| ``priority``, ``flex`` | ``serviceTier`` of that name |
| ``scale`` (and Bedrock's own word, ``reserved``) | ``serviceTier`` reserved: capacity that is paid for ahead |
| ``fast`` | ``performanceConfig`` latency optimized |

Source of the words: ``ServiceTier`` and ``PerformanceConfiguration`` in botocore's model of ``bedrock-runtime``.
"""

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.hub.answer import ServiceTier
from tuneway.prediction.hub.fit import HARMLESS, unsupported_parameter
from tuneway.prediction.hub.request import ChatRequest

_TOLD: dict[str, dict[str, dict[str, object]]] = {
    "priority": {"serviceTier": {"type": "priority"}},
    "flex": {"serviceTier": {"type": "flex"}},
    "scale": {"serviceTier": {"type": "reserved"}},
    "reserved": {"serviceTier": {"type": "reserved"}},
    "fast": {"performanceConfig": {"latency": "optimized"}},
}
_HEARD: dict[str, ServiceTier] = {"priority": "priority", "flex": "flex", "reserved": "scale", "default": "default"}


class Tier(msgspec.Struct, gc=False):
    """The tier that served an answer."""

    type: str = ""


class Performance(msgspec.Struct, gc=False):
    """The latency it was served with."""

    latency: str = ""


def capacity(request: ChatRequest) -> dict[str, dict[str, object]]:
    """What says the request's ``service_tier``. Raises BadInput for one that Bedrock has not."""
    tier = request.service_tier
    if tier is None or tier in HARMLESS["service_tier"]:
        return {}
    if tier not in _TOLD:
        raise unsupported_parameter(request, "service_tier")
    return _TOLD[tier]


def tier_of(tier: Tier | None, performance: Performance | None) -> ServiceTier | UnsetType:
    """How an answer was served; absent where Bedrock does not say."""
    if performance is not None and performance.latency == "optimized":
        return "fast"
    return UNSET if tier is None else _HEARD.get(tier.type, UNSET)
