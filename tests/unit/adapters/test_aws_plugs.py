"""The plugs that reach into AWS, made from the settings alone."""

import json
from collections.abc import Iterator

import pytest

from tests.unit.adapters.aws import ROLE, asked
from tests.vendors.aws_services import AwsFake, running
from tests.vendors.bedrock_control import BedrockControl as Control
from tests.vendors.s3_buckets import S3Buckets
from tests.vendors.sigv4 import Account
from tuneway.adapters import plugs
from tuneway.adapters.aws_plugs import bedrock_deployments, bedrock_tuning, caller, s3_files
from tuneway.adapters.tuning_backends import Backends
from tuneway.errors import NotAllowed
from tuneway.settings import Settings


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()
    keys = {"access_key_id": account.access_key, "secret_access_key": account.secret_key}
    monkeypatch.setenv("AWS_KEYS_OF_THE_TEST", json.dumps(keys))


def settings(fake: AwsFake) -> Settings:
    return Settings(aws_url=fake.url, aws_secret="env:AWS_KEYS_OF_THE_TEST", bedrock_role=ROLE, aws_bucket="bucket-1")


@pytest.fixture
def control() -> Iterator[AwsFake]:
    with running(Control(clock=lambda: 1_790_000_000.0)) as fake:
        yield fake


@pytest.mark.usefixtures("_keys")
def test_the_backend_of_bedrock_starts_a_job(control: AwsFake) -> None:
    backend = Backends(settings(control)).of("bedrock")
    name = backend.create(asked()).name
    assert backend.get(name).token == "ftjob-1"
    caller(settings(control)).close()


@pytest.mark.usefixtures("_keys")
def test_files_in_s3_are_read_by_their_scheme() -> None:
    with running(S3Buckets()) as fake:
        with s3_files(settings(fake)).write("s3://bucket-1/x") as file:
            file.write(b"y")
        with plugs.sources(settings(fake)).read("s3://bucket-1/x") as found:
            assert found.read() == b"y"
        caller(settings(fake)).close()


def test_the_plugs_share_their_connections(control: AwsFake) -> None:
    assert caller(settings(control)) is caller(settings(control))
    assert bedrock_deployments(settings(control)) is not None
    caller(settings(control)).close()


def test_an_installation_without_aws_says_so_when_it_is_needed() -> None:
    backend = bedrock_tuning(Settings(bedrock_role=ROLE))
    with pytest.raises(NotAllowed, match="TUNEWAY_AWS_ROLE"):
        backend.find("ftjob-1", location="us-east-1")
    caller(Settings(bedrock_role=ROLE)).close()
