"""Take in a finished job's weights: a model and its version in the registry, and a deployment to answer from."""

from contextlib import suppress

from tuneway.errors import AlreadyExists, BadInput, TryLater
from tuneway.ports import Outcome, Outcomes
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.deployment_gate import too_dear
from tuneway.registry.hosting.orders import Orders, Wish, cost_said, same
from tuneway.registry.made import model_of, version_of
from tuneway.registry.serving import FREE_WHEN_IDLE
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.state import Collection

# What costs nothing while nobody asks is deployed whatever the setting says.
FREE_BACKENDS = frozenset({"bedrock"})


class Intake:
    """Registers what a job made, and has it deployed.

    What costs by the hour is not when ``automatic`` is False, when it costs more than ``usd_per_hour`` or nobody knows
    how much, or when somebody wanted the job to end: who cancels does not expect a machine to be billed from then on.
    """

    def __init__(
        self,
        deploying: Deploying,
        outcomes: Outcomes,
        orders: Orders,
        *,
        automatic: bool,
        usd_per_hour: float | None = None,
    ) -> None:
        self._deploying = deploying
        self._outcomes = outcomes
        self._orders = orders
        self._automatic = automatic
        self._usd_per_hour = usd_per_hour

    def __call__(self, outcome: Outcome) -> bool:
        """Whether it is decided now that the model answers, or does not. Repeating the call changes nothing.

        A deployment, once it is there, tells the job itself what came of it.
        """
        model, version = model_of(outcome), version_of(outcome)
        self._register(model, version)
        try:
            wanted = self._orders.of(model, version, Wish(), now=self._deploying.now())
        except BadInput as fault:
            self._outcomes.close(outcome.job, message=f"The model is registered as '{model.id}'. {fault.message}")
            return True
        wanted = self._deploying.named(wanted, same)
        if (because := self._reason_to_wait(outcome, wanted)) is not None:
            self._outcomes.close(outcome.job, message=_by_hand(wanted, because))
            return True
        self._outcomes.tell(outcome.job, message=_underway(wanted))
        self._begin(wanted)
        return False

    def _begin(self, wanted: Deployment) -> None:
        """It is there after this, once. Raises TryLater when another took the name just now."""
        try:
            self._deploying.documents.commit(self._deploying.shelf.create(wanted.id, wanted))
        except AlreadyExists:
            if not same(self._deploying.shelf.get(wanted.id).value, wanted):
                raise TryLater(f"The name '{wanted.id}' was taken just now. Ask again.") from None
            return
        self._deploying.tell(wanted.id)

    def _reason_to_wait(self, outcome: Outcome, wanted: Deployment) -> str | None:
        if outcome.backend in FREE_BACKENDS:
            return None
        if outcome.cancel_asked:
            return "the job was to be cancelled, but had succeeded before it could be stopped"
        if not self._automatic:
            return "this installation deploys open models by hand"
        return too_dear(wanted, self._usd_per_hour)

    def _register(self, model: Model, version: Version) -> None:
        documents = self._deploying.documents
        with suppress(AlreadyExists):
            documents.commit(
                Collection(documents, "models", Model).create(model.id, model),
                Collection(documents, f"models/{model.id}/versions", Version).create(version.number, version),
            )


def _underway(wanted: Deployment) -> str:
    if wanted.order is None or wanted.order.machine is None or wanted.hourly is None:
        return f"Deploying the model as '{wanted.id}'. {FREE_WHEN_IDLE}"
    return (
        f"Deploying the model as '{wanted.id}' on {cost_said(wanted.order.machine, wanted.hourly)}, for as long as it "
        f"is deployed. End that with: tuneway deployments delete {wanted.id} --force"
    )


def _by_hand(wanted: Deployment, because: str) -> str:
    machine = wanted.order.machine if wanted.order else None
    cost = f" It runs on {cost_said(machine, wanted.hourly)}." if machine and wanted.hourly else ""
    return (
        f"The model is registered as '{wanted.model}', version {wanted.version}, and not deployed, because "
        f"{because}. Deploy it with: tuneway deployments create {wanted.model}.{cost}"
    )
