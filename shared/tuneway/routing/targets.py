"""The target that an identifier names by itself, without a route: dialect and provider by table.

A caller may write such a name, so nothing in it becomes a host or a reference to a key: those come from the vendor's
row and from ``Defaults``, which the installation sets.
"""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.identifiers import (
    DedicatedEndpoint,
    Endpoint,
    HostedModel,
    PublisherModel,
    VertexIdentifier,
    resource,
)
from tuneway.routing.routes import Dialect, Target
from tuneway.routing.served_names import served_name
from tuneway.routing.vendors import VENDORS, Vendor

# Which words Model Garden's publishers speak; all others are served behind OpenAI's.
_SPOKEN: dict[str, Dialect] = {"anthropic": "anthropic", "google": "gemini"}


class Misplaced(BadInput):
    """A target that leads nowhere: whoever calls it is told of the model, whoever makes it of its ``field``.

    ``way_out`` is what somebody can do who can only call it.
    """

    def __init__(self, fact: str, *, field: str, way_out: str = "") -> None:
        super().__init__(f"{fact}. {way_out}".rstrip(), param="model", code="invalid_model_identifier")
        self.fact = fact
        self.field = field
        self.way_out = way_out


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation says of a vendor; each field stands over the vendor's row."""

    base_url: str | None = None
    secret: str | None = None
    region: str | None = None
    api_version: str | None = None


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in where identifiers leave something open: Vertex AI's project and location, vendors by name."""

    project: str | None = None
    location: str | None = None
    places: Mapping[str, Place] = {}


def target_of(identifier: VertexIdentifier | HostedModel, defaults: Defaults) -> Target:
    """The target. What a bare endpoint speaks is not in its name: ``gemini`` then, until somebody has asked it.

    Raises BadInput where the name and the defaults together leave the place open.
    """
    match identifier:
        case HostedModel():
            return _hosted(identifier, defaults.places.get(identifier.vendor, Place()))
        case PublisherModel(publisher=publisher, model=model):
            served = msgspec.structs.replace(identifier, model=served_name(publisher, model))
            return Target(resource=_resource(served, defaults), dialect=_SPOKEN.get(publisher, "openai"))
        case DedicatedEndpoint(host=host):
            return Target(resource=_resource(identifier, defaults), dialect="instances", host=host)
        case Endpoint(protocol=protocol):
            return Target(resource=_resource(identifier, defaults), dialect=protocol or "gemini")
        case _:
            assert_never(identifier)


def _resource(identifier: VertexIdentifier, defaults: Defaults) -> str:
    return resource(identifier, project=defaults.project, location=defaults.location)


def _hosted(named: HostedModel, place: Place) -> Target:
    vendor = VENDORS[named.vendor]
    base_url = place.base_url or vendor.base_url
    region = named.region or place.region
    if (vendor.provider in {"azure", "custom_openai"} and base_url is None) or (
        vendor.provider == "bedrock" and base_url is None and region is None
    ):
        raise _homeless(named)
    return Target(
        provider=vendor.provider,
        dialect=_dialect(named, vendor),
        model=served_name(named.vendor, named.model),
        base_url=base_url,
        region=region,
        api_version=place.api_version,
        secret=place.secret or vendor.secret,
    )


def _dialect(named: HostedModel, vendor: Vendor) -> Dialect:
    """Claude in Azure AI Foundry is called in its own words; everything else as the vendor's row says."""
    return "anthropic" if vendor.provider == "azure" and named.model.startswith("claude") else vendor.dialect


def _homeless(named: HostedModel) -> Misplaced:
    what, field = ("region", "region") if named.vendor == "bedrock" else ("address", "base_url")
    return Misplaced(
        f"'{named.vendor}/{named.model}' does not say its {what}, and this installation has no default {what} for "
        f"'{named.vendor}'",
        field=field,
        way_out="Use the alias of a route that has one.",
    )
