"""The entries of one name as a route: their targets by weight, and what they say of the way to them."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from tuneway.routing.litellm.models import Draft
from tuneway.routing.litellm.report import Notes
from tuneway.routing.litellm.settings import Ways
from tuneway.routing.routes import Limits, Route, Target

STAND_IN = 0.001  # of the smallest weight: asked when the others fail
_METRICS = ("weight", "rpm", "tpm")
OF_A_ROUTE = ("owner", "retries", "timeouts", "cooldown", "log_prompts", "prompts")


def route_of(drafts: Sequence[Draft], ways: Ways, notes: Notes) -> Route:
    """The route of all entries of one name."""
    head = drafts[0]
    if head.own is not None:
        for one in drafts:
            _tell(one, notes, metric="weight", weight=one.target.weight, alone=True)
        return _exported(drafts, head.own)
    targets = _weighted(drafts, notes)
    return Route(
        alias=head.alias,
        targets=targets,
        created_at=0.0,
        owner=head.owner,
        retries=int(_most([one.retries for one in drafts], ways.retries) or 0),
        timeouts=Limits(
            total=_most([one.total for one in drafts], ways.total),
            first=_most([one.first for one in drafts], ways.first),
        ),
        cooldown=_most([one.cooldown for one in drafts], ways.cooldown, default=30.0),
    )


def _exported(drafts: Sequence[Draft], own: Mapping[str, object]) -> Route:
    """A route that was exported here. Raises msgspec.ValidationError when it was changed into none."""
    head = drafts[0]
    told = {"owner": head.owner, "retries": head.retries, "cooldown": head.cooldown}
    fields = {name: value for name, value in told.items() if value is not None}
    limits = {"total": head.total, "first": head.first}
    kept = {name: value for name, value in own.items() if name in OF_A_ROUTE}
    targets = tuple(one.target for one in drafts)
    whole: dict[str, object] = {
        "alias": head.alias,
        "targets": [],
        "created_at": 0.0,
        **fields,
        "timeouts": limits,
        **kept,
    }
    return msgspec.structs.replace(msgspec.convert(whole, Route), targets=targets)


def _most(said: Sequence[float | None], otherwise: float | None, default: float | None = None) -> float:
    """The greatest that an entry says, else what stands for all."""
    given = [one for one in said if one is not None]
    found = max(given) if given else otherwise if otherwise is not None else default
    return cast("float", found)


def _weighted(drafts: Sequence[Draft], notes: Notes) -> tuple[Target, ...]:
    """The targets by the first measure that any entry gives: its weight, else its requests or tokens a minute."""
    metric = next((name for name in _METRICS if any(one.shares.get(name, 0) > 0 for one in drafts)), None)
    given = [one.shares.get(metric or "weight") for one in drafts]
    weights = _scaled(given, metric, alone=len(drafts) == 1)
    for one, weight in zip(drafts, weights, strict=True):
        _tell(one, notes, metric=metric, weight=weight, alone=len(drafts) == 1)
    return tuple(
        msgspec.structs.replace(one.target, weight=weight) for one, weight in zip(drafts, weights, strict=True)
    )


def _scaled(given: Sequence[float | None], metric: str | None, *, alone: bool) -> list[float]:
    if metric is None or (alone and metric != "weight"):
        return [1.0 if one is None else one for one in given] if metric is None else [1.0]
    unit = 1.0 if metric == "weight" else max(one or 0.0 for one in given)
    least = min(one for one in given if one) / unit
    return [round(one / unit, 6) if one is not None else least * STAND_IN for one in given]


def _tell(one: Draft, notes: Notes, *, metric: str | None, weight: float, alone: bool) -> None:
    path = f"{one.path}.litellm_params"
    for name, value in one.shares.items():
        if name == "weight":
            notes.took(f"{path}.{name}", value, "weight")
        elif name == metric and not alone:
            notes.translated(f"{path}.{name}", value, f"weight {weight:g}", "It is a share here, no limit.")
        else:
            notes.left(f"{path}.{name}", value, "no limit of a target", "Ask the host for limits of its own.")
    if metric is not None and metric not in one.shares and not alone:
        notes.translated(f"{path}.{metric}", None, f"weight {weight:g}", f"Write its {metric}, as the others have one.")
