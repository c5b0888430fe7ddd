"""What the store holds for each kind of resource."""

import msgspec

from tuneway.local.vertex.datasets import Report
from tuneway.local.vertex.timeline import Plan


class TuningRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A tuning job: ``request`` is its create body, ``sources`` the earlier jobs whose model it goes on from."""

    name: str
    request: dict[str, object]
    spec: str
    base_model: str
    plan: Plan
    report: Report
    checkpoints: bool
    sources: tuple[str, ...] = ()
    continues: str | None = None
    tuned: dict[str, object] | None = None


class CustomRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A container's training job: ``output`` is its folder, ``request`` its create body."""

    name: str
    request: dict[str, object]
    plan: Plan
    output: str | None = None
    trouble: str | None = None


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A model in the registry: ``default`` is the version that its bare name means, ``last`` the newest one."""

    name: str
    default: str
    last: int
    body: dict[str, object]


class VersionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One version, named ``…/models/{id}@{version}``; ``sources`` are the jobs it learned from."""

    name: str
    version: str
    body: dict[str, object]
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    base_model: str | None = None

    @property
    def model(self) -> str:
        """The name of the model it belongs to."""
        return self.name.rpartition("@")[0]


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """A model on an endpoint: it answers from ``ready`` (Unix seconds) on, and from then on ``split`` counts."""

    id: str
    model: str
    version: str
    ready: float
    body: dict[str, object]
    split: dict[str, int] | None = None


class EndpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint; ``traffic`` maps deployed ids to percent."""

    name: str
    body: dict[str, object]
    deployed: tuple[Deployed, ...] = ()
    traffic: dict[str, int] = {}


class OperationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A long-running operation: its types are short message names of the API ``version`` that began it."""

    name: str
    version: str
    created: float
    done: float
    response_type: str
    response: dict[str, object]
    metadata_type: str
    metadata: dict[str, object] = {}
