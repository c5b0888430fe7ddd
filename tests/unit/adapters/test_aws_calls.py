"""Signed calls: what is asked again, how long, and what an answer must look like."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from typing_extensions import override

from tests.unit.adapters.aws import HeldKeys
from tuneway.adapters.aws_addresses import host, region_of
from tuneway.adapters.aws_calls import LARGEST_BODY, MOST_ATTEMPTS, AwsCall, AwsCaller
from tuneway.adapters.aws_refusals import AwsRefused, element, refused, told
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater

CALL = AwsCall(method="GET", service="bedrock", region="us-east-1", url="https://bedrock.us-east-1.amazonaws.com/x")
ONCE = AwsCall(
    method="POST", service="bedrock", region="us-east-1", url=CALL.url, body=b"{}", repeatable=False, seconds=10
)

Answer = httpx.Response | Exception


class Cloud:
    """Answers one after the other, the last one for ever; time passes only in pauses."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked = list[httpx.Request]()
        self.now = 0.0
        self.caller = AwsCaller(
            HeldKeys(), transport=httpx.MockTransport(self.answer), clock=lambda: self.now, sleep=self.sleep
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def busy() -> httpx.Response:
    return httpx.Response(503, json={"message": "Busy."})


@pytest.mark.parametrize(
    "fault", [busy(), httpx.ReadTimeout(""), httpx.ConnectError(""), httpx.RemoteProtocolError("")]
)
def test_what_may_be_asked_twice_is_asked_again(fault: Answer) -> None:
    cloud = Cloud(fault, httpx.Response(200, content=b"yes"))
    assert cloud.caller.ask(CALL).body == b"yes"
    assert 0 < cloud.now < 1


@pytest.mark.parametrize("fault", [busy(), httpx.ReadTimeout(""), httpx.RemoteProtocolError("")])
def test_what_may_have_been_done_is_not(fault: Answer) -> None:
    cloud = Cloud(fault)
    with pytest.raises((AwsRefused, httpx.HTTPError)):
        cloud.caller.ask(ONCE)
    assert len(cloud.asked) == 1


def test_what_was_never_sent_was_never_done() -> None:
    cloud = Cloud(httpx.ConnectError("refused"), httpx.Response(201, content=b"made"))
    assert cloud.caller.ask(ONCE).body == b"made"


def test_attempts_end() -> None:
    cloud = Cloud(busy())
    with pytest.raises(AwsRefused):
        cloud.caller.ask(CALL)
    assert len(cloud.asked) == MOST_ATTEMPTS


def test_a_call_ends_within_its_time() -> None:
    cloud = Cloud(busy())
    cloud.caller = AwsCaller(
        HeldKeys(), transport=httpx.MockTransport(cloud.answer), clock=_slow(6.0), sleep=lambda _: None
    )
    with pytest.raises(AwsRefused):
        cloud.caller.ask(AwsCall(method="GET", service="s3", region="us-east-1", url=CALL.url, seconds=10))
    assert len(cloud.asked) == 1


def _slow(seconds: float) -> Callable[[], float]:
    ticks = iter(range(100))
    return lambda: next(ticks) * seconds


def test_every_attempt_is_signed_anew_and_sent_as_signed() -> None:
    cloud = Cloud(busy(), httpx.Response(200))
    cloud.caller.ask(CALL)
    for request in cloud.asked:
        assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
        assert request.headers["accept-encoding"] == "identity"
        assert "content-length" not in request.headers


def test_redirects_are_not_followed() -> None:
    cloud = Cloud(httpx.Response(302, headers={"location": "https://evil.example/"}))
    with pytest.raises(AwsRefused, match="302"):
        cloud.caller.ask(CALL)
    assert len(cloud.asked) == 1


class _Flood(httpx.SyncByteStream):
    @override
    def __iter__(self) -> Iterator[bytes]:
        return (b"x" * 65536 for _ in range(10 * LARGEST_BODY // 65536))


@pytest.mark.parametrize("status", [200, 400])
def test_a_flood_is_no_answer(status: int) -> None:
    cloud = Cloud(httpx.ReadTimeout("unused"))
    cloud.caller = AwsCaller(
        HeldKeys(),
        transport=httpx.MockTransport(lambda _: httpx.Response(status, stream=_Flood())),
        sleep=lambda _: None,
    )
    with pytest.raises(httpx.DecodingError):
        cloud.caller.ask(CALL)


@pytest.mark.parametrize(
    ("headers", "body", "code", "said"),
    [
        (
            {"x-amzn-errortype": "ValidationException:http://internal/"},
            b'{"message": "No."}',
            "ValidationException",
            "No.",
        ),
        ({}, b'{"__type": "com.amazon.coral#ThrottlingException", "Message": "No."}', "ThrottlingException", "No."),
        ({}, b'{"code": "ExpiredTokenException"}', "ExpiredTokenException", ""),
        ({}, b"<Error><Code>NoSuchKey</Code>\n<Message>a &amp; b</Message></Error>", "NoSuchKey", "a & b"),
        ({}, b"<html>502</html>", "", ""),
        ({}, b"\xff\x00", "", ""),
        ({}, b'{"message": ' + b'"' + b"x" * 9000 + b'"}', "", "x" * 500),
    ],
)
def test_a_refusal_is_read_from_wherever_it_stands(headers: dict[str, str], body: bytes, code: str, said: str) -> None:
    found = refused(400, headers, body)
    assert (found.code, found.said) == (code, said)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (AwsRefused(400), BadInput, "x: AWS answered 400."),
        (AwsRefused(404), NotFound, "x: AWS answered 404."),
        (AwsRefused(403), NotAllowed, "x: AWS answered 403."),
        (AwsRefused(599), TryLater, "x: AWS answered 599."),
        (AwsRefused(403, code="RequestExpired"), TryLater, "and its clock."),
        (httpx.ReadTimeout(""), TryLater, "x: AWS could not be reached, or broke off (ReadTimeout)."),
    ],
)
def test_each_fault_is_the_callers_next_move(fault: Exception, kind: type[Exception], said: str) -> None:
    found = told(fault, who="x")
    assert type(found) is kind
    assert found.message.endswith(said)


def test_an_element_is_found_among_others() -> None:
    assert element(b"<A><B> 1 </B><UploadId>a+/=</UploadId></A>", "UploadId") == "a+/="
    assert element(b"<A/>", "UploadId") == ""


def test_hosts_are_regional() -> None:
    assert host("bedrock", "us-west-2") == "bedrock.us-west-2.amazonaws.com"
    assert host("s3", "cn-north-1") == "s3.cn-north-1.amazonaws.com.cn"
    assert region_of("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:custom-model/a.b/0") == "us-gov-west-1"
