"""Every error tuneway raises on purpose: a class is the caller's next move, a message is fact and remedy.

TunewayError
├── BadInput            change the request
├── NotAuthenticated    send a key
├── NotAllowed          use another key
├── NotFound            use another name
├── Conflict            reload and try again
│   ├── AlreadyExists   use what is there
│   └── Stale           read it again: it has another version by now, which the error carries
├── TryLater            the same call may succeed later; event functions let this one escape, so it is redelivered
└── UpstreamError       a model's host refused or failed; carries the answer for the caller
"""


class TunewayError(Exception):
    """The root: ``message`` is for people, ``param`` names the field at fault, ``code`` is for programs."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class BadInput(TunewayError):
    """The request cannot be served as it is."""


class NotAuthenticated(TunewayError):
    """No key, or one that is unknown, expired or revoked."""


class NotAllowed(TunewayError):
    """The key is good, but not for this."""


class NotFound(TunewayError):
    """The named thing does not exist, or not for this caller."""


class Conflict(TunewayError):
    """Somebody else wrote first."""


class AlreadyExists(Conflict):
    """The thing to be created is there already."""


class Stale(Conflict):
    """The edit was made from another version than the one that is there; ``current`` is that one's number.

    ``there`` is the thing itself as it is now, where the caller may see it.
    """

    def __init__(self, message: str, *, current: int, there: object = None, param: str | None = None) -> None:
        super().__init__(message, param=param, code="stale_version")
        self.current = current
        self.there = there


class TryLater(TunewayError):
    """A passing fault: nothing was decided, a retry can mend it."""


class UpstreamError(TunewayError):
    """A model's host answered with an error, or not at all.

    ``status`` is the HTTP status for *our* caller, ``kind`` the OpenAI error type, ``retry_after`` seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        kind: str,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.status = status
        self.kind = kind
        self.retry_after = retry_after
