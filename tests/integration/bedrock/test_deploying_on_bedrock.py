"""A model tuned on Bedrock is deployed on demand and routed, by events alone; botocore's model checks the calls."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from tests.integration.bedrock.test_tuning_on_bedrock import OnBedrock
from tuneway.adapters.bedrock_deploying import BedrockDeployer
from tuneway.adapters.bedrock_deployments import BedrockDeployments
from tuneway.ports import Message, Topic
from tuneway.registry.adopt import adopt
from tuneway.registry.hosting.deploying import Deploying, DeployRef
from tuneway.registry.hosting.intake import Intake
from tuneway.registry.hosting.orders import Orders
from tuneway.registry.hosting.rollout import Rollout
from tuneway.registry.models.promote import promote
from tuneway.registry.serving import load
from tuneway.registry.shelves import DeploymentStatus
from tuneway.routing.snapshot import current
from tuneway.tuning.lifecycle import JobRef
from tuneway.tuning.promotions import JobPromotion


class Deployed(OnBedrock):
    """The loop with the registry's part, too."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        super().__init__(folder, cleanup)
        self.deploying = Deploying(self.documents, self.events, lambda: self.clock)
        orders = Orders(load(), location="us-east-1")
        self.intake = Intake(self.deploying, self.outcomes, orders, automatic=False)
        deployer = BedrockDeployer(BedrockDeployments(self.tuning._control))  # noqa: SLF001 - the same control plane
        self.rollout = Rollout(
            self.deploying,
            Only(deployer),
            outcomes=self.outcomes,
            lease=60,
            decided=lambda job: promote(self.documents, self.outcomes, job=job, now=lambda: self.clock),
        )

    @override
    def handler(self, topic: Topic) -> Callable[[JobRef], object] | None:
        if topic is not Topic.JOB_FINISHED:
            return super().handler(topic)
        return lambda ref: adopt(self.documents, self.outcomes, job=ref.job_id, since=ref.since, intake=self.intake)

    @override
    def deliver(self, message: Message) -> bool:
        if message.topic is Topic.DEPLOY_REQUESTED:
            self.rollout(msgspec.json.decode(message.data, type=DeployRef))
            return True
        return super().deliver(message)

    def beat(self, times: int) -> None:
        for _ in range(times):
            self.settle(train=False, beats=1)
            self.deploying.tick()
            self.deliver_new()


class Only:
    """One deployer under its name."""

    def __init__(self, deployer: BedrockDeployer) -> None:
        self.deployer = deployer

    def of(self, name: str) -> BedrockDeployer:
        assert name == "bedrock"
        return self.deployer


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Deployed]:
    with ExitStack() as cleanup:
        yield Deployed(tmp_path, cleanup)


def test_a_tuned_model_answers_by_its_deployments_arn(loop: Deployed) -> None:
    job_id = loop.start()
    loop.beat(12)
    job = loop.job(job_id)
    assert (job.open, job.fine_tuned_model) == (False, job.alias)
    (theirs,) = loop.service.deployments.values()
    (target,) = current(loop.documents).routes[job.alias].targets
    assert (target.provider, target.dialect, target.model) == ("bedrock", "bedrock", theirs.arn)
    assert target.region == "us-east-1"


def test_a_promotion_waits_until_it_answers(loop: Deployed) -> None:
    job_id = loop.start()
    stored = loop.lifecycle.jobs.get(job_id)
    loop.lifecycle.note(stored, msgspec.structs.replace(stored.value, promotion=JobPromotion(alias="shop")))
    loop.beat(12)
    promotion = loop.job(job_id).promotion
    assert promotion is not None
    assert promotion.state == "done"
    routes = current(loop.documents).routes
    assert routes["shop"].targets == routes[loop.job(job_id).alias].targets


def test_one_that_fails_is_taken_away_and_the_job_told(loop: Deployed) -> None:
    job_id = loop.start()
    loop.service.dooms = lambda body: "No capacity for it." if "modelArn" in body else None
    loop.beat(12)
    job = loop.job(job_id)
    assert (job.open, job.fine_tuned_model, loop.service.deployments) == (False, None, {})
    (found,) = [stored.value for stored in loop.deploying.shelf.find()]
    assert found.status is DeploymentStatus.FAILED
    said = [happened.message for happened in loop.lifecycle.history(job).later()]
    assert "No capacity for it." in said[-1]
