"""Which models and routes go when their base model retires: the catalogue's dates joined with what stands on it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater
from tuneway.ports.retirements import Fate, Fates, RetuneQuote, Retuner, RetuneWish
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.retirements.stands import Kind, Led, Stand, stands
from tuneway.registry.shelves import Version

NO_JOB = "No job of tuneway's made it, so nobody here has the dataset."
ONLY_ROUTES = "Nothing of it is tuned."


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a re-tune on the successor would be, or why there can be none now."""

    quote: RetuneQuote | None = None
    obstacle: str | None = None
    code: str | None = None


class Retiring(msgspec.Struct, frozen=True, kw_only=True):
    """A model, or the routes to a base model itself, and the day on which the base is gone.

    ``days_left`` is below 0 once it is ``past``; ``then`` says what happens on that day, or has happened since.
    ``version`` is the one to tune again, made by ``job``. The rest as in ``Fate`` and ``Stand``.
    """

    kind: Kind
    id: str
    base_model: str
    retires_on: date
    announced: bool
    days_left: int
    past: bool
    source: str
    as_of: date
    then: str
    routes: tuple[Led, ...]
    stops: bool = True
    owner: str | None = None
    tuning_ends_on: date | None = None
    successor: str | None = None
    through: tuple[str, ...] = ()
    successor_retires_on: date | None = None
    versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    version: str | None = None
    job: str | None = None
    retune: Offer | None = None

    @property
    def key(self) -> str:
        """Names it among all: a model has a row for each base of its versions."""
        return f"{self.kind}:{self.id}@{self.base_model}"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What goes, the soonest first; the bases of which nobody has said a day, and those that no catalogue knows."""

    rows: tuple[Retiring, ...]
    undated: tuple[str, ...]
    unknown: tuple[str, ...] = ()


class Radar:
    """The use case of ``/v1/registry/retirements``."""

    def __init__(self, shelf: ModelShelf, fates: Fates) -> None:
        self._shelf = shelf
        self._fates = fates

    def look(self, *, owner: str | None, within: int | None = None) -> Seen:
        """What of the owner's, or of everybody's, goes within so many days, and what is past."""
        today = day_of(self._shelf.now())
        found = [(stand, self._fates.of(stand.base, today=today)) for stand in stands(self._shelf, owner=owner)]
        rows = [
            _row(stand, fate, retires_on=fate.retires_on, today=today)
            for stand, fate in found
            if fate and fate.retires_on
        ]
        near = [row for row in rows if within is None or row.days_left <= within]
        return Seen(
            rows=tuple(sorted(near, key=lambda row: (row.retires_on, row.kind, row.id))),
            undated=tuple(sorted({fate.base for _, fate in found if fate and not fate.retires_on})),
            unknown=tuple(sorted({stand.base.partition("/")[2] for stand, fate in found if fate is None})),
        )


def day_of(now: float) -> date:
    """The day that it is in UTC: a retirement has no hour, and no summer time."""
    return datetime.fromtimestamp(now, UTC).date()


def priced(row: Retiring, retuner: Retuner) -> Retiring:
    """The row with what a re-tune of it is, or why there can be none. Nothing is written."""
    return msgspec.structs.replace(row, retune=_offer(row, retuner))


def _offer(row: Retiring, retuner: Retuner) -> Offer:
    if row.job is None:
        return Offer(obstacle=_untuned(row), code="no_job")
    try:
        return Offer(quote=retuner.quote(row.job, RetuneWish()))
    except (BadInput, NotAllowed, NotFound, TryLater) as fault:
        return Offer(obstacle=fault.message, code=fault.code)


def _untuned(row: Retiring) -> str:
    """Why a re-tune cannot be, and what can be done instead, with a successor or without one."""
    onto = f"'{row.successor}'" if row.successor else "another base model: the catalogue names no successor"
    if row.kind == "model":
        return f"{NO_JOB} Tune a new model on {onto}."
    if row.successor:
        return f"{ONLY_ROUTES} Point its routes to '{row.successor}'."
    return f"{ONLY_ROUTES} The catalogue names no successor: point its routes to another model, or give them fallbacks."


def _row(stand: Stand, fate: Fate, *, retires_on: date, today: date) -> Retiring:
    days_left = (retires_on - today).days
    version = newest(stand.versions)
    return Retiring(
        kind=stand.kind,
        id=stand.id,
        owner=stand.owner,
        base_model=fate.base,
        retires_on=retires_on,
        announced=fate.announced,
        days_left=days_left,
        past=days_left <= 0,
        source=fate.source,
        as_of=fate.as_of,
        then=_then(stand, fate, past=days_left <= 0),
        stops=stand.stops,
        tuning_ends_on=fate.tuning_ends_on,
        successor=fate.successor,
        through=fate.through,
        successor_retires_on=fate.successor_retires_on,
        versions=tuple(each.number for each in stand.versions),
        aliases=stand.aliases,
        routes=stand.routes,
        deployments=stand.deployments,
        replaced_by=tuple(sorted({each.replaced_by for each in stand.versions if each.replaced_by})),
        version=version.number if version else None,
        job=(version.job or None) if version else None,
    )


def newest(versions: Sequence[Version]) -> Version | None:
    """The newest that a job made, else the newest."""
    ordered = sorted(versions, key=lambda each: (bool(each.job), each.created_at))
    return ordered[-1] if ordered else None


def _then(stand: Stand, fate: Fate, *, past: bool) -> str:
    if not fate.announced:
        return "No day is announced: from then on the provider may end it." + (" Look for news." if past else "")
    if not stand.stops:
        return "Its own weights go on answering; new tuning jobs on the base are refused."
    mine = " Tuned endpoints are taken to stop with their base." if stand.kind == "model" else ""
    gone = "is" if past else "will be"
    return f"A call to it {gone} answered with 404 (model_not_found).{mine}{_instead(stand.routes)}"


def _instead(routes: Sequence[Led]) -> str:
    bare = [each.route for each in routes if not each.falls_back_to]
    kept = [f"'{each.route}' has {', '.join(each.falls_back_to)}" for each in routes if each.falls_back_to]
    said = [f"Nothing answers instead for: {', '.join(bare)}."] if bare else []
    said += [f"Instead of it, {'; '.join(kept)}."] if kept else []
    return "".join(f" {each}" for each in said)
