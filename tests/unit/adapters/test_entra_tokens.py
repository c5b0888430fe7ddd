import json
from urllib.parse import parse_qs

import pytest

from tests.unit.adapters.clouds import Clock, Cloud, FakeSecrets, Numbered, Unreachable, told
from tuneway.adapters.entra_tokens import ClientSecret, EntraApplication, EntraTokens, Federated, Proof
from tuneway.errors import UpstreamError

SCOPE = "https://cognitiveservices.azure.com/.default"
APPLICATION = EntraApplication(tenant="acme.onmicrosoft.com", client="11111111-2222")
TOKEN = json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ.entra"})
SECRET = ClientSecret(FakeSecrets(**{"env:S": "hush&hush"}), "env:S")


def tokens(cloud: Cloud, proof: Proof = SECRET, clock: Clock | None = None) -> EntraTokens:
    return EntraTokens(cloud.upstream, APPLICATION, proof, scope=SCOPE, clock=clock or Clock())


@pytest.mark.parametrize(
    ("proof", "fields"),
    [
        (SECRET, {"client_secret": "hush&hush"}),
        (
            Federated(Numbered("google-says")),
            {
                "client_assertion": "google-says",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            },
        ),
    ],
)
async def test_entra_is_asked_with_client_credentials(proof: Proof, fields: dict[str, str]) -> None:
    cloud = Cloud(TOKEN)
    assert await tokens(cloud, proof).token() == "eyJ.entra"
    [asked] = cloud.asked
    assert str(asked.url) == "https://login.microsoftonline.com/acme.onmicrosoft.com/oauth2/v2.0/token"
    form = {name: values[0] for name, values in parse_qs(asked.content.decode()).items()}
    assert form == {"grant_type": "client_credentials", "client_id": "11111111-2222", "scope": SCOPE, **fields}


async def test_a_good_token_is_not_asked_for_again() -> None:
    cloud, clock = Cloud(TOKEN), Clock()
    held = tokens(cloud, clock=clock)
    await held.token()
    clock.now += 2900
    await held.token()
    assert len(cloud.asked) == 1
    clock.now += 700
    await held.token()
    assert len(cloud.asked) == 2


@pytest.mark.parametrize("cloud", [Cloud("hush&hush", 401), Cloud("hush&hush"), Cloud("{}"), Unreachable()])
async def test_a_fault_says_nothing_of_what_was_sent_or_came(cloud: Cloud) -> None:
    with pytest.raises(UpstreamError) as caught:
        await tokens(cloud).token()
    assert (caught.value.status, caught.value.code) == (502, "no_upstream_credentials")
    assert "hush" not in told(caught.value)


@pytest.mark.parametrize(("tenant", "client"), [("evil/../x", "c"), ("", "c"), ("a?b", "c"), ("acme", "c&x=1")])
def test_an_application_that_cannot_be_is_refused_at_once(tenant: str, client: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        EntraApplication(tenant=tenant, client=client)
