"""Custom models on Amazon Bedrock, served on demand: a deployment's ARN is then the model to call.

Source: botocore's model of ``bedrock``, custom model deployments.
"""

import re
from enum import StrEnum

import msgspec

from tuneway.adapters.aws_addresses import region_of
from tuneway.adapters.aws_refusals import AwsRefused
from tuneway.adapters.bedrock_control import NAME_TAKEN, BedrockControl, decoded, segment
from tuneway.errors import BadInput, NotFound, TryLater

DEPLOYMENTS = "/model-customization/custom-model-deployments"
LONGEST_NAME = 63
NO_NAME = re.compile(r"[^0-9a-zA-Z]+")
TOKEN = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,254}[a-zA-Z0-9])?")


class DeploymentStatus(StrEnum):
    """Where a deployment stands."""

    CREATING = "creating"
    ACTIVE = "active"
    FAILED = "failed"


STATUSES = {
    "Creating": DeploymentStatus.CREATING,
    "Active": DeploymentStatus.ACTIVE,
    "Failed": DeploymentStatus.FAILED,
}


class DeploymentState(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as last seen: ``model`` is the ARN it serves, ``error`` is why it failed."""

    arn: str
    model: str
    status: DeploymentStatus
    error: str | None = None


class _Created(msgspec.Struct, frozen=True, rename="camel"):
    custom_model_deployment_arn: str


class _Deployment(msgspec.Struct, frozen=True, rename="camel"):
    custom_model_deployment_arn: str
    model_arn: str
    status: str
    failure_message: str | None = None


class BedrockDeployments:
    """The deployments of one AWS account. Calls raise BadInput and NotAllowed (permanent), and TryLater."""

    def __init__(self, control: BedrockControl) -> None:
        self._control = control

    def create(self, model_arn: str, name: str, *, token: str) -> str:
        """The ARN of a deployment that serves the model; the same token gives the same one, also after TryLater.

        Of ``name`` are kept what a deployment's name may hold, and 63 characters.
        """
        if TOKEN.fullmatch(token) is None:
            raise BadInput(f"The token {token[:80]!r} fits no deployment. Use up to 256 letters, digits and '-'.")
        body = {"modelDeploymentName": deployment_name(name), "modelArn": model_arn, "clientRequestToken": token}
        try:
            answer = self._control.create(DEPLOYMENTS, body, region=region_of(model_arn))
        except (BadInput, TryLater) as refusal:
            return self._taken(model_arn, body["modelDeploymentName"], refusal)
        return decoded(answer, _Created).custom_model_deployment_arn

    def named(self, name: str, *, region: str) -> DeploymentState | None:
        """The deployment that ``create`` made under this name, if it is there."""
        try:
            return _state(self._deployment(deployment_name(name), region=region))
        except NotFound:
            return None

    def state(self, arn: str) -> DeploymentState:
        """The deployment now. Raises NotFound."""
        return _state(self._deployment(arn, region=region_of(arn)))

    def delete(self, arn: str) -> None:
        """Serve it no longer; one that is gone is no error, one that is being created is TryLater."""
        try:
            self._control.ask("DELETE", f"{DEPLOYMENTS}/{segment(arn)}", region=region_of(arn))
        except NotFound:
            return

    def _taken(self, model_arn: str, name: str, refusal: BadInput | TryLater) -> str:
        """The deployment whose name is taken because it is the very one: AWS knows a token again only for so long."""
        cause = refusal.__cause__
        if not (isinstance(cause, AwsRefused) and cause.code in NAME_TAKEN):
            raise refusal
        try:
            found = self._deployment(name, region=region_of(model_arn))
        except NotFound:
            raise refusal from cause
        if found.model_arn != model_arn:
            raise refusal
        return found.custom_model_deployment_arn

    def _deployment(self, name: str, *, region: str) -> _Deployment:
        return decoded(self._control.get(f"{DEPLOYMENTS}/{segment(name)}", region=region), _Deployment)


def _state(found: _Deployment) -> DeploymentState:
    return DeploymentState(
        arn=found.custom_model_deployment_arn,
        model=found.model_arn,
        # A status that AWS adds later is not one that answers calls yet.
        status=STATUSES.get(found.status, DeploymentStatus.CREATING),
        error=found.failure_message or None,
    )


def deployment_name(name: str) -> str:
    """What a deployment may be called. Raises BadInput for a name without a letter or digit."""
    kept = NO_NAME.sub("-", name)[:LONGEST_NAME].strip("-")
    if not kept:
        raise BadInput(f"{name!r} names no deployment. Use letters and digits.", param="name")
    return kept
