"""The places where models are trained, by the names that the catalogue gives them."""

import functools
from collections.abc import Callable

from tuneway.errors import BadInput
from tuneway.ports import TuningBackend
from tuneway.settings import Settings


class Backends:
    """``ports.TuningBackends``: each backend is loaded, and built, when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A backend keeps its connections and its token, so there is one of each.
        self.of = functools.cache(self._of)

    def _of(self, name: str) -> TuningBackend:
        make = _MAKERS.get(name)
        if make is None:
            raise BadInput(f"There is no tuning backend {name!r}. Use one of {', '.join(sorted(_MAKERS))}.")
        return make(self._settings)


def _vertex_ai(settings: Settings) -> TuningBackend:
    from tuneway.adapters.vertex_tuning import VertexTuning

    return VertexTuning(project=settings.project, timeout=settings.submit_timeout, vertex_url=settings.vertex_url)


def _vertex_open(settings: Settings) -> TuningBackend:
    from tuneway.adapters.vertex_open import VertexOpen

    return VertexOpen(project=settings.project, timeout=settings.submit_timeout, vertex_url=settings.vertex_url)


def _vertex_custom(settings: Settings) -> TuningBackend:
    from tuneway.adapters.vertex_custom import VertexCustom

    return VertexCustom(project=settings.project, timeout=settings.submit_timeout, vertex_url=settings.vertex_url)


def _bedrock(settings: Settings) -> TuningBackend:
    from tuneway.adapters.aws_plugs import bedrock_tuning

    return bedrock_tuning(settings)


_MAKERS: dict[str, Callable[[Settings], TuningBackend]] = {
    "vertex_ai": _vertex_ai,
    "vertex_open": _vertex_open,
    "vertex_custom": _vertex_custom,
    "bedrock": _bedrock,
}
