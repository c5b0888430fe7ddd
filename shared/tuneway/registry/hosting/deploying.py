"""A deployment's lifecycle: which status may follow which, and the guarded writes that take it there.

    requested → uploading → creating_endpoint → deploying → ready | failed
    ready → draining → falling_asleep → asleep → waking → ready
    undeploying → undeployed

What fails on its way is undeployed first, so that nothing of it is left, and then ``failed``. A deployment stays *open*
until nothing more has to happen to it, its job told included: the tick looks at open ones only, once they are due. One
that may sleep stays open while it does not.
"""

import logging
from collections.abc import Callable

import msgspec

from tuneway.errors import Conflict, TryLater
from tuneway.ports import Documents, Events, Message, Topic
from tuneway.registry.hosting.orders import apart
from tuneway.registry.shelves import Deployment, DeploymentStatus, Moment
from tuneway.state import Collection, Stored

Status = DeploymentStatus
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.UPLOADING, Status.DEPLOYING, Status.UNDEPLOYING}),
    Status.UPLOADING: frozenset({Status.CREATING_ENDPOINT, Status.UNDEPLOYING}),
    Status.CREATING_ENDPOINT: frozenset({Status.DEPLOYING, Status.UNDEPLOYING}),
    Status.DEPLOYING: frozenset({Status.READY, Status.UNDEPLOYING}),
    Status.READY: frozenset({Status.DRAINING, Status.UNDEPLOYING}),
    Status.DRAINING: frozenset({Status.READY, Status.FALLING_ASLEEP, Status.UNDEPLOYING}),
    # A model that cannot be taken off its machines is looked for, and answers on.
    Status.FALLING_ASLEEP: frozenset({Status.ASLEEP, Status.WAKING, Status.UNDEPLOYING}),
    Status.ASLEEP: frozenset({Status.WAKING, Status.UNDEPLOYING}),
    # What cannot be woken falls asleep again: what may be there of it would cost.
    Status.WAKING: frozenset({Status.READY, Status.FALLING_ASLEEP, Status.UNDEPLOYING}),
    Status.UNDEPLOYING: frozenset({Status.UNDEPLOYED, Status.FAILED}),
    Status.UNDEPLOYED: frozenset({Status.REQUESTED}),
    Status.FAILED: frozenset({Status.REQUESTED, Status.UNDEPLOYING}),
}
ENDED = frozenset({Status.UNDEPLOYED, Status.FAILED})
# Whose use and wakings have to be noted, whether they have a rest or not.
NAPPING = frozenset({Status.DRAINING, Status.FALLING_ASLEEP, Status.ASLEEP, Status.WAKING})
# Whoever takes away what is there must know what may still be under way.
_CLEARING = frozenset({Status.UNDEPLOYING, Status.FALLING_ASLEEP})
# Seconds a step may take before it counts as failed. Machines with accelerators may have to be waited for; what has to
# be taken away is tried for a day, because it costs until it is gone.
PATIENCE: dict[Status, float] = {
    Status.UPLOADING: 2 * 3600,
    Status.CREATING_ENDPOINT: 1800,
    Status.DEPLOYING: 3 * 3600,
    Status.FALLING_ASLEEP: 24 * 3600,
    Status.WAKING: 3 * 3600,
    Status.UNDEPLOYING: 24 * 3600,
}
# Seconds until the tick sends a new deployment's message again.
REQUESTED_SECONDS = 30.0
# The history is for people; what came before is in the logs.
REMEMBERED = 50

log = logging.getLogger(__name__)


class DeployRef(msgspec.Struct, frozen=True):
    """What messages about a deployment carry."""

    deployment_id: str


class Deploying:
    """The deployments and the ways they change."""

    def __init__(self, documents: Documents, events: Events, now: Callable[[], float]) -> None:
        self.now = now
        self.documents = documents
        self.shelf = Collection(documents, "deployments", Deployment)
        self._events = events

    def named(self, wanted: Deployment, mine: Callable[[Deployment, Deployment], bool]) -> Deployment:
        """``wanted`` under its name, or under one of its own where what has that name is not ``mine``."""
        there = self.shelf.known(wanted.id)
        return wanted if there is None or mine(there.value, wanted) else apart(wanted)

    def move(self, stored: Stored[Deployment], status: Status, message: str, **fields: object) -> Stored[Deployment]:
        """Take it to its next status. Raises Conflict: stale, or no such transition."""
        return self.note(stored, moved(stored.value, status, message, now=self.now(), **fields))

    def note(self, stored: Stored[Deployment], deployment: Deployment) -> Stored[Deployment]:
        """Put ``deployment`` in the place of what was read. Raises Conflict when stale."""
        self.documents.commit(self.shelf.replace(stored, deployment))
        return self.shelf.get(stored.id)

    def tell(self, id_: str) -> None:
        """Wake the handler; what cannot be sent now waits for the tick."""
        try:
            self.send(id_)
        except TryLater as fault:
            log.warning("The message about deployment %s waits for the next tick: %s", id_, fault.message)

    def send(self, id_: str) -> None:
        """Wake the handler. Raises TryLater."""
        body = msgspec.json.encode(DeployRef(id_))
        self._events.publish(Message(topic=Topic.DEPLOY_REQUESTED, data=body, attributes={"deployment_id": id_}))

    def announce(self, *events: Message) -> None:
        """Tell whoever listens. Raises TryLater."""
        self._events.publish(*events)

    def tick(self) -> int:
        """Wake the handler for each open deployment that is due; how many. With none open this is one read.

        Repeating the call repeats messages, whose handler is idempotent. Raises TryLater when the bus is away.
        """
        found = self.shelf.find(("open", "==", True), ("deadline", "<=", self.now()), order_by="deadline")
        due = [each.id for each in found]
        for id_ in due:
            self.send(id_)
        return len(due)


def moved(deployment: Deployment, status: Status, message: str, *, now: float, **fields: object) -> Deployment:
    """The deployment in its next status. Raises Conflict when the table has no such transition."""
    if status not in TRANSITIONS[deployment.status]:
        raise Conflict(f"A deployment that is {deployment.status} cannot become {status}.")
    line = Moment(at=now, status=status, message=message)
    # What is under way is forgotten by whoever has seen its end, not by one who changes its mind.
    kept = deployment.operation if status in _CLEARING else None
    after = msgspec.structs.replace(
        deployment,
        status=status,
        open=True,
        moved_at=now,
        deadline=now,
        operation=kept,
        stage=None,
        rests=resting(status, deployment),
        history=(*deployment.history, line)[-REMEMBERED:],
    )
    return msgspec.structs.replace(after, **fields)


def resting(status: Status, deployment: Deployment) -> bool:
    """Whether its use has to be noted in this status: it may sleep, or does."""
    return status in NAPPING or (deployment.rest is not None and status not in ENDED)
