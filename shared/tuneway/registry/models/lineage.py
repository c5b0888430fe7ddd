"""Where a version came from and what became of it, in one document: from the dataset's hash to its use."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Checkpoint, Loss, Origin, Origins
from tuneway.registry.counts.tallies import Tally, total
from tuneway.registry.counts.usage import hours
from tuneway.registry.models.model_shelf import ModelShelf, names_of
from tuneway.registry.naming import DEFAULT
from tuneway.registry.shelves import AliasMove, Deployment, Model, Version
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import current

DAYS = (30, 7, 1)  # the longest that can be counted is taken
MOST_ANCESTORS = 20


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint with its losses and the name that calls it, as far as there are any."""

    checkpoint: Checkpoint
    loss: Loss | None = None
    name: str | None = None


class Led(msgspec.Struct, frozen=True, kw_only=True):
    """A name that calls the version, and its requests of the last days."""

    name: str
    alias: str | None = None
    requests: int = 0
    errors: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """The whole way. ``dataset_sha256`` is the file's as it was stored; ``lint`` and ``estimate`` are the job's.

    ``ancestors`` are the jobs whose models this one went on from, the nearest first; ``job`` is None for what no job
    of ours made, and where the job is not kept any more. ``usage_days`` says how far back usage was counted.
    """

    model: Model
    version: Version
    dataset_sha256: str
    lint: Mapping[str, object] | None
    estimate: Mapping[str, object] | None
    job: Origin | None
    ancestors: tuple[str, ...]
    checkpoints: tuple[Point, ...]
    deployments: tuple[Deployment, ...]
    names: tuple[Led, ...]
    moves: tuple[AliasMove, ...]
    usage_days: int = DAYS[0]


class Lineages:
    """The use cases over the shelf, the jobs and the counted usage; ``owner`` None sees everybody's."""

    def __init__(self, shelf: ModelShelf, origins: Origins) -> None:
        self._shelf = shelf
        self._origins = origins

    def of(self, model: str, version: str, *, owner: str | None) -> Lineage:
        """The document. Raises NotFound."""
        kept = self._shelf.owned(model, owner).value
        found = self._shelf.version(kept, version).value
        job = self._origins.of(found.job) if found.job else None
        routes = current(self._shelf.documents).routes
        days, names = self._led(kept, found, routes)
        return Lineage(
            model=kept,
            version=found,
            dataset_sha256=found.dataset_sha256,
            lint=job.dataset if job else None,
            estimate=job.estimate if job else None,
            job=job,
            ancestors=tuple(self._ancestors(job)),
            checkpoints=tuple(_point(each, found, job=job, routes=routes) for each in found.checkpoints),
            deployments=tuple(self._deployments(found)),
            names=tuple(names),
            usage_days=days,
            moves=tuple(move for move in kept.moves if found.number in {move.before, move.after}),
        )

    def named(self, text: str, *, owner: str | None) -> tuple[Model, Version, Origin | None]:
        """The version that ``model``, ``model@version`` or ``model@alias`` names, with its job. Raises NotFound."""
        model, _, version = text.partition("@")
        kept = self._shelf.owned(model, owner).value
        wanted = version or kept.aliases.get(DEFAULT) or self._newest(kept)
        found = self._shelf.version(kept, wanted).value
        return kept, found, self._origins.of(found.job) if found.job else None

    def _deployments(self, version: Version) -> list[Deployment]:
        """Its own, after those of the version that it is a copy of."""
        names = [version.copy_of, f"{version.model}@{version.number}"]
        versions = [name.rpartition("@") for name in names if name is not None]
        return [each for model, _, n in versions for each in self._shelf.deployments(model) if each.version == n]

    def _newest(self, model: Model) -> str:
        versions = self._shelf.all_versions(model.id)
        return versions[-1].number if versions else DEFAULT

    def _ancestors(self, job: Origin | None) -> list[str]:
        found: list[str] = []
        while job is not None and job.continues is not None and len(found) < MOST_ANCESTORS:
            found.append(job.continues)
            job = self._origins.of(job.continues)
        return found

    def _led(self, model: Model, version: Version, routes: Mapping[str, Route]) -> tuple[int, list[Led]]:
        """The names of the version with their usage, and of how many days that is: of none where a day is too much."""
        aliases = {alias: names_of(model, alias) for alias, n in model.aliases.items() if n == version.number}
        named = {name: alias for alias, names in aliases.items() for name in names}
        own = [version.alias] if version.job and version.copy_of is None else []
        mine = {name: named.get(name) for name in [*own, *named] if name in routes}
        for days in DAYS:
            with suppress(BadInput):  # more than one answer can hold
                return days, [_counted(name, alias, self._used(name, days)) for name, alias in mine.items()]
        return 0, [_counted(name, alias, Tally()) for name, alias in mine.items()]

    def _used(self, route: str, days: int) -> Tally:
        now = self._shelf.now()
        found = hours(self._shelf.documents, start=now - days * 86_400, end=now, route=route)
        return total(each.tally for each in found)


def _counted(name: str, alias: str | None, tally: Tally) -> Led:
    return Led(
        name=name,
        alias=alias,
        requests=tally.requests,
        errors=tally.errors,
        tokens_in=tally.tokens_in,
        tokens_out=tally.tokens_out,
        cost_usd=tally.cost_usd if tally.priced else None,
    )


def _point(point: Checkpoint, version: Version, *, job: Origin | None, routes: Mapping[str, Route]) -> Point:
    losses: Sequence[Loss] = job.checkpoint_losses if job else ()
    name = f"{version.alias}@cp-{point.id}"
    return Point(
        checkpoint=point,
        loss=next((each for each in losses if each.step == point.step), None),
        name=name if name in routes else None,
    )
