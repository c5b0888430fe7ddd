import pytest

import tuneway
from tests.vendors import vendors
from tests.vendors.script import Error, Manner, Raw, Reply
from tuneway.api.job_options import PROJECTS

HELLO = [{"role": "user", "content": "Hello there"}]


def test_a_tuneway_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TUNEWAY_URL", "TUNEWAY_API_KEY", "TUNEWAY_VERTEX_URL", *PROJECTS):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(tuneway.BadRequestError, match="TUNEWAY_URL"):
        tuneway.list_fine_tuning_jobs()
    with pytest.raises(tuneway.BadRequestError, match="TUNEWAY_URL"):
        tuneway.get_fine_tuning_job("ftjob-1")
    with pytest.raises(tuneway.BadRequestError, match="TUNEWAY_API_KEY"):
        tuneway.list_fine_tuning_jobs(base_url="http://127.0.0.1:9")
    with pytest.raises(tuneway.APIConnectionError):
        tuneway.list_fine_tuning_jobs(base_url="http://127.0.0.1:9", api_key="any")


@pytest.mark.parametrize("stream", [False, True])
def test_one_that_is_not_there_is_named(*, stream: bool) -> None:
    with pytest.raises(tuneway.APIConnectionError, match=r"http://127\.0\.0\.1:9/v1 cannot be reached") as fault:
        tuneway.completion("shop", HELLO, stream=stream, base_url="http://127.0.0.1:9", api_key="any")
    assert (fault.value.status_code, fault.value.code) == (502, "upstream_unreachable")


def test_one_that_takes_too_long_is_named() -> None:
    with vendors.openai() as fake:
        fake.answers(Reply("late", manner=Manner(hang=-1)))
        with pytest.raises(tuneway.Timeout, match=f"{fake.url}/v1 did not answer in time"):
            tuneway.completion("shop", HELLO, base_url=fake.url, api_key=fake.key, timeout=0.1)


def test_what_a_route_says_is_not_said_again() -> None:
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.completion("shop", HELLO, base_url="http://127.0.0.1:9", api_key="any", vertex_project="shop")
    assert fault.value.param == "vertex_project"


def test_a_passing_fault_is_tried_again_and_others_are_not() -> None:
    with vendors.openai() as fake:
        fake.answers(Error(503), Error(400))
        with pytest.raises(tuneway.BadRequestError):
            tuneway.completion("shop", HELLO, base_url=fake.url, api_key=fake.key, num_retries=5)
        fake.answers(Error(429, retry_after=3600))
        with pytest.raises(tuneway.RateLimitError):
            tuneway.completion(
                "shop", HELLO, base_url=fake.url, api_key=fake.key, num_retries=5, extra_headers={"X-A": "b"}
            )
    assert len(fake.requests) == 3
    assert fake.requests[-1].headers["x-a"] == "b"


@pytest.mark.parametrize("manner", [Manner(cut=3), Manner(reset=3), Manner(done=False), Manner(broken=3)])
def test_a_stream_that_stops_short_is_an_error(manner: Manner) -> None:
    with vendors.openai() as fake:
        fake.answers(Reply("one two three four", manner=manner))
        stream = tuneway.completion("shop", HELLO, stream=True, base_url=fake.url, api_key=fake.key)
        with pytest.raises(tuneway.APIError):
            list(stream)


def test_a_page_instead_of_an_answer_is_an_error() -> None:
    with vendors.openai() as fake:
        fake.answers(Raw([b"<html>"]), Raw([]))
        with pytest.raises(tuneway.InternalServerError, match="no JSON"):
            tuneway.completion("shop", HELLO, base_url=fake.url, api_key=fake.key)
        with pytest.raises(tuneway.APIConnectionError):
            tuneway.completion("shop", HELLO, stream=True, base_url=fake.url, api_key=fake.key)


def test_vectors_come_from_a_deployed_tuneway_by_its_alias() -> None:
    with vendors.openai() as fake:
        said = tuneway.embedding("shop", ["red", "shoes"], base_url=fake.url, api_key=fake.key, user="me")
        with pytest.raises(tuneway.BadRequestError) as fault:
            tuneway.embedding("shop", "red", base_url=fake.url, api_key=fake.key, vertex_location="global")
    assert [each.index for each in said.data] == [0, 1]
    assert (fake.requests[-1].path, fake.bodies[-1]["user"]) == ("/v1/embeddings", "me")
    assert fault.value.param == "vertex_location"


def test_a_page_instead_of_vectors_is_an_error() -> None:
    with vendors.openai() as fake:
        fake.answers(Raw([b"<html>"]))
        with pytest.raises(tuneway.InternalServerError, match="no JSON"):
            tuneway.embedding("shop", "red", base_url=fake.url, api_key=fake.key)
