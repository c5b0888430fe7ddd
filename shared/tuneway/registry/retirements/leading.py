"""Which of the routes to a version a canary goes on: the one that is called the most."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from math import inf

from tuneway.errors import BadInput
from tuneway.registry.counts.tallies import total
from tuneway.registry.counts.usage import hours
from tuneway.registry.models.model_shelf import ModelShelf, owns
from tuneway.registry.shelves import Model, Version
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import current

DAYS = 30
OF_CHECKPOINTS = "@cp-"


def leading(shelf: ModelShelf, model: Model, version: Version, *, everybodys: bool, alone: bool = False) -> list[str]:
    """The routes to where the version answers, the busiest first; those of the model's owner, and ``everybodys``.

    Another tenant's own are never among them: whoever owns the model would hear of them.
    Of those that are called as often, the name that its job gave it comes last. ``alone`` leaves out where others are
    asked first, or as well: a canary would take their calls, too.
    """
    places = {place_of(target) for target in shelf.targets(model, version)}
    routes = current(shelf.documents).routes
    found = [route for route in routes.values() if owns(model, route) or (everybodys and route.owner is None)]
    leads = _leads_alone if alone else _leads
    names = [route.alias for route in found if OF_CHECKPOINTS not in route.alias and leads(route, places)]
    called = {name: _requests(shelf, name) for name in names} if len(names) > 1 else dict.fromkeys(names, 0.0)
    return sorted(names, key=lambda name: (-called[name], name == version.alias, name))


def shortened(names: Sequence[str], *, most: int = 5) -> str:
    """The first of them for people, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"'{name}'" for name in names[:most]) + more


def _leads(route: Route, places: Collection[str]) -> bool:
    return any(place_of(target) in places and target.weight > 0 for target in route.targets)


def _leads_alone(route: Route, places: Collection[str]) -> bool:
    """Of a route on which a canary is under way that is known when it is over."""
    asked = [target for target in route.targets if target.weight > 0]
    first = min((target.order for target in asked), default=0)
    alone = all(place_of(target) in places for target in asked if target.order == first)
    return _leads(route, places) and (alone or route.trial is not None)


def _requests(shelf: ModelShelf, route: str) -> float:
    """Of the last days; one with more than an answer can hold is busy enough."""
    end = shelf.now()
    with suppress(BadInput):
        counted = hours(shelf.documents, start=end - DAYS * 86_400, end=end, route=route)
        return total(each.tally for each in counted).requests
    return inf
