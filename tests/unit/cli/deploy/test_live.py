"""Where the functions of an installation answer."""

import pytest

from tuneway.cli.deploy.live import Live, address
from tuneway.errors import BadInput


@pytest.mark.parametrize(
    ("predict", "registry"),
    [
        ("https://tuneway-predict-abc123xyz-uc.a.run.app", "https://tuneway-registry-abc123xyz-uc.a.run.app"),
        ("https://ml-x-predict-1234567.europe-west4.run.app", "https://ml-x-registry-1234567.europe-west4.run.app"),
        (
            "https://us-central1-shop.cloudfunctions.net/tuneway-predict",
            "https://us-central1-shop.cloudfunctions.net/tuneway-registry",
        ),
        ("https://models.example.com", "https://models.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_other_functions_are_found_from_predict(predict: str, registry: str) -> None:
    assert address(predict, "registry") == registry
    assert address(predict, "predict") == predict


def test_an_underscore_is_a_dash_in_the_cloud() -> None:
    assert (
        address("https://tuneway-predict-abc-uc.a.run.app", "create_job")
        == "https://tuneway-create-job-abc-uc.a.run.app"
    )


@pytest.mark.parametrize("url", ["models.example.com", "", "https://", "ftp://x", "http:// x"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="no URL"):
        Live(url, None)


@pytest.mark.parametrize("key", ["tw-ключ", "tw-a b", "tw-a\n", ""])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="no API key"):
        Live("https://models.example.com", key)


def test_a_door_that_is_named_wins() -> None:
    live = Live("http://one.example/", None, doors={"registry": "http://two.example"})
    assert (live.address("registry"), live.address("predict")) == ("http://two.example", "http://one.example")
    assert not live.apart
    live.close()
