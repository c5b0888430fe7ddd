"""Deployments on Amazon Bedrock: a custom model served on demand needs neither an upload nor an endpoint."""

from collections.abc import Mapping

from tuneway.adapters.aws_addresses import region_of
from tuneway.adapters.bedrock_deployments import BedrockDeployments, DeploymentState, DeploymentStatus
from tuneway.errors import BadInput
from tuneway.ports import DeployOrder, Place, Work

FAILED = "Amazon Bedrock gave no reason"


class BedrockDeployer:
    """``ports.Deployer`` for one AWS account."""

    def __init__(self, deployments: BedrockDeployments) -> None:
        self._deployments = deployments

    def upload(self, order: DeployOrder) -> Work:
        """Nothing to do: Bedrock has the model it made."""
        del order
        return Work(done=True)

    def create_endpoint(self, order: DeployOrder) -> Work:
        """Nothing to do: the deployment is what is called."""
        del order
        return Work(done=True)

    def deploy(self, order: DeployOrder) -> Work:
        """The deployment under the order's name; it is made when it is not there."""
        found = self._deployments.named(order.id, region=region_of(order.model))
        if found is None:
            return Work(operation=self._deployments.create(order.model, order.id, token=order.token))
        if found.model != order.model:
            raise BadInput(f"A deployment '{order.id}' of another model is there: {found.arn}. Give another name.")
        return _seen(found)

    def share(self, order: DeployOrder, shares: Mapping[str, int]) -> Work:
        """Nothing to do: an ARN is one model's alone."""
        del order, shares
        return Work(done=True)

    def rest(self, order: DeployOrder) -> Work:
        """Nothing to do: on demand costs by token and nothing while nobody asks, and a new deployment has a new ARN."""
        del order
        return Work(done=True)

    def remove(self, order: DeployOrder) -> Work:
        """Serve it no longer."""
        found = self._deployments.named(order.id, region=region_of(order.model))
        if found is None or found.model != order.model:
            return Work(done=True)
        if found.status is not DeploymentStatus.CREATING:  # that one cannot be deleted yet
            self._deployments.delete(found.arn)
        return Work(operation=found.arn)

    def status(self, operation: str) -> Work:
        """The deployment itself is the operation. Raises NotFound once it is gone."""
        return _seen(self._deployments.state(operation))


def _seen(found: DeploymentState) -> Work:
    match found.status:
        case DeploymentStatus.CREATING:
            return Work(operation=found.arn, stage="creating")
        case DeploymentStatus.ACTIVE:
            return Work(done=True, place=Place(resource=found.arn))
        case DeploymentStatus.FAILED:
            return Work(done=True, error=found.error or FAILED)
