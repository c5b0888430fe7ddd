"""A synchronous HTTP door: find the rule, check the key, call one use case, render; errors by the one table."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Protocol

import flask
import msgspec

from tuneway.access.keys import Grant, Scope, admit, bearer
from tuneway.edge.errors import Answer, MethodNotAllowed, rendered, unexpected
from tuneway.edge.telemetry.logs import Logs
from tuneway.edge.telemetry.observed_requests import Watch
from tuneway.edge.whole_numbers import whole
from tuneway.errors import BadInput, NotFound, TunewayError
from tuneway.structs import read_fields

log = logging.getLogger(__name__)


class Grants(Protocol):
    """Where the door looks a key up."""

    def grant(self, key: str) -> Grant | None:
        """What the key opens, or None."""
        ...


class Upload(msgspec.Struct, frozen=True):
    """One file of a multipart form, still a stream."""

    filename: str
    content: IO[bytes]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler is given: the caller's grant, the path's variables, and the request's parts."""

    grant: Grant
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Callable[[], bytes]
    form: Callable[[], Mapping[str, str]]
    uploads: Callable[[], Mapping[str, Upload]]

    def limit(self, *, default: int, most: int) -> int:
        """The page size asked for. Raises BadInput."""
        size = whole(self.query.get("limit", str(default)), least=1, most=most)
        if size is None:
            raise BadInput(f"'limit' is a whole number from 1 to {most}.", param="limit")
        return size


class Tagged(msgspec.Struct, frozen=True):
    """A body with headers of its own."""

    body: Mapping[str, object]
    headers: Mapping[str, str]


Body = msgspec.Struct | Mapping[str, object] | Iterator[bytes]
Handler = Callable[[Call], Body]


class Rule(msgspec.Struct, frozen=True):
    """One path of a door, such as ``/v1/files/{file_id}/content``, and the scope its callers need.

    ``{name*}`` may hold slashes.
    """

    method: str
    path: str
    scope: Scope
    handler: Handler


class Door:
    """Answers requests by the first rule that fits; unknown paths are 404 and unknown methods 405."""

    def __init__(
        self, rules: Sequence[Rule], grants: Grants, *, now: Callable[[], float], logs: Logs | None = None
    ) -> None:
        self._rules = [(_pattern(rule.path), rule) for rule in rules]
        self._grants = grants
        self._now = now
        self._logs = logs or Logs(None)
        read_fields()

    def __call__(self, request: flask.Request) -> flask.Response:
        """The answer, with an id to ask us about; never raises for what a caller did."""
        watch = Watch(self._logs, request)
        try:
            answer = self._safe(request, watch)
        finally:
            watch.left()
        answer.headers["x-request-id"] = watch.id
        if answer.is_streamed:
            answer.call_on_close(lambda: watch.write(answer.status_code))
        else:
            watch.write(answer.status_code)
        return answer

    def _safe(self, request: flask.Request, watch: Watch) -> flask.Response:
        try:
            return self._answer(request, watch)
        except TunewayError as fault:
            watch.error = fault.code or type(fault).__name__
            return _error(rendered(fault))
        except Exception:  # the boundary: the framework would show the exception's text to the caller
            log.exception("%s: %s %s failed", watch.id, request.method, request.path)
            watch.error = "internal_error"
            return _error(unexpected())

    def _answer(self, request: flask.Request, watch: Watch) -> flask.Response:
        fitting = [(match, rule) for pattern, rule in self._rules if (match := pattern.fullmatch(request.path))]
        for match, rule in fitting:
            if rule.method == request.method:
                grant = self._admitted(request, rule.scope)
                watch.owner = grant.owner
                return _response(rule.handler(_call(request, grant, match.groupdict())))
        if fitting:
            raise MethodNotAllowed(request.method, [rule.method for _, rule in fitting])
        raise NotFound(f"There is nothing at {request.method} {request.path}.", code="unknown_url")

    def _admitted(self, request: flask.Request, scope: Scope) -> Grant:
        key = bearer(request.headers.get("Authorization"))
        return admit(self._grants.grant(key), scope, now=self._now())


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(re.sub(r"\\{(\w+)\\\*\\}", r"(?P<\1>.+?)", parts) + "/?")


def _call(request: flask.Request, grant: Grant, path: Mapping[str, str]) -> Call:
    return Call(
        grant=grant,
        path=path,
        query=request.args.to_dict(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data,
        # Not before it is asked for: to look at the form is to take a body of curl's default type away from ``body``.
        form=lambda: dict(request.form.items()),
        uploads=lambda: {
            name: Upload(stored.filename or name, stored.stream) for name, stored in request.files.items()
        },
    )


def _error(answer: Answer) -> flask.Response:
    return flask.Response(answer.body, answer.status, dict(answer.headers), mimetype="application/json")


def _response(body: Body) -> flask.Response:
    if isinstance(body, Iterator):
        return flask.Response(body, mimetype="application/octet-stream", direct_passthrough=True)
    if isinstance(body, Tagged):
        return flask.Response(msgspec.json.encode(body.body), 200, dict(body.headers), mimetype="application/json")
    return flask.Response(msgspec.json.encode(body), mimetype="application/json")
