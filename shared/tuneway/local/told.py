"""What a stack is told when it starts, and what it tells then: apart, so that commands need not load the stack."""

from pathlib import Path

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to start; ``beat`` is seconds between ticks, ``speed`` runs the simulated training clock faster."""

    data: Path
    port: int = 8080
    api_key: str | None = None
    emulators: bool = False
    speed: float = 1.0
    beat: float = 1.0


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a started stack tells the world."""

    url: str
    key: str
    data: str
    vertex_url: str
