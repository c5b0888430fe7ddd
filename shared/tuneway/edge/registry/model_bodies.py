"""The bodies that callers send about registered models, and how models are shown to them."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from tuneway.access.keys import Grant
from tuneway.edge.door import Call, Tagged
from tuneway.errors import BadInput
from tuneway.registry.models.lineage import Lineage
from tuneway.registry.models.model_desk import Who, Words
from tuneway.registry.naming import DEFAULT, NAME
from tuneway.registry.shelves import Model, Version
from tuneway.state import fields_of

MOST_TEXT = 2048
SOURCES = ("job", "endpoint", "vertex")
TRUTH = {"": False, "false": False, "0": False, "true": True, "1": True}


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a registration: what a job made, or what is served elsewhere.

    One of a finished ``job``, an ``endpoint`` (any identifier, or the alias of a route) and a model of ``vertex``
    (``projects/…/locations/…/models/…``). ``owner``, whose it is, and ``shared``, which lets all tenants call it, are
    for admins.
    """

    name: str | None = None
    job: str | None = None
    endpoint: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    vertex: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    base_model: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    owner: str | None = None
    shared: bool = False
    description: str | None = None
    labels: dict[str, str] | None = None

    @property
    def words(self) -> Words:
        """What is said of it."""
        return Words(description=self.description, labels=self.labels)

    def check(self) -> None:
        """Whether it says one thing to register. Raises BadInput."""
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            said = "Register one thing: a finished 'job', an 'endpoint', or a model of 'vertex'."
            raise BadInput(said, param=given[1] if given else "job", code="invalid_value")


class Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an edit; ``labels`` are all of them, ``revision`` is that which the edit was made from."""

    description: str | None = None
    labels: dict[str, str] | None = None
    revision: int | None = None

    @property
    def words(self) -> Words:
        """What changes."""
        return Words(description=self.description, labels=self.labels)


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an alias's move: the version's number, or another alias; ``revision`` is the model's as it was read.

    ``was`` is the version that the alias is to have now, null for none.
    """

    version: str
    revision: int | None = None
    was: str | msgspec.UnsetType | None = msgspec.UNSET


def who_asks(grant: Grant) -> Who:
    """Whose models the caller may edit, and the name in the history."""
    return Who(owner=grant.tenant, name=grant.owner)


def tagged(body: Mapping[str, object], revision: int) -> Tagged:
    """The body with its revision as HTTP names it."""
    return Tagged(body, {"etag": f'"{revision}"'})


def shown(model: Model) -> dict[str, object]:
    """The model as JSON, with the names that call its versions; the moves of its aliases are a list of their own."""
    plain = fields_of(model)
    called = model.called
    names = {alias: f"{called}@{alias}" for alias in model.aliases}
    bare = {"name_of_default": called} if DEFAULT in model.aliases and NAME.fullmatch(called) else {}
    kept = {key: value for key, value in plain.items() if key not in {"moves", "forgotten", "last", "mirrored"}}
    return {"object": "registry.model", **kept, "name": called, "names": names, **bare}


def shown_version(version: Version, model: Model | None = None) -> dict[str, object]:
    """The version as JSON, with its aliases."""
    aliases = [alias for alias, number in model.aliases.items() if number == version.number] if model else []
    return {"object": "registry.version", **fields_of(version), **({"aliases": sorted(aliases)} if model else {})}


def shown_aliases(model: Model) -> dict[str, object]:
    """The aliases with the names that call them, and their moves, the newest first."""
    rows = [
        {"object": "registry.alias", "alias": alias, "version": number, "name": f"{model.called}@{alias}"}
        for alias, number in sorted(model.aliases.items())
    ]
    moves = [msgspec.to_builtins(move) for move in reversed(model.moves)]
    return {"object": "list", "data": rows, "moves": moves, "revision": model.revision}


def shown_lineage(found: Lineage) -> dict[str, object]:
    """The lineage as one JSON document; deployments without what is for their handlers."""
    plain = fields_of(found)
    inward = {"deadline", "lease_until", "attempts", "order"}
    deployed = [
        {key: value for key, value in fields_of(each).items() if key not in inward} for each in found.deployments
    ]
    return {
        "object": "registry.lineage",
        **plain,
        "model": shown(found.model),
        "version": shown_version(found.version, found.model),
        "deployments": deployed,
    }


def labels_asked(call: Call) -> dict[str, str]:
    """The filter ``label=team:shop`` or ``label=team:shop,stage:live``. Raises BadInput."""
    text = call.query.get("label", "")
    found: dict[str, str] = {}
    for pair in text.split(",") if text else []:
        key, colon, value = pair.partition(":")
        if not colon or not key:
            raise BadInput("Write the filter as label=key:value, several with commas.", param="label")
        found[key] = value
    return found


def truth(call: Call, param: str) -> bool:
    """A yes or no of the query. Raises BadInput."""
    text = call.query.get(param, "").lower()
    if text not in TRUTH:
        raise BadInput(f"'{param}' is true or false.", param=param)
    return TRUTH[text]
