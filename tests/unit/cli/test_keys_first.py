"""The first key: what Firestore has against it is told with what to do."""

import pytest
from google.api_core import exceptions

from tuneway.cli.first_key import explained
from tuneway.errors import NotAllowed, NotAuthenticated, NotFound, TryLater


def fault(cause: Exception) -> TryLater:
    found = TryLater(f"Firestore: {cause}")
    found.__cause__ = cause
    return found


@pytest.mark.parametrize(
    ("cause", "kind", "told"),
    [
        (exceptions.PermissionDenied("Missing or insufficient permissions."), NotAllowed, "roles/datastore.user"),
        (exceptions.Unauthenticated("no"), NotAuthenticated, "gcloud auth login"),
        (exceptions.NotFound("The database tuneway does not exist"), NotFound, "tuneway deploy"),
        (
            exceptions.ServiceUnavailable("Getting metadata from plugin failed: x"),
            NotAuthenticated,
            "gcloud auth login",
        ),
        (exceptions.ServiceUnavailable("later"), TryLater, "later"),
    ],
)
def test_a_refusal_is_told_with_its_remedy(cause: Exception, kind: type[Exception], told: str) -> None:
    found = explained(fault(cause), project="shop", database="tuneway")
    assert type(found) is kind
    assert told in found.message


def test_the_place_is_named() -> None:
    found = explained(fault(exceptions.PermissionDenied("no")), project="shop", database="mine")
    assert "database 'mine' of project 'shop'" in found.message


def test_what_was_tried_for_long_is_told_by_its_last_answer() -> None:
    ended = exceptions.RetryError("Timeout", exceptions.Unauthenticated("no"))
    assert isinstance(explained(fault(ended), project="shop", database="d"), NotAuthenticated)
