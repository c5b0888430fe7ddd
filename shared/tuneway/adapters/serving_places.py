"""The places where models are put to answer, by the names of their providers."""

import functools
from collections.abc import Callable

from tuneway.errors import BadInput
from tuneway.ports import Deployer
from tuneway.settings import Settings


class ServingPlaces:
    """``ports.Deployers``: each is loaded, and built, when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A deployer keeps its connections and its token, so there is one of each.
        self.of = functools.cache(self._of)

    def _of(self, name: str) -> Deployer:
        make = _MAKERS.get(name)
        if make is None:
            raise BadInput(f"There is no deployer {name!r}. Use one of {', '.join(sorted(_MAKERS))}.")
        return make(self._settings)


def _vertex(settings: Settings) -> Deployer:
    from tuneway.adapters.vertex_deploying import VertexDeployer

    return VertexDeployer(project=settings.project, timeout=settings.call_timeout, vertex_url=settings.vertex_url)


def _bedrock(settings: Settings) -> Deployer:
    from tuneway.adapters.aws_plugs import bedrock_deployer

    return bedrock_deployer(settings)


_MAKERS: dict[str, Callable[[Settings], Deployer]] = {"vertex": _vertex, "bedrock": _bedrock}
