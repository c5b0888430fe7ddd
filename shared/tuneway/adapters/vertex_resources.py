"""Vertex AI's models, endpoints and operations by plain REST."""

import re
from collections.abc import Mapping

import msgspec

from tuneway.adapters.vertex_rest import VertexRest
from tuneway.errors import BadInput, NotFound

PATH = re.compile(r"projects/[^/?#]+/locations/(?P<location>[^/?#]+)(?:/(?!\.)[A-Za-z0-9_@:.-]+)+")
VERSION = "v1"


class VertexResources(VertexRest):
    """Calls about resources by their names. Each raises BadInput, NotAllowed, NotFound and TryLater."""

    def __init__(self, *, project: str, timeout: float, vertex_url: str | None = None) -> None:
        super().__init__("endpoints", VERSION, project=project, timeout=timeout, vertex_url=vertex_url)

    def parent(self, location: str) -> str:
        """The project's place in a location."""
        return f"projects/{self._project}/locations/{location}"

    def look(self, name: str) -> bytes | None:
        """What is there now, as JSON; None when nothing is."""
        try:
            return self._accepted("GET", self._url(name))
        except NotFound:
            return None

    def ask(self, name: str, body: object, *, query: Mapping[str, str] | None = None) -> bytes:
        """POST; the operation that began, as JSON. After TryLater it may have begun all the same."""
        return self._accepted("POST", self._url(name), query=query, body=msgspec.json.encode(body))

    def change(self, name: str, body: object, *, mask: str) -> bytes:
        """PATCH of the fields in ``mask``; the resource as it is then, as JSON."""
        sent = msgspec.json.encode(body)
        return self._accepted("PATCH", self._url(name), query={"updateMask": mask}, body=sent)

    def delete(self, name: str) -> bytes | None:
        """The operation that began, as JSON; None when it is gone already."""
        try:
            return self._accepted("DELETE", self._url(name))
        except NotFound:
            return None

    def _url(self, name: str) -> str:
        matched = PATH.fullmatch(name)
        if matched is None:
            raise BadInput(f"{name[:200]!r} is no name of a resource of Vertex AI (projects/…/locations/…/…).")
        return f"{self._root(matched['location'])}/{VERSION}/{name}"
