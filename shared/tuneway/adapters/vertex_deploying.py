"""Deployments on Vertex AI: weights uploaded as a model, on an endpoint of their own or beside others, on own machines.

Model, endpoint and deployed model are named by the order, so that whoever lost an answer finds what it made; what is
still under way is found among the operations of its resource. What is there under that name without the order's label
is somebody else's: nothing is put on it and nothing of it is taken away. On an endpoint that is shared, an operation
may be another's: its end is waited for, but what comes of it is read from what is there then.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from tuneway.adapters.vertex_job import CODES, Fault
from tuneway.adapters.vertex_resources import VertexResources
from tuneway.adapters.vertex_rest import mapped
from tuneway.adapters.vertex_serving import (
    deployed_model,
    endpoint,
    endpoint_labels,
    labels,
    model,
    shared,
    undeployed,
)
from tuneway.errors import BadInput, NotFound
from tuneway.ports import DeployOrder, Place, Work
from tuneway.registry.hosting.traffic.shares import among, carrying

# For people: what a shared endpoint is busy with may be another's.
BUSY = Work(stage="endpoint_busy")


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    deployment_stage: str = ""


class _Operation(msgspec.Struct, frozen=True):
    """The fields of google.longrunning.Operation that are read here."""

    name: str = ""
    done: bool = False
    error: Fault | None = None
    metadata: _Metadata = _Metadata()


class _Operations(msgspec.Struct, frozen=True):
    operations: list[_Operation] = []


class _Deployed(msgspec.Struct, frozen=True):
    id: str


class _Model(msgspec.Struct, frozen=True):
    labels: dict[str, str] = {}


class _Endpoint(_Model, frozen=True, rename="camel"):
    dedicated_endpoint_dns: str = ""
    deployed_models: list[_Deployed] = []
    traffic_split: dict[str, int] = {}

    @property
    def shares(self) -> dict[str, int]:
        """The percent of the traffic of each model that is there."""
        return {each.id: self.traffic_split.get(each.id, 0) for each in self.deployed_models}


_Shown = TypeVar("_Shown", _Model, _Endpoint)


class VertexDeployer:
    """``ports.Deployer`` for one project. ``timeout`` is in seconds, for each call.

    ``vertex_url`` (``http://127.0.0.1:1234``) puts the simulation in the place of Google, with no credentials.
    """

    def __init__(self, *, project: str, timeout: float, vertex_url: str | None = None) -> None:
        self._rest = VertexResources(project=project, timeout=timeout, vertex_url=vertex_url)

    def upload(self, order: DeployOrder) -> Work:
        """The weights as a model of the order's name. Raises BadInput when another's is there."""
        name = self._model(order)
        if self._ours(name, _Model, labels(order)) is not None:
            return Work(done=True)
        parent = self._rest.parent(order.location)
        return self._under_way(name) or _began(self._rest.ask(f"{parent}/models:upload", model(order)))

    def create_endpoint(self, order: DeployOrder) -> Work:
        """An endpoint of the order's name, or that of another's which it is put on. Raises BadInput, and NotFound."""
        if self._endpoint_of(order) is not None:
            return Work(done=True)
        if order.endpoint:
            raise _gone_endpoint(self._endpoint(order))
        parent = self._rest.parent(order.location)
        return self._under_way(self._endpoint(order)) or _began(
            self._rest.ask(f"{parent}/endpoints", endpoint(order), query={"endpointId": order.id})
        )

    def deploy(self, order: DeployOrder) -> Work:
        """The model on its endpoint, with its share of the traffic. Raises BadInput when it is another's endpoint."""
        name = self._endpoint(order)
        found = self._endpoint_of(order)
        if found is None:
            raise _gone_endpoint(name)
        if order.deployed_id in found.shares:
            return Work(done=True, place=Place(resource=name, host=found.dedicated_endpoint_dns or None))
        body = deployed_model(order, model=self._model(order), there=found.shares)
        return self._busy(name, order) or _began(self._rest.ask(f"{name}:deployModel", body))

    def share(self, order: DeployOrder, shares: Mapping[str, int]) -> Work:
        """The endpoint's traffic among those of ``shares`` that are there. Raises BadInput when it is another's."""
        name = self._endpoint(order)
        found = self._endpoint_of(order)
        if found is None:
            raise _gone_endpoint(name)
        wanted = carrying(among({id_: share for id_, share in shares.items() if id_ in found.shares}))
        if wanted and wanted != carrying(found.shares):
            self._rest.change(name, shared(wanted), mask="trafficSplit")
        return Work(done=True)

    def rest(self, order: DeployOrder) -> Work:
        """Undeploy it and keep its endpoint and its model; another's stay as they are."""
        name = self._endpoint(order)
        # First what is under way, then what is there: the other way round, what has just been made would be missed.
        busy = self._busy(name, order)
        found = self._seen(name, _Endpoint)
        if found is None or not _carries(found, endpoint_labels(order)):
            return Work(done=True)
        if busy is not None:
            return busy
        there = found.shares
        return self._undeployed(name, order.deployed_id, there) if order.deployed_id in there else Work(done=True)

    def remove(self, order: DeployOrder) -> Work:
        """Undeploy, delete the endpoint, delete the model: the first of these that is not done; another's stay.

        The endpoint stays, too, while others need it.
        """
        name, model_name = self._endpoint(order), self._model(order)
        # As when it is put to rest: first what is under way.
        busy = {name: self._busy(name, order), model_name: self._under_way(model_name)}
        found, uploaded = self._seen(name, _Endpoint), self._seen(model_name, _Model)
        ours = {name: _carries(found, endpoint_labels(order)), model_name: _carries(uploaded, labels(order))}
        if waiting := next((work for each, work in busy.items() if work and ours[each] is not False), None):
            return waiting
        if found is not None and ours[name] and (work := self._taken_down(order, found)) is not None:
            return work
        return _gone(self._rest.delete(model_name)) if ours[model_name] else Work(done=True)

    def status(self, operation: str) -> Work:
        """The operation now. Raises NotFound."""
        body = self._rest.look(operation)
        if body is None:
            raise NotFound(f"Vertex AI knows no operation {operation}.")
        return _work(_read(body, _Operation))

    def _taken_down(self, order: DeployOrder, found: _Endpoint) -> Work | None:
        """The next thing of it on the endpoint, then the endpoint; None when nothing is left to do there."""
        name, there = self._endpoint(order), found.shares
        mine = next((id_ for id_ in there if id_ == order.deployed_id or not order.shared), None)
        if mine is not None:
            return self._undeployed(name, mine, there)
        return None if there or order.keep_endpoint else _gone(self._rest.delete(name))

    def _undeployed(self, name: str, id_: str, there: Mapping[str, int]) -> Work:
        return _began(self._rest.ask(f"{name}:undeployModel", undeployed(id_, there=there)))

    def _busy(self, name: str, order: DeployOrder) -> Work | None:
        """What is being done to the endpoint now."""
        under_way = self._under_way(name)
        return BUSY if under_way is not None and order.shared else under_way

    def _under_way(self, name: str) -> Work | None:
        """What is being done to the resource now: an answer that was lost is found here."""
        try:
            body = self._rest.look(f"{name}/operations")
        except BadInput:  # a resource that is not there yet may have no list
            return None
        listed = _read(body, _Operations).operations if body is not None else []
        return next((_work(each) for each in listed if not each.done), None)

    def _endpoint_of(self, order: DeployOrder) -> _Endpoint | None:
        return self._ours(self._endpoint(order), _Endpoint, endpoint_labels(order))

    def _ours(self, name: str, kind: type[_Shown], wanted: dict[str, str]) -> _Shown | None:
        """What of this order is there. Raises BadInput when what is there is not of this order."""
        found = self._seen(name, kind)
        if _carries(found, wanted) is False:
            raise BadInput(f"{name} is there and is not tuneway's. Give the deployment another name.", param="name")
        return found

    def _seen(self, name: str, kind: type[_Shown]) -> _Shown | None:
        body = self._rest.look(name)
        return None if body is None else _read(body, kind)

    def _model(self, order: DeployOrder) -> str:
        return f"{self._rest.parent(order.location)}/models/{order.id}"

    def _endpoint(self, order: DeployOrder) -> str:
        return f"{self._rest.parent(order.location)}/endpoints/{order.endpoint or order.id}"


_Kind = TypeVar("_Kind", _Operation, _Operations, _Model, _Endpoint)


def _read(body: bytes, kind: type[_Kind]) -> _Kind:
    with mapped():
        return msgspec.json.decode(body, type=kind)


def _carries(found: _Model | None, wanted: dict[str, str]) -> bool | None:
    """Whether it is labelled so; None when nothing is there."""
    return None if found is None else wanted.items() <= found.labels.items()


def _gone_endpoint(name: str) -> NotFound:
    return NotFound(f"The endpoint {name} is gone.")


def _began(body: bytes) -> Work:
    """An operation that is over at once is looked at all the same: what it made says more than it does."""
    work = _work(_read(body, _Operation))
    return msgspec.structs.replace(work, done=work.error is not None)


def _gone(body: bytes | None) -> Work:
    return Work() if body is None else _began(body)


def _work(operation: _Operation) -> Work:
    if operation.error is not None and (operation.error.code or operation.error.message):
        cause = CODES.get(operation.error.code, str(operation.error.code))
        return Work(done=True, operation=operation.name, error=operation.error.message or cause, cause=cause)
    stage = operation.metadata.deployment_stage.lower() or None
    return Work(done=operation.done, operation=operation.name, stage=stage)
