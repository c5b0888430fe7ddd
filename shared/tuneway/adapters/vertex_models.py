"""Vertex AI's Model Registry by plain REST: versions, their aliases and labels, and where they are deployed."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, TypeVar

import msgspec

from tuneway.adapters.vertex_resources import VertexResources
from tuneway.adapters.vertex_rest import mapped
from tuneway.errors import NotFound
from tuneway.ports import ListedVersion

PAGE = "100"
# What Vertex AI's own tuning makes of Gemini: https://cloud.google.com/vertex-ai/docs/reference/rest (ModelSourceType).
TUNED = "GENIE"


class MergeVersionAliases(TypedDict):
    """The body of ``:mergeVersionAliases``; an alias with ``-`` before it is taken away."""

    versionAliases: list[str]


class Labelled(TypedDict):
    """The body of a change of labels."""

    name: str
    labels: dict[str, str]


class _Genie(msgspec.Struct, frozen=True, rename="camel"):
    base_model_uri: str = ""


class _BaseSource(msgspec.Struct, frozen=True, rename="camel"):
    genie_source: _Genie = _Genie()


class _Source(msgspec.Struct, frozen=True, rename="camel"):
    source_type: str = ""


class _Deployed(msgspec.Struct, frozen=True):
    endpoint: str = ""


class _Model(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of Model that are read here."""

    version_id: str = ""
    version_aliases: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    version_create_time: datetime | None = None
    model_source_info: _Source = _Source()
    base_model_source: _BaseSource = _BaseSource()
    deployed_models: tuple[_Deployed, ...] = ()


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    models: tuple[_Model, ...] = ()
    next_page_token: str = ""


class VertexModels(VertexResources):
    """``ports.ModelListings`` for the models of any project that this one may see. ``timeout`` is in seconds."""

    def versions(self, model: str) -> Sequence[ListedVersion] | None:
        """All versions, oldest first; None when there is no such model."""
        found: list[_Model] = []
        query = {"pageSize": PAGE}
        try:
            while True:
                page = _read(self._accepted("GET", self._url(f"{model}:listVersions"), query=query), _Page)
                found += page.models
                if not page.next_page_token:
                    break
                query = {"pageSize": PAGE, "pageToken": page.next_page_token}
        except NotFound:
            return None
        return sorted((_listed(each) for each in found), key=lambda each: (len(each.number), each.number))

    def endpoint(self, model: str, version: str) -> str | None:
        """Where the version is deployed, at one place of several; None when nowhere."""
        body = self.look(f"{model}@{version}")
        deployed = _read(body, _Model).deployed_models if body is not None else ()
        return next((each.endpoint for each in deployed if each.endpoint), None)

    def point(self, model: str, version: str, *, added: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        """Give the version aliases, taking them from the others, or take them away."""
        self.ask(f"{model}@{version}:mergeVersionAliases", merge(added, removed))

    def label(self, model: str, version: str, labels: dict[str, str]) -> None:
        """Have these be all labels of the version."""
        name = f"{model}@{version}"
        body = msgspec.json.encode(labelled(name, labels))
        self._accepted("PATCH", self._url(name), query={"updateMask": "labels"}, body=body)


def merge(added: Sequence[str], removed: Sequence[str]) -> MergeVersionAliases:
    """The body that gives and takes aliases."""
    return {"versionAliases": [*added, *(f"-{alias}" for alias in removed)]}


def labelled(name: str, labels: dict[str, str]) -> Labelled:
    """The body that sets labels."""
    return {"name": name, "labels": labels}


def _listed(model: _Model) -> ListedVersion:
    created = model.version_create_time
    return ListedVersion(
        number=model.version_id,
        created_at=created.timestamp() if created else 0.0,
        aliases=model.version_aliases,
        labels=model.labels,
        base_model=model.base_model_source.genie_source.base_model_uri.rpartition("/")[2] or None,
        tuned=model.model_source_info.source_type == TUNED,
    )


_Kind = TypeVar("_Kind", _Model, _Page)


def _read(body: bytes, kind: type[_Kind]) -> _Kind:
    with mapped():
        return msgspec.json.decode(body, type=kind)
