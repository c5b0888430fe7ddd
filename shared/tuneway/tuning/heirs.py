"""When base models retire and what follows them, as the catalogue says (``ports.Fates``)."""

import hashlib
from datetime import date

import msgspec

from tuneway.errors import BadInput
from tuneway.ports.retirements import Fate
from tuneway.tuning.bases import SOON_DAYS, BaseModel
from tuneway.tuning.catalogue import Catalogue


class CatalogueFates:
    """Implements ``ports.Fates`` over the catalogue, the installation's own file included."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, name: str, *, today: date) -> Fate | None:
        """What is known of the base model that ``name`` means; None when it is not in the catalogue."""
        try:
            base = self._catalogue.named(name, today=today)
        except BadInput:
            return None
        chain = heirs(self._catalogue, base, today=today)
        # One that is gone itself is none to go to.
        last = chain[-1] if chain and not chain[-1].retired(today) else None
        return Fate(
            base=base.name,
            family=base.family,
            source=base.retired_source or base.source,
            as_of=self._catalogue.as_of,
            retires_on=_end(base),
            announced=base.retired_on is not None,
            tuning_ends_on=base.tuning_ends_on,
            successor=last.name if last else None,
            through=tuple(each.name for each in chain if each is not last),
            successor_retires_on=_end(last) if last else None,
        )

    def edition(self) -> str:
        """A print of all dates and successors."""
        said = [(base.name, str(_end(base)), base.retired_on is not None, base.successor) for base in self._all()]
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]

    def _all(self) -> list[BaseModel]:
        return sorted(self._catalogue.models, key=lambda base: base.name)


def heirs(catalogue: Catalogue, base: BaseModel, *, today: date) -> tuple[BaseModel, ...]:
    """Those that follow, one after the other, as far as the first that does not retire soon; none without one.

    A circle, or a name that the catalogue does not know, ends the chain.
    """
    known = {base.name: base}
    after = base
    while after.successor is not None and (after is base or _soon(after, today)):
        try:
            after = catalogue.named(after.successor, today=today)
        except BadInput:
            break
        if after.name in known:
            break
        known[after.name] = after
    return tuple(known.values())[1:]


def _soon(base: BaseModel, today: date) -> bool:
    return base.retired_on is not None and (base.retired_on - today).days <= SOON_DAYS


def _end(base: BaseModel) -> date | None:
    return base.retired_on or base.retires_not_before
