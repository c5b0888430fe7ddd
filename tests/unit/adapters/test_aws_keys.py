from urllib.parse import parse_qs

import pytest

from tests.unit.adapters.clouds import Clock, Cloud, FakeSecrets, Numbered, Unreachable, told
from tuneway.adapters.aws_keys import AwsKeys, LentKeys, Role, WrittenKeys, keys_in
from tuneway.errors import UpstreamError

ROLE = Role(arn="arn:aws:iam::123456789012:role/tuneway", region="eu-west-1")
# As in AWS's reference of AssumeRoleWithWebIdentity, with other names.
LENT = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>1234567890</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/tuneway/tuneway</Arn>
      <AssumedRoleId>AROA:tuneway</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>
        AQo/token==
      </SessionToken>
      <SecretAccessKey>wJalr&amp;hidden</SecretAccessKey>
      <Expiration>2026-11-21T23:00:23Z</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>ad4156e9</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"""


def lent(cloud: Cloud, clock: Clock | None = None) -> LentKeys:
    return LentKeys(cloud.upstream, Numbered("google-says"), ROLE, clock=clock or Clock())


async def test_a_roles_keys_are_lent_against_googles_word() -> None:
    cloud = Cloud(LENT)
    assert await lent(cloud).keys() == AwsKeys(
        access_key_id="ASIAEXAMPLE", secret_access_key="wJalr&hidden", session_token="AQo/token=="
    )
    [asked] = cloud.asked
    assert (asked.method, str(asked.url)) == ("POST", "https://sts.eu-west-1.amazonaws.com/")
    assert "authorization" not in asked.headers
    assert {name: values[0] for name, values in parse_qs(asked.content.decode()).items()} == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE.arn,
        "RoleSessionName": "tuneway",
        "DurationSeconds": "3600",
        "WebIdentityToken": "google-says",
    }


async def test_lent_keys_are_kept_while_they_are_good() -> None:
    cloud, clock = Cloud(LENT), Clock()
    keys = lent(cloud, clock)
    await keys.keys()
    clock.now += 2900
    await keys.keys()
    assert len(cloud.asked) == 1
    clock.now += 700
    await keys.keys()
    assert len(cloud.asked) == 2


@pytest.mark.parametrize("cloud", [Cloud("<Error>hidden</Error>", 403), Cloud("hidden"), Cloud(""), Unreachable()])
async def test_a_fault_says_nothing_of_what_was_sent_or_came(cloud: Cloud) -> None:
    with pytest.raises(UpstreamError) as caught:
        await lent(cloud).keys()
    assert caught.value.status == 502
    assert "hidden" not in told(caught.value)
    assert "google-says" not in told(caught.value)


async def test_long_lived_keys_stand_behind_a_reference() -> None:
    secrets = FakeSecrets(a='{"access_key_id": "AKIA", "secret_access_key": "hidden"}')
    keys = await WrittenKeys(secrets, "a").keys()
    assert keys == AwsKeys(access_key_id="AKIA", secret_access_key="hidden")


def test_keys_can_be_one_secret() -> None:
    assert keys_in('{"access_key_id": "AKIA", "secret_access_key": "s"}').session_token is None
    with pytest.raises(UpstreamError) as caught:
        keys_in('{"access_key_id": "AKIA", "secret": "hidden"}')
    assert "hidden" not in told(caught.value)


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        ("tuneway", "eu-west-1"),
        ("arn:aws:iam::123456789012:role/tuneway", "evil.com"),
        ("arn:aws:iam::1:role/a", "eu-west-1"),
    ],
)
def test_a_role_that_cannot_be_is_refused_at_once(arn: str, region: str) -> None:
    with pytest.raises(ValueError, match="A role has an ARN"):
        Role(arn=arn, region=region)
