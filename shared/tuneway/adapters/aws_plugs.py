"""The plugs that reach into AWS, by the settings; they share their connections and keys."""

from functools import cache

from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.aws_own_keys import own_keys
from tuneway.adapters.bedrock_control import BedrockControl
from tuneway.adapters.bedrock_deploying import BedrockDeployer
from tuneway.adapters.bedrock_deployments import BedrockDeployments
from tuneway.adapters.bedrock_tuning import BedrockTuning
from tuneway.adapters.s3_files import S3Files
from tuneway.adapters.s3_objects import S3Objects
from tuneway.settings import Settings


def s3_files(settings: Settings) -> S3Files:
    """``s3://`` objects."""
    return S3Files(S3Objects(caller(settings), region=settings.aws_region, base_url=settings.aws_url))


def bedrock_tuning(settings: Settings) -> BedrockTuning:
    """The backend ``bedrock``."""
    return BedrockTuning(_control(settings), role=settings.bedrock_role)


def bedrock_deployments(settings: Settings) -> BedrockDeployments:
    """Tuned models served on demand."""
    return BedrockDeployments(_control(settings))


def bedrock_deployer(settings: Settings) -> BedrockDeployer:
    """The deployer ``bedrock``."""
    return BedrockDeployer(bedrock_deployments(settings))


def _control(settings: Settings) -> BedrockControl:
    return BedrockControl(caller(settings), timeout=settings.submit_timeout, base_url=settings.aws_url)


@cache
def caller(settings: Settings) -> AwsCaller:
    """One for a process: connections and keys are kept."""
    return AwsCaller(own_keys(settings))
