"""What the registry holds: models and their versions, deployments; words as in Vertex AI."""

from typing import Literal

import msgspec

from tuneway.ports import Checkpoint
from tuneway.routing.routes import Dialect


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model; ``resource`` is its name on Vertex AI without a version. Times are Unix seconds."""

    id: str
    owner: str
    base_model: str
    resource: str
    created_at: float


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a model and where it came from."""

    model: str
    number: str
    resource: str
    job: str
    dataset_sha256: str
    alias: str
    created_at: float
    checkpoints: tuple[Checkpoint, ...] = ()
    state: Literal["ready"] = "ready"


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint and how it is called; ``model`` and ``version`` are empty where tuneway did not make what it serves.

    ``host`` is a dedicated endpoint's own, ``raw`` says that its container is asked through ``rawPredict``.
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
