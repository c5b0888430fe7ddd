"""What the registry holds: models and their versions, deployments; words as in Vertex AI."""

from enum import StrEnum
from typing import Literal

import msgspec

from tuneway.ports import Checkpoint, DeployOrder
from tuneway.registry.rest import Nap, Rest
from tuneway.registry.serving import HourlyCost
from tuneway.routing.routes import Dialect, Target

State = Literal["ready", "importing", "archived", "gone"]


class AliasMove(msgspec.Struct, frozen=True, kw_only=True):
    """One move of a version alias; ``before`` is None when it is new, ``after`` when it is gone."""

    at: float
    alias: str
    by: str
    before: str | None = None
    after: str | None = None


class Mirrored(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider's registry was last seen, or made, to hold: aliases, and labels by version number."""

    at: float
    aliases: dict[str, str] = {}
    labels: dict[str, dict[str, str]] = {}


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model; ``resource`` is the provider's name of it, without a version. Times are Unix seconds.

    ``alias`` is the name that its newest version was tuned under, ``name`` what calls name it by, before ``@`` and a
    version alias. ``aliases`` are version numbers by version alias, ``moves`` their last moves. ``revision`` rises with
    every edit, ``last`` is the last number that was given to a version. ``shared`` lets every tenant call its aliases.
    ``forgotten`` are numbers of versions that were deleted here, which the provider may still have. ``state`` is
    ``importing`` until the provider was asked for its versions, and ``gone`` when the provider has it no more.
    ``mirror_due`` is when the provider's registry is compared next, None where it does not know the model;
    ``mirror_error`` is why that could not be done the last time.
    """

    id: str
    owner: str
    base_model: str
    resource: str
    created_at: float
    alias: str | None = None
    name: str = ""
    shared: bool = False
    description: str = ""
    labels: dict[str, str] = {}
    aliases: dict[str, str] = {}
    moves: tuple[AliasMove, ...] = ()
    forgotten: tuple[str, ...] = ()
    last: int = 0
    mirrored: Mirrored | None = None
    mirror_due: float | None = None
    mirror_error: str | None = None
    state: State = "ready"
    revision: int = 1

    @property
    def called(self) -> str:
        """What calls name it by, before ``@`` and a version alias."""
        return self.name or self.alias or self.id


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model and where it came from.

    ``weights`` is the folder of one that has to be deployed before it answers, ``backend`` where it was tuned, and
    ``endpoint`` where it answers. What no job of ours made has no ``job``, and ``targets`` where it is elsewhere.
    ``copy_of`` is the version (``model@number``) of the same job in the model which that job made. One that was tuned
    again from another's dataset ``replaces`` it, and is that one's ``replaced_by``.
    """

    model: str
    number: str
    resource: str
    job: str
    dataset_sha256: str
    alias: str
    created_at: float
    checkpoints: tuple[Checkpoint, ...] = ()
    state: State = "ready"
    backend: str = "vertex_ai"
    location: str | None = None
    weights: str | None = None
    endpoint: str | None = None
    targets: tuple[Target, ...] = ()
    copy_of: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    base_model: str = ""
    description: str = ""
    labels: dict[str, str] = {}
    revision: int = 1


class DeploymentStatus(StrEnum):
    """Where a deployment stands."""

    REQUESTED = "requested"
    UPLOADING = "uploading"
    CREATING_ENDPOINT = "creating_endpoint"
    DEPLOYING = "deploying"
    READY = "ready"
    DRAINING = "draining"
    FALLING_ASLEEP = "falling_asleep"
    ASLEEP = "asleep"
    WAKING = "waking"
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
    ``told`` says that the job has been told. ``rest`` is when it may sleep, None is never; ``nap`` is what is known of
    its use and sleep, and ``rests`` is True where usage has to be noted there.
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
    told: bool = False
    rest: Rest | None = None
    nap: Nap = Nap()
    rests: bool = False
    history: tuple[Moment, ...] = ()
