"""What serves a model's weights, and what an hour of it costs: dated data that a user's own file goes over.

``serving.json`` says by base model which container serves it and on which machine, ``serving.machine_prices.json`` what
the machines cost. A new model, image or price is a row there, not code here.
"""

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import Machine, ServingContainer

FREE_WHEN_IDLE = "Served on demand: billed by token, nothing while nobody asks."
_SHOWN = 120


class HourlyCost(msgspec.Struct, frozen=True, kw_only=True):
    """About how much an hour costs, all replicas together; ``usd`` None when no price is known."""

    usd: float | None = None
    source: str | None = None
    as_of: date | None = None
    remark: str | None = None
    verified: bool = False

    @property
    def said(self) -> str:
        """In a few words, for people."""
        return "at a price that is not known" if self.usd is None else f"at about {self.usd:.2f} USD an hour"


class Serves(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What serves these base models: the names of a container and of a machine.

    ``context`` is the most tokens of a call, ``served_name`` what the container calls the model, if it has to be told.
    """

    names: tuple[str, ...]
    container: str
    machine: str
    context: int
    served_name: str = ""


class MachinePrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD an hour by machine type, as ``source`` said on ``as_of``."""

    as_of: date
    source: str
    usd_per_hour: dict[str, float]
    remark: str | None = None
    verified: bool = False


class Serving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of serving on ``as_of``; of two rows that name a model, the first one stands."""

    as_of: date
    containers: dict[str, ServingContainer]
    machines: dict[str, Machine]
    models: tuple[Serves, ...]
    source: str
    prices: MachinePrices
    verified: bool = False

    def row(self, base_model: str) -> Serves | None:
        """What serves weights of this base model, if that is known."""
        return next((row for row in self.models if base_model in row.names), None)

    def machine(self, base_model: str) -> Machine | None:
        """The machine that this base model fits, if that is known."""
        row = self.row(base_model)
        return self.machines[row.machine] if row else None

    def container(self, base_model: str, *, machine: Machine, weights: str) -> ServingContainer:
        """The container for weights of this base model on this machine, its places filled. Raises BadInput (model)."""
        row = self.row(base_model)
        if row is None:
            raise BadInput(
                f"It is not known what serves '{base_model[:_SHOWN]}'. Add a row for it to a file that "
                "TUNEWAY_SERVING_FILE names.",
                param="model",
                code="serving_unknown",
            )
        plain = self.containers[row.container]
        values = {
            "accelerator_count": str(max(machine.accelerator_count, 1)),
            "context": str(row.context),
            "base_model": base_model,
            "weights": weights,
        }
        return msgspec.structs.replace(
            plain,
            arguments=tuple(_filled(argument, values) for argument in plain.arguments),
            environment={name: _filled(value, values) for name, value in plain.environment.items()},
        )

    def hourly(self, machine: Machine) -> HourlyCost:
        """What the machines cost for each hour."""
        price, known = self.prices.usd_per_hour.get(machine.machine_type), self.prices
        if price is None:
            return HourlyCost(remark=f"No price is known for {machine.machine_type}: set it in TUNEWAY_SERVING_FILE.")
        usd = round(price * machine.replicas, 4)
        return HourlyCost(usd=usd, source=known.source, as_of=known.as_of, remark=known.remark, verified=known.verified)

    def merged(self, override: bytes) -> "Serving":
        """This with a user's JSON file over it: its models come first, the rest goes in by name.

        ``{"models": […], "containers": {…}, "machines": {…}, "prices": {"usd_per_hour": {…}}}``.
        Raises BadInput (``TUNEWAY_SERVING_FILE``).
        """
        try:
            own = msgspec.json.decode(override, type=_Own)
            return _checked(self, own)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said = f"The serving file cannot be used: {error}. Write it as {{'models': […], 'prices': {{…}}, …}}."
            raise BadInput(said, param="TUNEWAY_SERVING_FILE", code="invalid_setting") from error


class _OwnPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    usd_per_hour: dict[str, float]
    as_of: date | None = None
    source: str = "this installation's own file"
    remark: str | None = None
    verified: bool = True


class _Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user's own file; what is left out stays as it is."""

    containers: dict[str, ServingContainer] = {}
    machines: dict[str, Machine] = {}
    models: tuple[Serves, ...] = ()
    prices: _OwnPrices | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``serving.json``: all but the prices."""

    as_of: date
    containers: dict[str, ServingContainer]
    machines: dict[str, Machine]
    models: tuple[Serves, ...]
    source: str
    verified: bool = False


@cache
def load() -> Serving:
    """What comes with this version of tuneway."""
    folder = files("tuneway.registry")
    file = msgspec.json.decode(folder.joinpath("serving.json").read_bytes(), type=_File)
    prices = msgspec.json.decode(folder.joinpath("serving.machine_prices.json").read_bytes(), type=MachinePrices)
    return Serving(**msgspec.structs.asdict(file), prices=prices)


def _checked(known: Serving, own: _Own) -> Serving:
    """The user's file over what is known. Raises msgspec.ValidationError for a row that leads nowhere."""
    after = msgspec.structs.replace(
        known,
        containers={**known.containers, **own.containers},
        machines={**known.machines, **own.machines},
        models=(*own.models, *known.models),
        prices=_prices(known, own.prices),
    )
    for row in own.models:
        if row.container not in after.containers or row.machine not in after.machines:
            raise msgspec.ValidationError(f"the row of {', '.join(row.names)} names no known container or machine")
    return after


def _prices(known: Serving, own: _OwnPrices | None) -> MachinePrices:
    """A user's prices are a list of their own: two sources are never mixed in one."""
    if own is None:
        return known.prices
    return MachinePrices(
        as_of=own.as_of or known.as_of,
        source=own.source,
        usd_per_hour=own.usd_per_hour,
        remark=own.remark,
        verified=own.verified,
    )


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
