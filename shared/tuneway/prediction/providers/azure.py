"""Where models are served on Azure: Azure OpenAI (v1 and dated), AI Foundry, serverless, Claude in Foundry.

``base_url`` is a resource's name (``my-resource``) or its address; ``api_version`` absent means the v1 API, a date the
dated one. A gateway of the company's own before it may have a path of its own.
Sources: Azure OpenAI's REST reference, the openai and anthropic SDKs' Azure clients.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from tuneway.ports import Auth
from tuneway.prediction.providers import anthropic
from tuneway.prediction.providers.addresses import MESSAGES, Call, cannot, checked, path
from tuneway.routing.routes import Target
from tuneway.routing.targets import Misplaced

FOUNDRY_VERSION = "2024-05-01-preview"
COGNITIVE = "https://cognitiveservices.azure.com/.default"
FOUNDRY = "https://ai.azure.com/.default"
MACHINE_LEARNING = "https://ml.azure.com/.default"
_RESOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-preview)?")
_UNDATED = {None: "", "v1": "", "latest": "", "preview": "?api-version=preview"}
_SERVERLESS = (".models.ai.azure.com", ".inference.ml.azure.com")
_FOUNDRY_HOST = ".services.ai.azure.com"


def url(call: Call) -> str:
    """Where to POST. Raises BadInput for an operation, an address or a version that cannot be."""
    target, base = call.target, _base(call.target)
    if target.dialect == "anthropic" and call.operation in MESSAGES:
        return f"{base.removesuffix('/v1').removesuffix('/anthropic')}/anthropic/{path(call, MESSAGES)}"
    if target.dialect != "openai":
        raise cannot(call)
    if _is_serverless(base):
        return _serverless(base, call)
    if base.endswith("/models"):
        return f"{base}/{path(call)}?api-version={_dated(target.api_version or FOUNDRY_VERSION)}"
    return _azure_openai(base.removesuffix("/v1").removesuffix("/openai"), call)


def wrap(body: Mapping[str, object], call: Call) -> Mapping[str, object]:
    """Claude's body names its model; OpenAI's is as its dialect wrote it."""
    return anthropic.wrap(body, call) if call.target.dialect == "anthropic" else body


def auth(target: Target) -> Auth:
    """A key in the header that the host reads, or Entra ID."""
    base = _base(target)
    if target.secret is None:
        return Auth(kind="entra", scope=_scope(base, target))
    if target.dialect == "anthropic":
        return Auth(kind="key", header="x-api-key", secret=target.secret)
    if _is_serverless(base):
        return Auth(kind="bearer", secret=target.secret)
    return Auth(kind="key", header="api-key", secret=target.secret)


def headers(target: Target) -> Mapping[str, str]:
    """Claude's version of the API; for others none besides the usual."""
    return anthropic.headers(target) if target.dialect == "anthropic" else {}


def _base(target: Target) -> str:
    if not target.base_url:
        raise Misplaced(
            "An azure target needs its resource, or the resource's address, as 'base_url'", field="base_url"
        )
    if _RESOURCE.fullmatch(target.base_url):
        host = _FOUNDRY_HOST if target.dialect == "anthropic" else ".openai.azure.com"
        return f"https://{target.base_url}{host}"
    return checked(target.base_url)


def _azure_openai(origin: str, call: Call) -> str:
    version, there = call.target.api_version, path(call)
    if version in _UNDATED:
        return f"{origin}/openai/v1/{there}{_UNDATED[version]}"
    deployment = quote(call.target.model, safe="")
    return f"{origin}/openai/deployments/{deployment}/{there}?api-version={_dated(version)}"


def _serverless(base: str, call: Call) -> str:
    """An endpoint of one model; ``/score`` is the path some of them were deployed with."""
    return base if base.endswith("/score") else f"{base.removesuffix('/v1')}/v1/{path(call)}"


def _is_serverless(base: str) -> bool:
    return (urlsplit(base).hostname or "").endswith(_SERVERLESS)


def _dated(version: str | None) -> str:
    if version is None or _DATED.fullmatch(version) is None:
        fact = f"{version!r} is no version of Azure's API. Use a date such as 2024-10-21, or none for v1"
        raise Misplaced(fact, field="api_version")
    return version


def _scope(base: str, target: Target) -> str:
    host = urlsplit(base).hostname or ""
    if host.endswith(_SERVERLESS):
        return MACHINE_LEARNING
    return FOUNDRY if target.dialect == "anthropic" or host.endswith(_FOUNDRY_HOST) else COGNITIVE
