"""The fake of token endpoints, Secret Manager and the metadata server."""

import base64
import json
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.vendors import vendors
from tests.vendors.credentials import ASSERTION, identity_token
from tests.vendors.fake import Fake
from tests.vendors.script import Error
from tests.vendors.sigv4 import Account

SCOPE = "https://cognitiveservices.azure.com/.default"
BASE = {"grant_type": "client_credentials", "client_id": "me", "scope": SCOPE}
NAME = "projects/acme/secrets/openai/versions/3"


def granted(fake: Fake, **form: str) -> httpx.Response:
    return httpx.post(f"{fake.url}/tenant/oauth2/v2.0/token", data={**BASE, **form}, trust_env=False, timeout=60)


def assumed(fake: Fake, **form: str) -> httpx.Response:
    base = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleSessionName": "s"}
    return httpx.post(fake.url, data={**base, **form}, trust_env=False, timeout=60)


def test_entra_grants_by_secret_and_by_assertion() -> None:
    with vendors.credentials(client=("me", "mine"), token="t1") as fake:
        by_secret = granted(fake, client_secret="mine")
        token = identity_token("api://AzureADTokenExchange")
        by_assertion = granted(fake, client_assertion_type=ASSERTION, client_assertion=token)
        wrong = granted(fake, client_secret="other")
    assert by_secret.json()["access_token"] == by_assertion.json()["access_token"] == "t1"
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def test_sts_hands_out_an_account_in_xml() -> None:
    with vendors.credentials(account=Account(session_token="s1"), role="arn:aws:iam::1:role/r") as fake:
        answer = assumed(fake, RoleArn="arn:aws:iam::1:role/r", WebIdentityToken=identity_token("sts"))
        other = assumed(fake, RoleArn="arn:aws:iam::1:role/x", WebIdentityToken=identity_token("sts"))
        bare = assumed(fake, RoleArn="arn:aws:iam::1:role/r")
    tree = ET.fromstring(answer.text)  # noqa: S314  (the fake's own words)
    found = {node.tag.rpartition("}")[2]: node.text for node in tree.iter()}
    assert (found["SessionToken"], found["AccessKeyId"]) == ("s1", Account().access_key)
    assert (other.status_code, bare.status_code) == (403, 400)


def test_secrets_are_read_with_a_token() -> None:
    with vendors.credentials(secrets={NAME: "k€y"}) as fake:
        headers = {"authorization": f"Bearer {fake.key}"}
        found = httpx.get(f"{fake.url}/v1/{NAME}:access", headers=headers, trust_env=False, timeout=60).json()
        none = httpx.get(f"{fake.url}/v1/{NAME}0:access", headers=headers, trust_env=False, timeout=60)
        bare = httpx.get(f"{fake.url}/v1/{NAME}:access", trust_env=False, timeout=60)
    assert (base64.b64decode(found["payload"]["data"]).decode(), found["name"]) == ("k€y", NAME)
    assert (none.status_code, bare.status_code) == (404, 401)


def test_the_metadata_server_answers_those_who_name_its_flavour() -> None:
    own = "/computeMetadata/v1/instance/service-accounts/default"
    flavour = {"Metadata-Flavor": "Google"}
    with vendors.credentials() as fake, httpx.Client(base_url=fake.url, trust_env=False, timeout=60) as http:
        token = http.get(f"{own}/token", headers=flavour)
        identity = http.get(f"{own}/identity", params={"audience": "https://here"}, headers=flavour).text
        bare = http.get(f"{own}/token")
    claims: Any = json.loads(base64.urlsafe_b64decode(identity.split(".")[1] + "=="))
    assert (token.json()["access_token"], token.headers["metadata-flavor"]) == (fake.key, "Google")
    assert (claims["aud"], bare.status_code) == ("https://here", 403)


@pytest.mark.parametrize("status", [429, 503])
def test_a_source_of_credentials_may_fail(status: int) -> None:
    with vendors.credentials(client=("me", "mine")) as fake:
        fake.answers(Error(status, retry_after=2))
        assert granted(fake, client_secret="mine").status_code == status
        assert granted(fake, client_secret="mine").status_code == 200
