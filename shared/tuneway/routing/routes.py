"""Routes: a public alias and the targets that stand behind it."""

from typing import Literal

import msgspec

Dialect = Literal["gemini", "instances"]


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model to call.

    ``resource`` is a full name on Vertex AI (``projects/…/locations/…/endpoints/…`` or ``…/publishers/…/models/…``);
    ``host`` is a dedicated endpoint's DNS name, exactly as Vertex AI gave it; ``raw`` asks a container through
    ``rawPredict`` instead of ``predict``; ``drop_params`` names request parameters to leave out where the dialect
    cannot express them.
    """

    resource: str
    dialect: Dialect = "gemini"
    host: str | None = None
    raw: bool = False
    drop_params: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public name: ``owner`` None means every tenant may call it, else only that one (and admins)."""

    alias: str
    target: Target
    created_at: float
    owner: str | None = None
