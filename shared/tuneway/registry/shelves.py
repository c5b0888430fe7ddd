"""What the registry holds: models and their versions, deployments; words as in Vertex AI."""

from enum import StrEnum
from typing import Literal

import msgspec

from tuneway.ports import Checkpoint, DeployOrder
from tuneway.registry.serving import HourlyCost
from tuneway.routing.routes import Dialect


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model; ``resource`` is the provider's name of it, without a version. Times are Unix seconds.

    ``alias`` is the name that its newest version was tuned under.
    """

    id: str
    owner: str
    base_model: str
    resource: str
    created_at: float
    alias: str | None = None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model and where it came from.

    ``weights`` is the folder of one that has to be deployed before it answers, ``backend`` where it was tuned, and
    ``endpoint`` where it answers.
    """

    model: str
    number: str
    resource: str
    job: str
    dataset_sha256: str
    alias: str
    created_at: float
    checkpoints: tuple[Checkpoint, ...] = ()
    state: Literal["ready"] = "ready"
    backend: str = "vertex_ai"
    location: str | None = None
    weights: str | None = None
    endpoint: str | None = None


class DeploymentStatus(StrEnum):
    """Where a deployment stands."""

    REQUESTED = "requested"
    UPLOADING = "uploading"
    CREATING_ENDPOINT = "creating_endpoint"
    DEPLOYING = "deploying"
    READY = "ready"
    FAILED = "failed"
    UNDEPLOYING = "undeploying"
    UNDEPLOYED = "undeployed"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a deployment failed: fact and remedy."""

    code: str
    message: str


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a deployment's history."""

    at: float
    status: DeploymentStatus
    message: str


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A model's place and how it is called.

    ``model`` and ``version`` are empty where tuneway did not make what it serves.
    ``endpoint`` is empty until it answers. ``host`` is a dedicated endpoint's own, ``raw`` says that its container is
    asked through ``rawPredict``. ``order`` is there when tuneway deploys it, with ``deployer``; ``alias`` is the route
    made once it is ready, ``job`` the one to be told.
    ``open`` is True while something has still to happen; ``lease_until`` keeps a second handler away while one may be
    in a call, ``attempts`` counts the calls, ``operation`` is the provider's word for the one under way.
    """

    id: str
    owner: str
    endpoint: str
    dialect: Dialect
    created_at: float
    model: str = ""
    version: str = ""
    checkpoint: str | None = None
    host: str | None = None
    raw: bool = False
    status: DeploymentStatus = DeploymentStatus.READY
    open: bool = False
    deployer: str | None = None
    order: DeployOrder | None = None
    alias: str | None = None
    job: str | None = None
    hourly: HourlyCost | None = None
    moved_at: float = 0.0
    deadline: float = 0.0
    lease_until: float = 0.0
    attempts: int = 0
    operation: str | None = None
    stage: str | None = None
    error: Trouble | None = None
    history: tuple[Moment, ...] = ()
