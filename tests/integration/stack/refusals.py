"""What an answer that refuses must say."""

from typing import Any

import httpx
import msgspec

BAD = "invalid_request_error"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What an error answer must say; ``says`` stands somewhere in its message."""

    status: int = 400
    type: str = BAD
    param: str | None = None
    code: str | None = None
    says: str


def assert_refused(response: httpx.Response, expected: Refusal) -> None:
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    found = (response.status_code, error["type"], error["param"], error["code"])
    assert found == (expected.status, expected.type, expected.param, expected.code), error["message"]
    assert expected.says in error["message"]
