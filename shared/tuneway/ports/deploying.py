"""Where tuned models are put to answer calls."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a container runs on: ``accelerator_count`` of its kind in each of ``replicas`` machines."""

    machine_type: str
    accelerator_type: str | None = None
    accelerator_count: int = 0
    replicas: int = 1


class ServingContainer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The image that serves weights: the arguments as it takes them, and where on ``port`` it answers."""

    image: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    port: int = 8080
    predict_route: str = "/generate"
    health_route: str = "/ping"
    shared_memory_mb: int | None = None


class DeployOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment for a provider: whatever is made for it is named by ``id``, so that it is found again.

    ``token`` is another one each time the same is deployed anew, for providers that remember what they were asked.
    ``model`` is the provider's own name of it. ``weights`` is the folder of a model that has to be uploaded first, and
    then ``container`` and ``machine`` are what serves it, and ``served_name`` is what the container calls the model, if
    it has to be told. ``label`` says which of the version's weights they are. ``mark`` is this order's alone: what is
    there under its id and does not carry it is somebody else's, and left alone; empty, the id is the mark.
    ``endpoint`` is the id of another order's endpoint that it is put on, and ``endpoint_mark`` that one's mark; empty,
    it has its own. There the model is called ``deployed_id``, and gets ``traffic`` percent of the calls. ``shared``
    says that others are, or were, on that endpoint, too, and ``keep_endpoint`` that they need it still.
    """

    id: str
    token: str
    location: str
    display_name: str
    model: str
    weights: str | None = None
    container: ServingContainer | None = None
    machine: Machine | None = None
    served_name: str = ""
    label: str = "final"
    mark: str = ""
    endpoint: str = ""
    endpoint_mark: str = ""
    deployed_id: str = "1"
    traffic: int = 100
    shared: bool = False
    keep_endpoint: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model answers, by the provider's name; ``host`` is a dedicated endpoint's own."""

    resource: str
    host: str | None = None


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """How far something has come: it is done, or ``operation`` is what to ask about later.

    ``error`` says that it failed for good, ``cause`` is the provider's own code for that, ``stage`` its word for where
    it stands. ``place`` is there once the model answers.
    """

    done: bool = False
    operation: str | None = None
    stage: str | None = None
    error: str | None = None
    cause: str | None = None
    place: Place | None = None


class Deployer(Protocol):
    """A place that serves models. Each call looks first at what is there, so that repeating it makes nothing twice.

    Raises BadInput, NotAllowed or NotFound (permanent) and TryLater (passing, or unknown outcome).
    """

    def upload(self, order: DeployOrder) -> Work:
        """Have the provider know the model with these weights."""
        ...

    def create_endpoint(self, order: DeployOrder) -> Work:
        """Have an endpoint for it."""
        ...

    def deploy(self, order: DeployOrder) -> Work:
        """Have the model answer there."""
        ...

    def share(self, order: DeployOrder, shares: Mapping[str, int]) -> Work:
        """Have the endpoint's traffic shared like this: percent by ``deployed_id``, those alone that are there."""
        ...

    def rest(self, order: DeployOrder) -> Work:
        """Take the model off its machines and keep its endpoint and what was uploaded: ``deploy`` brings it back.

        What it carried goes to the others on the endpoint. Done when nothing of the order is deployed any more, or
        where a model costs nothing while nobody asks.
        """
        ...

    def remove(self, order: DeployOrder) -> Work:
        """Take away, one thing at each call, whatever is there of the order; done when nothing is."""
        ...

    def status(self, operation: str) -> Work:
        """How an operation stands; when it is done, the call that began it says what came of it. Raises NotFound."""
        ...


class Deployers(Protocol):
    """The deployers by the names of their providers."""

    def of(self, name: str) -> Deployer:
        """The deployer called ``name``. Raises BadInput when this installation has none of that name."""
        ...
