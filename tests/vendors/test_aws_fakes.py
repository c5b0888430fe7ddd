"""The fakes of S3 and of Bedrock's control plane: they refuse what AWS refuses."""

import httpx
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.vendors.aws_services import AwsFake, Fault, Reply, Service, running
from tests.vendors.bedrock_control import BedrockControl
from tests.vendors.botocore_shapes import faults, operation
from tests.vendors.s3_buckets import S3Buckets
from tests.vendors.sigv4 import Account

PATHS = {"s3": "/bucket-1/a%20b", "bedrock": "/model-customization-jobs?maxResults=1&nameContains=a"}


def service(name: str) -> Service:
    return S3Buckets() if name == "s3" else BedrockControl(clock=lambda: 0.0)


def get(fake: AwsFake, account: Account, *, path: str, sent: str | None = None) -> httpx.Response:
    request = AWSRequest("GET", f"{fake.url}{path}")
    keys = Credentials(account.access_key, account.secret_key, account.session_token)
    if account.service == "s3":
        S3SigV4Auth(keys, "s3", account.region).add_auth(request)
    else:
        SigV4Auth(keys, "bedrock", account.region).add_auth(request)
    return httpx.get(f"{fake.url}{sent or path}", headers=dict(request.headers.items()), trust_env=False, timeout=60)


@pytest.mark.parametrize("name", list(PATHS))
def test_botocores_signature_is_taken_and_others_are_not(name: str) -> None:
    path = PATHS[name]
    with running(service(name)) as fake:
        assert get(fake, Account(service=name), path=path).status_code == (404 if name == "s3" else 200)
        for other in (
            Account(service=name, secret_key="other"),
            Account(service=name, access_key="AKIAOTHER"),
            Account(service=name, session_token="lent"),
        ):
            assert get(fake, other, path=path).status_code == 403
        assert get(fake, Account(service=name), path=path, sent=f"{path}x").status_code == 403
        assert httpx.get(f"{fake.url}{path}", trust_env=False, timeout=60).status_code == 403


def test_a_region_of_another_name_is_another_region() -> None:
    with running(service("bedrock")) as fake:
        answer = get(fake, Account(region="eu-west-1"), path=PATHS["bedrock"])
    assert (answer.status_code, answer.headers["x-amzn-errortype"].partition(":")[0]) == (
        403,
        "InvalidSignatureException",
    )


@pytest.mark.parametrize("path", ["/no-such-thing", "/model-customization-jobs?maxResults=0"])
def test_what_the_services_model_does_not_know_is_refused(path: str) -> None:
    with running(service("bedrock")) as fake:
        assert get(fake, Account(), path=path).status_code in {400, 404}


def test_a_fault_is_for_its_operation_and_for_so_many_times() -> None:
    with running(service("bedrock")) as fake:
        fake.faults.append(Fault("ListModelCustomizationJobs", reply=Reply(200, b"{}", {"x": "1"})))
        fake.fails("GetModelCustomizationJob", 500, "InternalServerException")
        answers = [get(fake, Account(), path=PATHS["bedrock"]) for _ in range(2)]
    assert [answer.headers.get("x") for answer in answers] == ["1", None]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"jobArn": 1}, "no string"),
        ({}, "jobArn is missing"),
        ({"jobArn": "x", "other": 1}, "other is not known"),
        ([], "no structure"),
    ],
)
def test_a_shapes_faults_are_named(value: object, said: str) -> None:
    shape = operation("bedrock", "CreateModelCustomizationJob").output_shape
    assert any(said in fault for fault in faults(value, shape))
