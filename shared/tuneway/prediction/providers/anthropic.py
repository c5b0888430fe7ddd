"""Where Claude is served by Anthropic, and what its Messages body needs elsewhere.

The dialect writes the body; which field or header bears the model, the version of the API and its betas differs by
host. Sources: Anthropic's API reference, its SDK 2.12 (``lib/vertex``, ``lib/bedrock``, ``lib/foundry``).
"""

from collections.abc import Mapping

from tuneway.ports import Auth
from tuneway.prediction.profiles import profile_of
from tuneway.prediction.providers.addresses import MESSAGES, Call, cannot, checked, path
from tuneway.routing.routes import Target

BASE_URL = "https://api.anthropic.com"


def url(call: Call) -> str:
    """Where to POST. Raises BadInput for an operation or an address that cannot be."""
    if call.target.dialect != "anthropic":
        raise cannot(call)
    base = checked(call.target.base_url or BASE_URL)
    return f"{base.removesuffix('/v1')}/{path(call, MESSAGES)}"


def wrap(body: Mapping[str, object], call: Call) -> Mapping[str, object]:
    """The body with the model's name, and the stream asked for in it."""
    named = {"model": call.target.model, **_without(body, "model", "stream")}
    return {**named, "stream": True} if call.stream else named


def auth(target: Target) -> Auth:
    """A key in Anthropic's own header."""
    return Auth(kind="key", header="x-api-key", secret=target.secret)


def headers(target: Target) -> Mapping[str, str]:
    """The version of the API, and its betas."""
    return {"anthropic-version": profile_of(target).anthropic_version, **beta_headers(target)}


def beta_headers(target: Target) -> Mapping[str, str]:
    """The betas where a host reads them from the header."""
    betas = profile_of(target).betas
    return {"anthropic-beta": ",".join(betas)} if betas else {}


def wrapped_for_vertex(body: Mapping[str, object], call: Call) -> Mapping[str, object]:
    """The body as ``rawPredict`` takes it: the URL names the model, the body the version."""
    version = profile_of(call.target).anthropic_version
    unnamed = {"anthropic_version": version, **_without(body, "model", "stream")}
    return {**unnamed, "stream": True} if call.stream else unnamed


def wrapped_for_bedrock(body: Mapping[str, object], call: Call) -> Mapping[str, object]:
    """The body as ``InvokeModel`` takes it: model and stream are the URL's to say, version and betas the body's."""
    profile = profile_of(call.target)
    unnamed = {"anthropic_version": profile.anthropic_version, **_without(body, "model", "stream")}
    return {"anthropic_beta": list(profile.betas), **unnamed} if profile.betas else unnamed


def _without(body: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in body.items() if name not in names}
