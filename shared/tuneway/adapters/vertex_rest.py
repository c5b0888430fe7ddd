"""Vertex AI's jobs by plain REST: calls with a token, and whatever goes wrong as tuneway's errors.

Plain REST and no client of Google's: tuningJobState, tuningJobMetadata and preferenceOptimizationSpec are in no proto
of google-cloud-aiplatform, whose clients would drop them.
"""

import functools
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Protocol, cast

import google.auth
import msgspec
import requests
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.prediction.providers.vertex import host

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
STORAGE = "https://storage.googleapis.com"
NAME = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/(?P<jobs>[A-Za-z]+)/[A-Za-z0-9_-]+")
MESSAGE_CHARACTERS = 500
OBJECTS = "storage/v1/b"
# A status that is not here may pass (401, 408, 409, 429, 5xx and whatever a proxy invents), so the call is retried.
PERMANENT: dict[int, type[TunewayError]] = {
    400: BadInput,
    403: NotAllowed,
    404: NotFound,
    405: BadInput,
    412: BadInput,
    413: BadInput,
    501: BadInput,
}


class _Fault(msgspec.Struct, frozen=True):
    message: str = ""
    status: str = ""


class _Refused(msgspec.Struct, frozen=True):
    error: _Fault = _Fault()


class _Default(Protocol):
    """google.auth.default."""

    def __call__(self, *, scopes: list[str]) -> tuple[Credentials, str | None]:
        """Credentials of this machine, and its project."""
        ...


class _Sessions(Protocol):
    """The session's class."""

    def __call__(self, credentials: Credentials, *, refresh_timeout: float) -> requests.Session:
        """A session that sends a token with each call."""
        ...


class VertexRest:
    """Calls about one project's jobs of one sort: ``jobs`` is their collection, ``version`` the API's.

    ``timeout`` is in seconds, for each call. ``vertex_url`` (``http://127.0.0.1:1234``) puts the simulation in the
    place of Google, with no credentials. ``credentials`` are those of a caller who is not the machine itself.
    Every call raises BadInput, NotAllowed, NotFound or TryLater.
    """

    def __init__(
        self,
        jobs: str,
        version: str,
        *,
        project: str,
        timeout: float,
        vertex_url: str | None,
        credentials: Credentials | None = None,
    ) -> None:
        self._jobs = jobs
        self._version = version
        self._project = project
        self._timeout = timeout
        self._vertex_url = vertex_url.rstrip("/") if vertex_url else None
        self._given = credentials
        # A session keeps its connections and its token: made once, when first needed.
        self._session = functools.cache(self._new_session)

    def create(self, location: str, body: object) -> bytes:
        """The new job's JSON. After TryLater it may exist all the same: Vertex AI takes no request id."""
        return self._accepted("POST", self._collection(location), body=msgspec.json.encode(body))

    def get(self, name: str) -> bytes:
        """The job's JSON."""
        return self._accepted("GET", self._one(name))

    def page(self, location: str, *, query: Mapping[str, str]) -> bytes:
        """One page of the location's jobs, as JSON."""
        return self._accepted("GET", self._collection(location), query=query)

    def cancel(self, name: str) -> None:
        """Ask for the end; a job that has ended stays as it is."""
        with mapped():
            response = self._call("POST", f"{self._one(name)}:cancel")
            if not _ended_already(response):
                _raise_for(response)

    def objects(self, bucket: str, *, query: Mapping[str, str]) -> bytes:
        """A listing of Cloud Storage, as JSON."""
        return self._accepted("GET", f"{self._vertex_url or STORAGE}/{OBJECTS}/{bucket}/o", query=query)

    def _accepted(
        self, method: str, url: str, *, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        with mapped():
            response = self._call(method, url, query=query, body=body)
            _raise_for(response)
            return response.content

    def _call(
        self, method: str, url: str, *, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> requests.Response:
        headers = {"content-type": "application/json"} if body else {}
        # A token must not follow a redirect to wherever it leads.
        return self._session().request(
            method, url, params=query, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
        )

    def _one(self, name: str) -> str:
        matched = NAME.fullmatch(name)
        if matched is None or matched["jobs"] != self._jobs:
            raise BadInput(f"{name!r} is no such job of Vertex AI (projects/…/locations/…/{self._jobs}/…).")
        return f"{self._root(matched['location'])}/{self._version}/{name}"

    def _collection(self, location: str) -> str:
        return f"{self._root(location)}/{self._version}/projects/{self._project}/locations/{location}/{self._jobs}"

    def _root(self, location: str) -> str:
        """Scheme and host. Raises BadInput for what is no location: a token goes there."""
        real = f"https://{host(location)}"
        return self._vertex_url or real

    def _new_session(self) -> requests.Session:
        make = cast("_Sessions", AuthorizedSession)
        return make(self._credentials(), refresh_timeout=self._timeout)

    def _credentials(self) -> Credentials:
        if self._given is not None:
            return self._given
        if self._vertex_url:
            make: Callable[[], Credentials] = AnonymousCredentials
            return make()
        load = cast("_Default", vars(google.auth)["default"])
        return load(scopes=SCOPES)[0]


@contextmanager
def mapped() -> Generator[None]:
    """Whatever the libraries raise, as tuneway's errors."""
    try:
        yield
    except (requests.RequestException, GoogleAuthError) as exc:
        # Also a fault of our own credentials: whoever runs this can mend it, and the call then succeeds.
        raise TryLater(f"Vertex AI could not be asked: {_short(str(exc))}") from exc
    except msgspec.MsgspecError as exc:
        raise TryLater(f"Vertex AI gave an answer that cannot be read: {_short(str(exc))}") from exc


def _raise_for(response: requests.Response) -> None:
    """Raises as the port says, unless the answer is a good one."""
    if response.status_code == requests.codes.ok:
        return
    kind = PERMANENT.get(response.status_code, TryLater)
    reason = _refusal(response).message or response.reason or "no reason given"
    raise kind(f"Vertex AI answered {response.status_code}: {_short(reason)}")


def _ended_already(response: requests.Response) -> bool:
    refused = response.status_code == requests.codes.bad_request
    return refused and _refusal(response).status == "FAILED_PRECONDITION"


def _refusal(response: requests.Response) -> _Fault:
    try:
        return msgspec.json.decode(response.content, type=_Refused).error
    except msgspec.MsgspecError:
        return _Fault(_short(response.text))


def _short(message: str) -> str:
    return message[:MESSAGE_CHARACTERS]
