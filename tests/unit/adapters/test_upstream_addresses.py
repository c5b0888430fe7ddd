"""What is no address is a fault of the call, never a crash."""

import pytest

from tuneway.adapters.upstream_httptools import HttptoolsUpstream
from tuneway.errors import UpstreamError
from tuneway.ports import UpstreamRequest


@pytest.mark.parametrize("url", ["https://host/a b", "https://höst/a", "nowhere"])
async def test_an_address_that_is_none_is_a_fault_of_the_call(url: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        async with HttptoolsUpstream().send(UpstreamRequest(url=url, headers={})):
            pass
    assert caught.value.status == 502
