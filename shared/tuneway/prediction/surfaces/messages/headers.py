"""What the headers of Anthropic's API become on the way to a target that speaks its words.

| provider | ``anthropic-version`` | ``anthropic-beta`` |
|---|---|---|
| Anthropic, Azure | passed on, unless the route says which | passed on |
| Vertex AI | none: the body bears Vertex AI's own, which takes all that newer ones take | passed on |
| Bedrock | none, as Vertex AI | ``anthropic_beta`` in the body |

A target with other words has neither: what a beta adds to the body is refused there by name.
Sources: Anthropic's API reference, its SDK 2.12 (``lib/vertex``, ``lib/bedrock``).
"""

import re
from collections.abc import Mapping

from tuneway.errors import BadInput
from tuneway.prediction.surfaces.messages.passing import BETA_HEADER, betas
from tuneway.routing.routes import Target

VERSION_HEADER = "anthropic-version"
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BETAS = re.compile(r"[A-Za-z0-9._:, -]{0,2000}")
_VERSION_IN_HEADER = frozenset({"anthropic", "azure"})


def checked(headers: Mapping[str, str | None]) -> dict[str, str]:
    """Those of the two that were sent. Raises BadInput for what cannot be passed on."""
    sent = {name: value.strip() for name, value in headers.items() if value}
    for name, pattern in ((VERSION_HEADER, _VERSION), (BETA_HEADER, _BETAS)):
        if name in sent and pattern.fullmatch(sent[name]) is None:
            raise BadInput(f"{name}: the header's value is not valid", param=name, code="invalid_value")
    return sent


def headers_for(target: Target, sent: Mapping[str, str]) -> dict[str, str]:
    """What stands in the header of the call."""
    told: dict[str, str] = {}
    if target.provider in _VERSION_IN_HEADER and target.api_version is None and VERSION_HEADER in sent:
        told[VERSION_HEADER] = sent[VERSION_HEADER]
    if target.provider != "bedrock" and (asked := betas(sent, target)):
        told[BETA_HEADER] = asked
    return told


def fields_for(target: Target, sent: Mapping[str, str]) -> dict[str, object]:
    """What stands in its body."""
    asked = betas(sent, target) if target.provider == "bedrock" else None
    return {"anthropic_beta": asked.split(",")} if asked else {}
