"""What Firestore's answers mean to a caller, and which calls are sent again."""

from collections.abc import Iterator

import pytest
from google.cloud.firestore import Client
from grpc import StatusCode

from tests.unit.adapters.grpc_service import Service, served
from tuneway.adapters.firestore_documents import FirestoreDocuments
from tuneway.errors import AlreadyExists, BadInput, Conflict, TryLater, TunewayError
from tuneway.ports import Create, Delete, Key, Put, Query, Replace, Write

JOB = Key("jobs", "ftjob-1")
VERSION = "2026-01-02T03:04:05.678901Z"
CREATE = Create(JOB, {"n": 1})
REPLACE = Replace(JOB, {"n": 1}, VERSION)
PUT = Put(JOB, {"n": 1})


@pytest.fixture
def service() -> Iterator[Service]:
    with served(Service()) as found:
        yield found


@pytest.fixture
def documents(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[FirestoreDocuments]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", service.address)
    client = Client(project="project-1")
    yield FirestoreDocuments(client)
    client.close()


@pytest.mark.parametrize(
    ("write", "status", "error"),
    [
        (CREATE, StatusCode.ALREADY_EXISTS, AlreadyExists),
        (REPLACE, StatusCode.FAILED_PRECONDITION, Conflict),
        (REPLACE, StatusCode.NOT_FOUND, Conflict),
        (CREATE, StatusCode.NOT_FOUND, TryLater),
        (CREATE, StatusCode.INVALID_ARGUMENT, BadInput),
        (CREATE, StatusCode.PERMISSION_DENIED, TryLater),
        (CREATE, StatusCode.UNAUTHENTICATED, TryLater),
    ],
)
def test_a_refused_commit_says_what_to_do(
    service: Service, documents: FirestoreDocuments, *, write: Write, status: StatusCode, error: type[TunewayError]
) -> None:
    service.statuses = [status]
    with pytest.raises(TunewayError) as caught:
        documents.commit(write)
    assert type(caught.value) is error
    assert service.calls == ["Commit"]


@pytest.mark.parametrize("write", [CREATE, REPLACE, PUT])
@pytest.mark.parametrize("status", [StatusCode.ABORTED, StatusCode.RESOURCE_EXHAUSTED])
def test_a_commit_that_was_not_begun_is_sent_again(
    service: Service, documents: FirestoreDocuments, *, write: Write, status: StatusCode
) -> None:
    service.statuses = [status, status]
    documents.commit(write)
    assert service.calls == ["Commit"] * 3


@pytest.mark.parametrize("write", [CREATE, REPLACE])
@pytest.mark.parametrize("status", [StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.INTERNAL])
def test_a_guarded_commit_of_unknown_outcome_is_the_callers_to_look_after(
    service: Service, documents: FirestoreDocuments, *, write: Write, status: StatusCode
) -> None:
    service.statuses = [status]
    with pytest.raises(TryLater):
        documents.commit(write, Put(Key("jobs", "other"), {}))
    assert service.calls == ["Commit"]


def test_a_commit_that_may_be_done_twice_is_sent_again(service: Service, documents: FirestoreDocuments) -> None:
    service.statuses = [StatusCode.UNAVAILABLE]
    documents.commit(PUT, Delete(Key("jobs", "x")))
    assert service.calls == ["Commit"] * 2


def test_a_query_without_its_index_is_no_conflict(service: Service, documents: FirestoreDocuments) -> None:
    service.statuses = [StatusCode.FAILED_PRECONDITION]
    with pytest.raises(TryLater):
        documents.find(Query(collection="jobs", order_by="n"))


def test_a_read_is_sent_again(service: Service, documents: FirestoreDocuments) -> None:
    service.statuses = [StatusCode.UNAVAILABLE, StatusCode.PERMISSION_DENIED]
    with pytest.raises(TryLater):
        documents.get(JOB)
    assert service.calls == ["BatchGetDocuments"] * 2
