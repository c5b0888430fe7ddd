"""The command line's connection to a tuneway: where it is, the key for it, and its errors in plain words."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import click
import httpx
import msgspec

TIMEOUT = httpx.Timeout(30.0, read=600.0)
DATA = ".tuneway"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ADDRESS = "Look at --url or TUNEWAY_URL."
NOT_OURS = f"answers with something that tuneway does not say. {ADDRESS}"


class Local(msgspec.Struct, frozen=True):
    """What a local stack leaves in its folder for the command line."""

    url: str
    key: str


class Failed(click.ClickException):
    """An answer that was an error; exits with 1."""


class Refused(Failed):
    """An error that the server told; ``code`` is its own, if it has one."""

    def __init__(self, content: bytes) -> None:
        message, self.code = _error(content)
        super().__init__(message)


class Client:
    """JSON calls to one tuneway. Raises Failed with the server's own message."""

    def __init__(self, url: str, key: str) -> None:
        self.url = address(url)
        self.key = key
        self._near = httpx.URL(self.url).host in LOOPBACK
        # A proxy that the environment names leads away from this computer.
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT,
            trust_env=not self._near,
        )

    def call(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> dict[str, object]:
        """One call; the decoded answer."""
        content = None if body is None else msgspec.json.encode(body)
        return self._answer(lambda: self._http.request(method, path, content=content, headers=headers))

    def rows(self, path: str) -> list[dict[str, object]]:
        """The rows of a list."""
        try:
            return msgspec.convert(self.call("GET", path).get("data"), list[dict[str, object]])
        except msgspec.ValidationError as fault:
            raise Failed(f"{self.url} {NOT_OURS}") from fault

    def upload(self, path: str, *, file: tuple[str, bytes | IO[bytes]], purpose: str) -> dict[str, object]:
        """One multipart upload; the decoded answer."""
        return self._answer(lambda: self._http.post(path, files={"file": file}, data={"purpose": purpose}))

    def stream(self, path: str, body: object) -> Iterator[dict[str, object]]:
        """The events of a streamed answer. Raises Failed also for an error in the middle."""
        try:
            with self._http.stream("POST", path, content=msgspec.json.encode(body)) as response:
                if response.status_code >= httpx.codes.BAD_REQUEST:
                    raise Refused(response.read())
                for line in response.iter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        yield _event(line.removeprefix("data: "))
        except httpx.HTTPError as fault:
            raise self._silent(fault) from fault
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            raise Failed(f"{self.url} {NOT_OURS}") from fault

    def _answer(self, send: Callable[[], httpx.Response]) -> dict[str, object]:
        try:
            response = send()
        except httpx.HTTPError as fault:
            raise self._silent(fault) from fault
        if response.is_error:
            raise Refused(response.content)
        try:
            return msgspec.json.decode(response.content, type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            raise Failed(f"{self.url} {NOT_OURS}") from fault

    def _silent(self, fault: httpx.HTTPError) -> Failed:
        remedy = "Is 'tuneway up' running?" if self._near else ADDRESS
        return Failed(f"{self.url} does not answer: {str(fault).rstrip('.') or type(fault).__name__}. {remedy}")


def connect(url: str | None, key: str | None, data: str) -> Client:
    """The tuneway named by options or environment, else the local stack of folder ``data``. Raises Failed."""
    local = _local(Path(data))
    url = url or (local.url if local else None)
    key = key or (local.key if local else None)
    if not url or not key:
        raise Failed("Which tuneway? Start one with 'tuneway up', or give --url and --api-key.")
    if not key.isascii():
        raise Failed("That is no API key: it has letters no key has. Look at --api-key or TUNEWAY_API_KEY.")
    return Client(url, key)


def address(url: str) -> str:
    """The origin that paths stand behind: without the ``/v1`` that SDKs want at the end. Raises Failed."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as fault:
        raise Failed(f"'{url}' is no address: {fault}. {ADDRESS}") from fault
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise Failed(f"'{url}' is no address: write http://127.0.0.1:8080, or https:// and a host. {ADDRESS}")
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def show(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _local(data: Path) -> Local | None:
    try:
        return msgspec.json.decode((data / "stack.json").read_bytes(), type=Local)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def _event(text: str) -> dict[str, object]:
    event = msgspec.json.decode(text, type=dict[str, object])
    if "error" in event:
        raise Refused(text.encode())
    return event


def _error(content: bytes) -> tuple[str, str | None]:
    """What the server says, and its code."""
    try:
        error = msgspec.json.decode(content, type=dict[str, dict[str, object]])["error"]
        param = f" (param: {error['param']})" if error.get("param") else ""
        message = f"{error['message']}{param}"
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        return f"The server answered with something that is not an error of ours: {content[:200]!r}", None
    code = error.get("code")
    return message, code if isinstance(code, str) else None
