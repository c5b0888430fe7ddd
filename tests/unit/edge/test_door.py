"""The synchronous door: rules, keys, errors."""

import logging
from collections.abc import Iterator
from typing import Never

import pytest

from tests.unit.edge.asking import Asking
from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput, Conflict, NotFound, TryLater, TunewayError, UpstreamError

SECRET = "projects/secret-project"


def echo(call: Call) -> Body:
    return {"owner": call.grant.owner, "path": dict(call.path), "query": dict(call.query), "body": call.body().decode()}


def crash(_: Call) -> Never:
    raise ValueError(SECRET)


def raising(fault: Exception) -> Rule:
    def handler(_: Call) -> Never:
        raise fault

    return Rule("GET", "/fault", Scope.TUNE, handler)


@pytest.fixture
def ask() -> Asking:
    return Asking(
        [
            Rule("GET", "/things/{thing}", Scope.TUNE, echo),
            Rule("POST", "/things/{thing}", Scope.ADMIN, echo),
            Rule("GET", "/things/{thing}/parts/{part}", Scope.TUNE, echo),
            Rule("GET", "/crash", Scope.TUNE, crash),
        ]
    )


def test_a_rule_gets_the_paths_variables_the_query_and_the_body(ask: Asking) -> None:
    answer = ask("GET", "/things/a%20b/parts/2?x=1", body=b"hi")
    assert answer.json == {"owner": "acme", "path": {"thing": "a b", "part": "2"}, "query": {"x": "1"}, "body": "hi"}
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


def test_every_answer_has_an_id_of_its_own(ask: Asking) -> None:
    ids = {ask("GET", path).headers["x-request-id"] for path in ("/things/a", "/things/a", "/none", "/crash")}
    assert len(ids) == 4


def test_a_fault_of_ours_is_logged_under_the_answers_id(ask: Asking, caplog: pytest.LogCaptureFixture) -> None:
    assert ask("GET", "/crash").headers["x-request-id"] in caplog.text


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_a_body_is_read_whatever_its_type_is_said_to_be(ask: Asking, kind: str) -> None:
    assert ask("GET", "/things/a", body=b'{"a": 1}', kind=kind).json["body"] == '{"a": 1}'


@pytest.mark.parametrize(
    "path", ["/", "/things", "/things/", "/things/a/parts", "/things/a/b", "/thing/a", "/crashx", "/crash%0A"]
)
def test_an_unknown_path_is_404(ask: Asking, path: str) -> None:
    answer = ask("GET", path)
    assert (answer.status, answer.error["code"], answer.error["type"]) == (404, "unknown_url", "invalid_request_error")


def test_a_slash_too_many_at_the_end_does_no_harm(ask: Asking) -> None:
    assert ask("GET", "/things/a/").json["path"] == {"thing": "a"}


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_an_unknown_method_is_405_and_names_the_known_ones(ask: Asking, method: str) -> None:
    answer = ask(method, "/things/a")
    assert (answer.status, answer.headers["allow"], answer.error["code"]) == (405, "GET, POST", "method_not_allowed")


def test_an_unknown_path_tells_nobody_without_a_key_anything_else(ask: Asking) -> None:
    assert ask("GET", "/none", key=None).status == 404
    assert ask("GET", "/things/a", key=None).status == 401


@pytest.mark.parametrize(
    ("key", "status", "code"), [(None, 401, "missing_api_key"), ("x", 401, "invalid_api_key"), ("predict", 403, None)]
)
def test_only_a_key_with_the_scope_comes_in(ask: Asking, key: str | None, status: int, code: str | None) -> None:
    answer = ask("GET", "/things/a", key=key)
    assert (answer.status, answer.error["code"]) == (status, code or "insufficient_scope")
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_an_admin_may_do_everything(ask: Asking) -> None:
    assert (ask("POST", "/things/a", key="admin").status, ask("POST", "/things/a", key="tune").status) == (200, 403)


def test_a_crash_is_500_without_the_exceptions_text(ask: Asking, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = ask("GET", "/crash")
    assert (answer.status, answer.error["type"], answer.error["code"]) == (500, "server_error", "internal_error")
    assert SECRET.encode() not in answer.content
    assert "ValueError" not in answer.content.decode()
    assert SECRET in caplog.text


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (BadInput("x", param="p", code="c"), 400, "invalid_request_error"),
        (NotFound("x", param="p", code="c"), 404, "invalid_request_error"),
        (Conflict("x", param="p", code="c"), 409, "conflict_error"),
        (TryLater("x", param="p", code="c"), 503, "server_error"),
        (TunewayError("x", param="p", code="c"), 500, "server_error"),
        (UpstreamError("x", param="p", code="c", status=429, kind="rate_limit_error"), 429, "rate_limit_error"),
    ],
)
def test_every_fault_has_its_row(fault: TunewayError, status: int, kind: str) -> None:
    answer = Asking([raising(fault)])("GET", "/fault")
    assert (answer.status, answer.error) == (status, {"message": "x", "type": kind, "param": "p", "code": "c"})


def test_what_may_pass_says_when_to_ask_again() -> None:
    later = UpstreamError("x", status=429, kind="rate_limit_error", retry_after=6.2)
    assert Asking([raising(later)])("GET", "/fault").headers["retry-after"] == "7"
    assert Asking([raising(TryLater("x"))])("GET", "/fault").headers["retry-after"] == "1"


def test_bytes_are_passed_on_as_they_come() -> None:
    def pieces(_: Call) -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    answer = Asking([Rule("GET", "/bytes", Scope.TUNE, pieces)])("GET", "/bytes")
    assert (answer.content, answer.headers["content-type"]) == (b"ab", "application/octet-stream")
