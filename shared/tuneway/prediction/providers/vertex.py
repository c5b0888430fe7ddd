"""Where a target is served on Vertex AI: the URL of a call, from the resource name alone.

The host follows the location *in the resource name*, never configuration, because a bearer token goes there.
Source of hosts and paths: Vertex AI's REST reference and the discovery of ``aiplatform.googleapis.com``.
"""

import re

from tuneway.prediction.providers.addresses import instead
from tuneway.routing.identifiers import is_location
from tuneway.routing.routes import Target
from tuneway.routing.targets import Misplaced

_MULTI_REGIONS = frozenset({"us", "eu"})
_RESOURCE = re.compile(
    r"projects/(?P<project>[a-z0-9][a-z0-9.:-]*)/locations/(?P<location>[^/]*)/"
    r"(?:endpoints/[A-Za-z0-9][A-Za-z0-9-]*|publishers/[a-z0-9-]+/models/[A-Za-z0-9][A-Za-z0-9._@-]*)"
)
_DEDICATED = re.compile(r"[A-Za-z0-9-]+\.[a-z][a-z0-9-]*\.prediction\.vertexai\.goog")
_PLAIN = {"gemini": "generateContent", "instances": "predict"}
_STREAMED = {"gemini": "streamGenerateContent?alt=sse", "instances": "predict"}
_RAW = {False: "rawPredict", True: "streamRawPredict"}


def host(location: str) -> str:
    """The API's host for a location. Raises BadInput for what is no location."""
    if not is_location(location):
        fact = f"{location!r} is no location of Vertex AI. Use a region such as us-central1, or global, us or eu"
        raise Misplaced(fact, field="identifier")
    if location in _MULTI_REGIONS:
        return f"aiplatform.{location}.rep.googleapis.com"
    return "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"


def url(target: Target, *, stream: bool, base_url: str | None = None) -> str:
    """Where to POST a call. ``base_url`` (``http://127.0.0.1:1234``) stands in for scheme and host, the path stays.

    Raises BadInput when the target's resource or host is not one of Vertex AI's.
    """
    there = at(target, f":{_verb(target, stream=stream)}")
    return instead(there, base_url)


def at(target: Target, tail: str, *, version: str = "v1") -> str:
    """The URL of something about the target's resource itself. Raises BadInput."""
    return f"{_origin(target)}/{version}/{target.resource}{tail}"


def beside(target: Target, path: str) -> str:
    """The URL of something in the resource's project and location. Raises BadInput."""
    origin = _origin(target)
    return f"{origin}/v1/{'/'.join(target.resource.split('/')[:4])}/{path}"


def streams(target: Target) -> bool:
    """Whether the target's host can stream at all: ``predict`` cannot."""
    return target.dialect != "instances" or target.raw


def _verb(target: Target, *, stream: bool) -> str:
    if target.dialect == "instances" and target.raw:
        return _RAW[stream]
    return (_STREAMED if stream else _PLAIN)[target.dialect]


def _origin(target: Target) -> str:
    resource = _RESOURCE.fullmatch(target.resource)
    if resource is None:
        raise Misplaced(f"{target.resource!r} is no resource name of Vertex AI", field="identifier")
    return f"https://{_dedicated(target.host) if target.host else host(resource['location'])}"


def _dedicated(name: str) -> str:
    if _DEDICATED.fullmatch(name) is None:
        fact = f"{name!r} is no dedicated endpoint's host ({{id}}.{{region}}-{{number}}.prediction.vertexai.goog)"
        raise Misplaced(fact, field="host")
    return name
