import pytest

from tests.unit.adapters.clouds import Clock, Cloud, Unreachable, identity_token, jwt
from tuneway.adapters.google_tokens import GoogleIdentity
from tuneway.errors import UpstreamError


def identity(cloud: Cloud, clock: Clock | None = None) -> GoogleIdentity:
    return GoogleIdentity(
        cloud.upstream, metadata_url="http://metadata.test", audience="api://x y", clock=clock or Clock()
    )


async def test_the_metadata_server_is_asked_for_the_audience() -> None:
    cloud = Cloud(token := identity_token())
    assert await identity(cloud).token() == token
    [asked] = cloud.asked
    assert asked.url.path == "/computeMetadata/v1/instance/service-accounts/default/identity"
    assert dict(asked.url.params) == {"audience": "api://x y", "format": "full"}
    assert asked.headers["metadata-flavor"] == "Google"


async def test_a_token_is_kept_for_what_is_left_of_its_life() -> None:
    cloud, clock = Cloud(identity_token(life=100)), Clock()
    tokens = identity(cloud, clock)
    await tokens.token()
    clock.now += 60
    await tokens.token()
    assert len(cloud.asked) == 1
    clock.now += 20
    await tokens.token()
    assert len(cloud.asked) == 2


@pytest.mark.parametrize(
    "cloud", [Cloud("x", 404), Cloud("x.y"), Cloud("a.!.c"), Cloud("ü"), Cloud(jwt(iat=1)), Unreachable()]
)
async def test_without_a_token_the_fault_is_ours(cloud: Cloud) -> None:
    with pytest.raises(UpstreamError, match="No Google identity token could be had") as caught:
        await identity(cloud).token()
    assert caught.value.status == 502
