"""What a deployment may cost by the hour before an admin has to ask for it: no spend without a gate."""

import msgspec

from tuneway.ports import Machine
from tuneway.registry.serving import HourlyCost
from tuneway.registry.shelves import Deployment


class Usual(msgspec.Struct, frozen=True):
    """The machine that a model is put on when nobody chooses one, and what an hour of it costs."""

    machine: Machine
    hourly: HourlyCost


def too_dear(wanted: Deployment, limit: float | None) -> str | None:
    """Why the installation's limit forbids it, as the end of a sentence; None when it may be.

    What costs nothing while nobody asks always may; what costs nobody knows how much never, where there is a limit.
    """
    if limit is None or wanted.hourly is None:
        return None
    usd, said = wanted.hourly.usd, f"this installation's limit is {limit:g} USD an hour for a deployment"
    if usd is None:
        return f"{said}, and what its machine costs is not known: set the price in TUNEWAY_SERVING_FILE"
    return f"{said}, and it would cost about {usd:.2f}" if usd > limit else None


def too_large(wanted: Deployment, usual: Usual | None) -> str | None:
    """Why it is more than what the model is put on by itself; None when it is not."""
    machine = wanted.order.machine if wanted.order else None
    if machine is None or (usual is not None and (machine == usual.machine or _no_dearer(wanted, usual))):
        return None
    on = "nothing is known to fit by itself" if usual is None else f"{usual.machine.machine_type} is what it fits"
    return f"machines and replicas beyond the usual ({on}) are an admin's to choose here"


def _no_dearer(wanted: Deployment, usual: Usual) -> bool:
    mine, most = wanted.hourly.usd if wanted.hourly else None, usual.hourly.usd
    return mine is not None and most is not None and mine <= most
