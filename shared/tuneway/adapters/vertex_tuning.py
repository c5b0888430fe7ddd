"""Tuning jobs on Vertex AI: created and found through Google's client, read and cancelled by plain REST."""

import functools
import importlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol, cast

import google.auth
import msgspec
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import aiplatform_v1beta1 as vertex

from tuneway.adapters.vertex_job import TOKEN_LABEL, from_json, from_message, to_message
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError
from tuneway.ports import ProviderJob, ProviderState, TuningRequest
from tuneway.prediction.providers.vertex import host

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
PAGE = 100
NAME = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/tuningJobs/[A-Za-z0-9_-]+")
MESSAGE_CHARACTERS = 500
UNFINISHED = frozenset({ProviderState.QUEUED, ProviderState.RUNNING})
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


class _Message(Protocol):
    """A TuningJob as Google's client gives it."""

    labels: dict[str, str]
    create_time: datetime


class _Client(Protocol):
    """The calls made on Google's client, whose own annotations are incomplete."""

    def create_tuning_job(self, *, parent: str, tuning_job: object, timeout: float) -> _Message:
        """Start a job."""
        ...

    def list_tuning_jobs(self, request: dict[str, object], *, timeout: float) -> Iterable[_Message]:
        """All jobs of a location, page after page."""
        ...


class _Default(Protocol):
    """google.auth.default."""

    def __call__(self, *, scopes: list[str]) -> tuple[Credentials, str | None]:
        """Credentials of this machine, and its project."""
        ...


class _Clients(Protocol):
    """The client's class."""

    def __call__(self, *, credentials: Credentials, transport: str, client_options: dict[str, str]) -> _Client:
        """A client."""
        ...


class _Sessions(Protocol):
    """The session's class."""

    def __call__(self, credentials: Credentials, *, refresh_timeout: float) -> requests.Session:
        """A session that sends a token with each call."""
        ...


class VertexTuning:
    """``ports.TuningBackend`` for one project. ``timeout`` is in seconds, for each call.

    ``vertex_url`` (``http://127.0.0.1:1234``) puts the simulation in the place of Google, with no credentials.
    """

    def __init__(self, *, project: str, timeout: float, vertex_url: str | None = None) -> None:
        self._project = project
        self._timeout = timeout
        self._vertex_url = vertex_url.rstrip("/") if vertex_url else None
        # Clients keep their connections, credentials their token: each is made once, when first needed.
        self._client = functools.cache(self._new_client)
        self._session = functools.cache(self._new_session)
        self._credentials = functools.cache(self._new_credentials)

    def find(self, token: str, *, location: str) -> ProviderJob | None:
        """The job started earlier with this token; the oldest, should there be several."""
        with _mapped():
            # Every page is read and the label compared here: which filters the server takes is documented nowhere.
            found = [job for job in self._listed(location) if job.labels.get(TOKEN_LABEL) == token]
        return from_message(min(found, key=lambda job: job.create_time)) if found else None

    def create(self, request: TuningRequest) -> ProviderJob:
        """Start the job. After TryLater it may exist all the same: Vertex AI takes no request id."""
        parent, job = self._parent(request.location), to_message(request)
        with _mapped():
            client = self._client(request.location)
            return from_message(client.create_tuning_job(parent=parent, tuning_job=job, timeout=self._timeout))

    def get(self, name: str) -> ProviderJob:
        """The job now, with its progress. Raises NotFound."""
        # tuningJobState and tuningJobMetadata are in the REST answer but in no proto of google-cloud-aiplatform,
        # whose client would drop them; hence the plain GET.
        with _mapped():
            return from_json(_accepted(self._call("GET", name)).content)

    def unfinished(self, location: str) -> Iterator[ProviderJob]:
        """The location's jobs that carry a token and have not ended, read page by page."""
        with _mapped():
            ours = (from_message(job) for job in self._listed(location) if TOKEN_LABEL in job.labels)
            yield from (job for job in ours if job.state in UNFINISHED)

    def cancel(self, name: str) -> None:
        """Ask for the end; a job that has ended stays as it is."""
        with _mapped():
            response = self._call("POST", name, verb=":cancel")
            if not _ended_already(response):
                _accepted(response)

    def _listed(self, location: str) -> Iterable[_Message]:
        request: dict[str, object] = {"parent": self._parent(location), "page_size": PAGE}
        return self._client(location).list_tuning_jobs(request, timeout=self._timeout)

    def _call(self, method: str, name: str, *, verb: str = "") -> requests.Response:
        url = f"{self._root(_location(name))}/v1beta1/{name}{verb}"
        return self._session().request(method, url, timeout=self._timeout)

    def _parent(self, location: str) -> str:
        host(location)
        return f"projects/{self._project}/locations/{location}"

    def _root(self, location: str) -> str:
        """Scheme and host. Raises BadInput for what is no location: a token goes there."""
        real = f"https://{host(location)}"
        return self._vertex_url or real

    def _new_credentials(self) -> Credentials:
        if self._vertex_url:
            make: Callable[[], Credentials] = AnonymousCredentials
            return make()
        load = cast("_Default", vars(google.auth)["default"])
        return load(scopes=SCOPES)[0]

    def _new_client(self, location: str) -> _Client:
        root = self._root(location)
        make = cast("_Clients", vertex.GenAiTuningServiceClient)
        return make(credentials=self._credentials(), transport="rest", client_options={"api_endpoint": root})

    def _new_session(self) -> requests.Session:
        make = cast("_Sessions", AuthorizedSession)
        return make(self._credentials(), refresh_timeout=self._timeout)


def _location(name: str) -> str:
    matched = NAME.fullmatch(name)
    if matched is None:
        raise BadInput(f"{name!r} is no tuning job of Vertex AI (projects/…/locations/…/tuningJobs/…).")
    return matched["location"]


@contextmanager
def _mapped() -> Generator[None]:
    """Whatever Google's libraries raise, as tuneway's errors."""
    try:
        yield
    except GoogleAPICallError as exc:
        raise _error(exc.code or 0, str(cast("object", exc.message))) from exc
    except (requests.RequestException, GoogleAuthError) as exc:
        # Also a fault of our own credentials: whoever runs this can mend it, and the call then succeeds.
        raise TryLater(f"Vertex AI could not be asked: {_short(str(exc))}") from exc
    except (msgspec.MsgspecError, _parse_error()) as exc:
        raise TryLater(f"Vertex AI gave an answer that cannot be read: {_short(str(exc))}") from exc


def _accepted(response: requests.Response) -> requests.Response:
    """The response, if it is a good one. Raises as the port says."""
    if response.status_code == requests.codes.ok:
        return response
    raise _error(response.status_code, _refusal(response).message or response.reason or "no reason given")


def _ended_already(response: requests.Response) -> bool:
    refused = response.status_code == requests.codes.bad_request
    return refused and _refusal(response).status == "FAILED_PRECONDITION"


def _refusal(response: requests.Response) -> _Fault:
    try:
        return msgspec.json.decode(response.content, type=_Refused).error
    except msgspec.MsgspecError:
        return _Fault(_short(response.text))


def _error(code: int, message: str) -> TunewayError:
    kind = PERMANENT.get(int(code), TryLater)
    return kind(f"Vertex AI answered {int(code)}: {_short(message)}")


def _short(message: str) -> str:
    return message[:MESSAGE_CHARACTERS]


@functools.cache
def _parse_error() -> type[Exception]:
    """What Google's client raises for an answer that is no JSON; its module ships no types."""
    return cast("type[Exception]", vars(importlib.import_module("google.protobuf.json_format"))["ParseError"])
