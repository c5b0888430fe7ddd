"""What the simulated Vertex AI is started with."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec


class VertexSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``store`` is one SQLite file, ``objects`` the folder that stands for Cloud Storage (``<bucket>/<object path>``).

    ``speed`` runs the training clock that many times faster; a job keeps the speed it was started with.
    ``chunk_seconds`` is the pause between streamed chunks at speed 1. ``luck`` says, from 0 up to 1, which of an
    endpoint's models answers the next call.
    """

    store: Path
    objects: Path
    speed: float = 1.0
    project: str = "local-project"
    clock: Callable[[], float] = time.time
    require_token: bool = False
    chunk_seconds: float = 0.02
    luck: Callable[[], float] = secrets.SystemRandom().random
