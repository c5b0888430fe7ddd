"""Routes: a public alias and the targets that stand behind it."""

from typing import Literal

import msgspec

Dialect = Literal["gemini", "instances", "openai", "anthropic", "bedrock"]
Provider = Literal["vertex", "openai", "azure", "anthropic", "bedrock", "custom_openai"]


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model to call: where it is served (``provider``), which words it speaks (``dialect``), and its name there.

    On Vertex AI ``resource`` is the full name (``projects/…/locations/…/endpoints/…`` or ``…/publishers/…/models/…``),
    ``host`` a dedicated endpoint's DNS name, exactly as Vertex AI gave it, and ``raw`` asks a container through
    ``rawPredict`` instead of ``predict``. Elsewhere ``model`` is the served name or deployment, ``base_url`` where its
    API begins (``https://…/v1``), ``region`` a cloud's region, ``api_version`` a dated API, and ``secret`` a reference
    to a key (``env:NAME`` or ``projects/…/secrets/…/versions/…``), never a key. ``profile`` names the row of model
    quirks; ``drop_params`` names request parameters to leave out where the dialect cannot express them.
    """

    resource: str = ""
    dialect: Dialect = "gemini"
    provider: Provider = "vertex"
    host: str | None = None
    raw: bool = False
    model: str = ""
    base_url: str | None = None
    region: str | None = None
    api_version: str | None = None
    secret: str | None = None
    profile: str | None = None
    drop_params: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public name: ``owner`` None means every tenant may call it, else only that one (and admins)."""

    alias: str
    target: Target
    created_at: float
    owner: str | None = None
