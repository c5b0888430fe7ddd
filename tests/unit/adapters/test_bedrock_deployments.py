"""Custom models served on demand, against a control plane that botocore's model checks."""

from collections.abc import Iterator

import pytest
from botocore.session import get_session

from tests.unit.adapters.aws import KEYS, ROLE, Region, asked, region
from tests.vendors.aws_services import Fault, Reply
from tuneway.adapters.bedrock_deployments import BedrockDeployments, DeploymentStatus, deployment_name
from tuneway.adapters.bedrock_tuning import BedrockTuning
from tuneway.errors import BadInput, NotFound, TryLater

CREATE = "CreateCustomModelDeployment"


@pytest.fixture
def world() -> Iterator[Region]:
    with region() as found:
        yield found


@pytest.fixture
def deployments(world: Region) -> BedrockDeployments:
    return BedrockDeployments(world.control)


@pytest.fixture
def model(world: Region) -> str:
    return tuned(world, "ftjob-1")


def tuned(world: Region, token: str) -> str:
    backend = BedrockTuning(world.control, role=ROLE)
    name = backend.create(asked(token)).name
    world.pass_seconds(100)
    made = backend.get(name).tuned
    assert made is not None
    return made.model


def test_a_deployment_becomes_active(world: Region, deployments: BedrockDeployments, model: str) -> None:
    arn = deployments.create(model, "ft:nova-micro:acme", token="deploy-1")
    first = deployments.state(arn)
    world.pass_seconds(60)
    assert (first.status, deployments.state(arn).status) == (DeploymentStatus.CREATING, DeploymentStatus.ACTIVE)
    assert (first.arn, first.model, first.error) == (arn, model, None)
    assert list(world.service.deployments) == ["ft-nova-micro-acme"]


def test_a_deployment_that_fails_says_why(world: Region, deployments: BedrockDeployments, model: str) -> None:
    world.service.dooms = lambda _: "No capacity."
    arn = deployments.create(model, "a", token="deploy-1")
    world.pass_seconds(60)
    state = deployments.state(arn)
    assert (state.status, state.error) == (DeploymentStatus.FAILED, "No capacity.")


@pytest.mark.parametrize("remembered", [True, False], ids=["by its token", "by its name"])
def test_creating_twice_is_creating_once(
    world: Region, deployments: BedrockDeployments, model: str, *, remembered: bool
) -> None:
    world.service.remembers_tokens = remembered
    world.fake.loses(CREATE)
    with pytest.raises(TryLater):
        deployments.create(model, "a", token="deploy-1")
    arn = deployments.create(model, "a", token="deploy-1")
    assert [found.arn for found in world.service.deployments.values()] == [arn]


def test_a_name_that_serves_another_model_is_taken(world: Region, deployments: BedrockDeployments, model: str) -> None:
    deployments.create(tuned(world, "ftjob-2"), "a", token="deploy-2")
    with pytest.raises(BadInput, match="currently in use"):
        deployments.create(model, "a", token="deploy-1")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ValidationException", BadInput),
        (400, "ServiceQuotaExceededException", TryLater),
        (429, "ThrottlingException", TryLater),
    ],
)
def test_a_refusal_stays_a_refusal(
    world: Region, deployments: BedrockDeployments, model: str, status: int, code: str, kind: type[Exception]
) -> None:
    world.fake.fails(CREATE, status, code)
    with pytest.raises(kind, match=code):
        deployments.create(model, "a", token="deploy-1")


def test_removing_twice_is_removing_once(world: Region, deployments: BedrockDeployments, model: str) -> None:
    arn = deployments.create(model, "a", token="deploy-1")
    with pytest.raises(TryLater, match="ConflictException"):
        deployments.delete(arn)
    world.pass_seconds(60)
    deployments.delete(arn)
    deployments.delete(arn)
    with pytest.raises(NotFound):
        deployments.state(arn)


def test_a_status_that_is_new_does_not_answer_calls_yet(
    world: Region, deployments: BedrockDeployments, model: str
) -> None:
    arn = deployments.create(model, "a", token="deploy-1")
    body = f'{{"customModelDeploymentArn": "{arn}", "modelArn": "{model}", "status": "Warming"}}'
    world.fake.faults.append(Fault("GetCustomModelDeployment", reply=Reply(200, body.encode())))
    assert deployments.state(arn).status is DeploymentStatus.CREATING


@pytest.mark.parametrize("token", ["", "a_b", "-a", "x" * 257])
def test_a_token_that_aws_would_refuse_is_refused(deployments: BedrockDeployments, model: str, token: str) -> None:
    with pytest.raises(BadInput, match="fits no deployment"):
        deployments.create(model, "a", token=token)


@pytest.mark.parametrize(
    ("name", "kept"), [("ft:a:b", "ft-a-b"), ("a--b__c", "a-b-c"), ("x" * 70, "x" * 63), ("-é-a-", "a")]
)
def test_a_name_keeps_what_it_may(name: str, kept: str) -> None:
    assert deployment_name(name) == kept


@pytest.mark.parametrize("name", ["", "::", "é"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="letters and digits"):
        deployment_name(name)


def test_awss_own_client_works_against_the_fake(world: Region, model: str) -> None:
    client = get_session().create_client(
        "bedrock",
        endpoint_url=world.fake.url,
        region_name="us-east-1",
        aws_access_key_id=KEYS.access_key_id,
        aws_secret_access_key=KEYS.secret_access_key,
    )
    made = client.create_custom_model_deployment(modelDeploymentName="a", modelArn=model)
    arn = made["customModelDeploymentArn"]
    world.pass_seconds(60)
    assert client.get_custom_model_deployment(customModelDeploymentIdentifier=arn)["status"] == "Active"
    client.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    client.close()
