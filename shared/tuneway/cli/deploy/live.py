"""A live installation as its callers meet it: where each function answers, and what it answers."""

import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import msgspec

from tuneway.cli.deploy.outcomes import Unwell
from tuneway.errors import BadInput

# A first call may have to start an instance.
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
KEY = re.compile(r"[!-~]+")
STRANGER = "tw-nobody-has-ever-been-given-this-key"
# https://<service>-<hash>-<region>.a.run.app and https://<service>-<project's number>.<region>.run.app
CLOUD_RUN = re.compile(
    r"(?P<prefix>[a-z][a-z0-9-]*?)-(?P<function>[a-z]+)-(?P<rest>[a-z0-9]+(?:-[a-z]+)?\.[a-z0-9.-]*run\.app)"
)
CLOUD_FUNCTIONS = re.compile(r"/(?P<prefix>[a-z][a-z0-9-]*)-(?P<function>[a-z]+)/?")


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer; ``body`` is its JSON object, empty where it is none."""

    status: int
    body: dict[str, object]

    @property
    def good(self) -> bool:
        """Whether it did what was asked for."""
        return httpx.codes.is_success(self.status)

    @property
    def error(self) -> dict[str, object]:
        """The error in it, in OpenAI's shape; empty where there is none."""
        found = self.body.get("error")
        return msgspec.convert(found, dict[str, object]) if isinstance(found, dict) else {}

    @property
    def said(self) -> str:
        """The error's message, and the status."""
        message = self.error.get("message")
        return f"{self.status}: {message}" if message else f"{self.status}"


class Live:
    """The functions of one installation, called with one key or as a stranger. Raises BadInput."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        doors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if not re.match(r"https?://[^/\s]+", url):
            raise BadInput(f"'{url[:80]}' is no URL. Give predict's, which begins with https://.", param="check")
        if key is not None and not KEY.fullmatch(key):
            raise BadInput(
                "That is no API key: it has letters no key has. Look at --key or TUNEWAY_API_KEY.", param="key"
            )
        self.url = url.rstrip("/")
        self.key = key
        self._doors = doors or {}
        self._http = httpx.Client(timeout=TIMEOUT, headers=headers)

    def address(self, function: str) -> str:
        """Where the function answers."""
        return self._doors.get(function) or address(self.url, function)

    @property
    def apart(self) -> bool:
        """Whether each function has a URL of its own."""
        return address(self.url, "tick") != self.url

    def ask(self, function: str, method: str, path: str, *, body: object = None, key: str | None = None) -> Answer:
        """One call with ``key``, or as a stranger without. Raises Unwell when nothing answers."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {"authorization": f"Bearer {key}"} if key else {}
        url = self.address(function) + path
        return self._sent(function, self._http.build_request(method, url, content=content, headers=headers))

    def own(self, function: str, method: str, path: str, *, body: object = None) -> Answer:
        """One call with the key that was given."""
        return self.ask(function, method, path, body=body, key=self.key)

    def upload(self, name: str, content: bytes) -> Answer:
        """A file of a dataset."""
        url = f"{self.address('tuning')}/v1/files"
        headers = {"authorization": f"Bearer {self.key}"}
        files, data = {"file": (name, content)}, {"purpose": "fine-tune"}
        return self._sent("tuning", self._http.build_request("POST", url, headers=headers, files=files, data=data))

    def close(self) -> None:
        """No more calls."""
        self._http.close()

    def _sent(self, function: str, request: httpx.Request) -> Answer:
        try:
            response = self._http.send(request)
        except httpx.HTTPError as fault:
            said = f"{function} does not answer at {request.url}: {fault!r}"
            raise Unwell(
                said, f"Is that its URL? 'gcloud run services list' shows it; else {logs(function)}"
            ) from fault
        return Answer(response.status_code, _object(response.content))


def address(url: str, function: str) -> str:
    """The URL of another function beside ``url``: on Cloud Run each has its own, elsewhere all have one."""
    name = function.replace("_", "-")
    parts = urlsplit(url)
    if found := CLOUD_RUN.fullmatch(parts.netloc):
        return f"{parts.scheme}://{found['prefix']}-{name}-{found['rest']}"
    if parts.netloc.endswith(".cloudfunctions.net") and (found := CLOUD_FUNCTIONS.fullmatch(parts.path)):
        return f"{parts.scheme}://{parts.netloc}/{found['prefix']}-{name}"
    return url


def logs(function: str) -> str:
    """How to see what a function says."""
    name = function.replace("_", "-")
    return f"'gcloud run services logs read tuneway-{name} --region <region>' says why (docs/runbooks/errors.md)."


def until(deadline: float, pause: float) -> bool:
    """Whether there is time left, after a pause."""
    time.sleep(pause)
    return time.monotonic() < deadline


def _object(content: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(content, type=dict[str, object])
    except msgspec.MsgspecError:
        return {}
