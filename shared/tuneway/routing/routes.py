"""Routes: a public alias and the targets that stand behind it."""

from typing import Literal

import msgspec

Dialect = Literal["gemini", "instances", "openai", "anthropic", "bedrock"]
Provider = Literal["vertex", "openai", "azure", "anthropic", "bedrock", "custom_openai"]


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, cache_hash=True):
    """One model to call: where it is served (``provider``), which words it speaks (``dialect``), and its name there.

    On Vertex AI ``resource`` is the full name (``projects/…/locations/…/endpoints/…`` or ``…/publishers/…/models/…``),
    ``host`` a dedicated endpoint's DNS name, exactly as Vertex AI gave it, and ``raw`` asks a container through
    ``rawPredict`` instead of ``predict``. Elsewhere ``model`` is the served name or deployment, ``base_url`` where its
    API begins (``https://…/v1``), ``region`` a cloud's region, ``api_version`` a dated API, and ``secret`` a reference
    to a key (``env:NAME`` or ``projects/…/secrets/…/versions/…``), never a key. ``profile`` names the row of model
    quirks, ``family`` the family of its prompts where its name does not tell; ``drop_params`` names request parameters
    to leave out where the dialect cannot express them.

    Among a route's targets those with the lowest ``order`` are asked first, and of these the more often the greater
    their ``weight``; 0 is never.
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
    family: str | None = None
    weight: float = 1.0
    order: int = 0


class Prompt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands around a caller's words for one family of models; ``prediction/prompting.py`` says where."""

    system: str | None = None
    user: str | None = None
    completion: str | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long a call may take, in seconds; None leaves it to the installation's own timeouts.

    ``total`` is for all of it, attempts and pauses included, ``first`` until a stream's first chunk, ``between`` from
    one chunk to the next.
    """

    total: float | None = None
    first: float | None = None
    between: float | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public name: ``owner`` None means every tenant may call it, else only that one (and admins).

    ``fallbacks`` are aliases or identifiers to ask when no target answers, ``context_fallbacks`` when a prompt is too
    long for them, ``content_fallbacks`` when a filter refuses it. ``retries`` says how many more rounds over the
    targets a call gets, ``cooldown`` for how many seconds a failing target rests, ``log_prompts`` that prompts stand
    in the log, ``prompts`` what stands around a caller's words for each family of models. ``trial`` is the mark of the
    canary that sets its weights, under which its calls are counted. ``version`` counts its changes; 0 for one that was
    made before they were counted, or is not put yet.
    """

    alias: str
    targets: tuple[Target, ...]
    created_at: float
    owner: str | None = None
    fallbacks: tuple[str, ...] = ()
    context_fallbacks: tuple[str, ...] = ()
    content_fallbacks: tuple[str, ...] = ()
    retries: int = 0
    timeouts: Limits = Limits()
    cooldown: float = 30.0
    log_prompts: bool = False
    prompts: dict[str, Prompt] = {}
    version: int = 0
    trial: str | None = None
