"""Filters, pages and routes of the simulation."""

import pytest

from tuneway.local.vertex.app import matching
from tuneway.local.vertex.listing import filtered, page, start
from tuneway.local.vertex.refusals import Refusal

ROWS: list[tuple[int, dict[str, object]]] = [
    (3, {"displayName": "c", "labels": {"a": "1"}}),
    (2, {"displayName": "b", "labels": {"a": "2"}}),
    (1, {"displayName": "a"}),
]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", "cba"),
        ('display_name="b"', "b"),
        ("displayName!=b", "ca"),
        ("labels.a:*", "cb"),
        ('labels.a="1" AND display_name="c"', "c"),
        ('labels.a="1" AND display_name="b"', ""),
        ('labels.a="1" AND display_name="b" OR displayName=a', "a"),
        ("NOT displayName=b AND labels.a:*", "c"),
        ('display_name:"?"', "cba"),
        ('display_name>="b"', "cb"),
        ('display_name<"b"', "a"),
        ("labels.a>1", "b"),
    ],
)
def test_a_filter_chooses(expression: str, names: str) -> None:
    chosen = page(ROWS, {"filter": expression}, key="things").get("things", [])
    assert isinstance(chosen, list)
    assert "".join(each["displayName"] for each in chosen) == names


@pytest.mark.parametrize("expression", ["what", "a = ", '"a" = b'])
def test_a_filter_that_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(Refusal):
        filtered(expression)


def test_pages_follow_each_other() -> None:
    first = page(ROWS, {"pageSize": "2"}, key="things")
    token = str(first["nextPageToken"])
    before = start({"pageToken": token})
    assert before == 2
    rest = page([row for row in ROWS if row[0] < before], {"pageSize": "2"}, key="things")
    assert rest == {"things": [ROWS[2][1]]}
    with pytest.raises(Refusal):
        start({"pageToken": "%%%"})


def test_the_openapi_endpoint_is_not_an_endpoint_id() -> None:
    openapi, _ = matching("POST", "projects/p/locations/l/endpoints/openapi/chat/completions")
    numbered, ids = matching("POST", "projects/p/locations/l/endpoints/7/chat/completions")
    assert openapi.handler is not numbered.handler
    assert ids["id"] == "7"
