"""The first key, written to Firestore with the operator's own login; every refusal is told with its remedy."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Protocol, cast

import google.auth
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.firestore import Client
from google.oauth2.credentials import Credentials as Token

from tuneway.access.keys import Scope
from tuneway.adapters.firestore_documents import FirestoreDocuments
from tuneway.errors import NotAllowed, NotAuthenticated, NotFound, TryLater, TunewayError
from tuneway.registry.keyring import Keyring
from tuneway.settings import environment

LOGIN = "Run 'gcloud auth login' or 'gcloud auth application-default login', with an account that may write it."
UNREACHED = "Getting metadata from plugin failed"  # how gRPC tells of a login that cannot be renewed

Telling = tuple[type[Exception], Callable[[str], TunewayError], str]


class _Login(Protocol):
    """What is used of the half-typed ``google.auth``."""

    def default(self) -> tuple[Credentials, str | None]: ...


def written(project: str, database: str, *, owner: str) -> tuple[str, str]:
    """A new key with every scope, and its id. Raises NotAuthenticated, NotAllowed, NotFound, TryLater, BadInput."""
    try:
        client = Client(project=project, database=database, credentials=_credentials())
        keyring = Keyring(FirestoreDocuments(client), now=time.time, randomness=lambda: secrets.token_bytes(32))
        key, id_, _ = keyring.create(owner=owner, scopes=tuple(Scope), name="first")
    except GoogleAuthError as fault:
        raise NotAuthenticated(f"The login is no longer good: {fault}. {LOGIN}") from fault
    except TryLater as fault:
        raise explained(fault, project=project, database=database) from fault
    return key, id_


def explained(fault: TryLater, *, project: str, database: str) -> TunewayError:
    """The fault as its reader can mend it; as it is where only time can."""
    cause = fault.__cause__
    said = cast("object", cause.cause if isinstance(cause, exceptions.RetryError) else cause)
    if UNREACHED in str(said):
        return NotAuthenticated(f"The login is no longer good. {LOGIN}")
    tellings = _tellings(project, database)
    return next((kind(text) for theirs, kind, text in tellings if isinstance(said, theirs)), fault)


def _tellings(project: str, database: str) -> tuple[Telling, ...]:
    place = f"database '{database}' of project '{project}'"
    grant = f"gcloud projects add-iam-policy-binding {project} --member=user:YOU --role=roles/datastore.user"
    forbidden = f"This account may not write the {place}. An owner gives it roles/datastore.user: '{grant}'."
    missing = f"There is no {place}. Deploy first ('tuneway deploy'), or name another --database."
    return (
        (exceptions.PermissionDenied, NotAllowed, forbidden),
        (exceptions.Unauthenticated, NotAuthenticated, f"Firestore does not know this login. {LOGIN}"),
        (exceptions.NotFound, NotFound, missing),
    )


def _credentials() -> Credentials | None:
    """Application default credentials, else gcloud's own; an emulator needs none. Raises NotAuthenticated."""
    if environment().get("FIRESTORE_EMULATOR_HOST"):
        return None
    try:
        return cast("_Login", google.auth).default()[0]
    except DefaultCredentialsError:
        return cast("Credentials", Token(_token()))


def _token() -> str:
    """An access token of the account that gcloud is logged in with. Raises NotAuthenticated."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise NotAuthenticated(f"There are no Google credentials here, and no gcloud. {LOGIN}")
    words = (gcloud, "auth", "print-access-token", "--quiet")
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - gcloud, and our own words
    if done.returncode != 0 or not done.stdout.strip():
        raise NotAuthenticated(f"gcloud is not logged in. {LOGIN}")
    return done.stdout.strip()
