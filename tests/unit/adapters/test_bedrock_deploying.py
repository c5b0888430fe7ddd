"""A custom model on demand as a deployment like any other, against a control plane that botocore's model checks."""

from collections.abc import Iterator

import msgspec
import pytest

from tests.unit.adapters.aws import ROLE, Region, asked, region
from tuneway.adapters.bedrock_deploying import BedrockDeployer
from tuneway.adapters.bedrock_deployments import BedrockDeployments
from tuneway.adapters.bedrock_tuning import BedrockTuning
from tuneway.errors import BadInput, NotFound
from tuneway.ports import DeployOrder

DEPLOYS = 60


@pytest.fixture
def world() -> Iterator[Region]:
    with region() as found:
        yield found


@pytest.fixture
def deployer(world: Region) -> BedrockDeployer:
    return BedrockDeployer(BedrockDeployments(world.control))


@pytest.fixture
def order(world: Region) -> DeployOrder:
    return order_of(world, "ftjob-1")


def order_of(world: Region, token: str) -> DeployOrder:
    backend = BedrockTuning(world.control, role=ROLE)
    name = backend.create(asked(token)).name
    world.pass_seconds(100)
    made = backend.get(name).tuned
    assert made is not None
    return DeployOrder(
        id="ft-1-1", token="ft-1-1-0", location="us-east-1", display_name="ft:nova:acme::1", model=made.model
    )


def test_it_answers_where_its_arn_says(world: Region, deployer: BedrockDeployer, order: DeployOrder) -> None:
    assert (deployer.upload(order).done, deployer.create_endpoint(order).done) == (True, True)
    first = deployer.deploy(order)
    assert (first.done, deployer.deploy(order).stage) == (False, "creating")
    world.pass_seconds(DEPLOYS)
    assert first.operation is not None
    assert deployer.status(first.operation).done
    done = deployer.deploy(order)
    assert done.place is not None
    assert (done.place.resource, len(world.service.deployments)) == (first.operation, 1)


def test_one_that_fails_says_why(world: Region, deployer: BedrockDeployer, order: DeployOrder) -> None:
    world.service.dooms = lambda _: "No capacity."
    deployer.deploy(order)
    world.pass_seconds(DEPLOYS)
    found = deployer.deploy(order)
    assert (found.done, found.error) == (True, "No capacity.")


def test_it_is_taken_away_once_it_can_be(world: Region, deployer: BedrockDeployer, order: DeployOrder) -> None:
    first = deployer.deploy(order)
    assert deployer.remove(order).operation == first.operation
    assert len(world.service.deployments) == 1
    world.pass_seconds(DEPLOYS)
    deployer.remove(order)
    assert (world.service.deployments, deployer.remove(order).done) == ({}, True)
    assert first.operation is not None
    with pytest.raises(NotFound):
        deployer.status(first.operation)


def test_a_name_that_another_model_has_is_refused_and_left_alone(
    world: Region, deployer: BedrockDeployer, order: DeployOrder
) -> None:
    deployer.deploy(order)
    world.pass_seconds(DEPLOYS)
    other = msgspec.structs.replace(order_of(world, "ftjob-2"), token="t")
    with pytest.raises(BadInput, match="another model"):
        deployer.deploy(other)
    assert (deployer.remove(other).done, len(world.service.deployments)) == (True, 1)
