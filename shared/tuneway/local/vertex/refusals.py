"""Google's error answers: canonical status names, their HTTP codes and the JSON around them."""

import msgspec

CODES = {
    "INVALID_ARGUMENT": (400, 3),
    "FAILED_PRECONDITION": (400, 9),
    "OUT_OF_RANGE": (400, 11),
    "UNAUTHENTICATED": (401, 16),
    "PERMISSION_DENIED": (403, 7),
    "NOT_FOUND": (404, 5),
    "ABORTED": (409, 10),
    "ALREADY_EXISTS": (409, 6),
    "RESOURCE_EXHAUSTED": (429, 8),
    "CANCELLED": (499, 1),
    "INTERNAL": (500, 13),
    "UNIMPLEMENTED": (501, 12),
    "UNAVAILABLE": (503, 14),
    "DEADLINE_EXCEEDED": (504, 4),
}
STATUS_OF = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Violation(msgspec.Struct, frozen=True):
    """One field at fault."""

    field: str
    description: str


class Refusal(Exception):
    """The call is answered with an error in Google's JSON; ``status`` is a key of CODES."""

    def __init__(self, status: str, message: str, *violations: Violation) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.violations = violations

    @property
    def code(self) -> int:
        """The HTTP status."""
        return CODES[self.status][0]


def invalid(field: str, message: str) -> Refusal:
    """A 400 INVALID_ARGUMENT that names its field."""
    return Refusal("INVALID_ARGUMENT", message, Violation(field, message))


def not_found(name: str) -> Refusal:
    """A 404 for a resource name."""
    return Refusal("NOT_FOUND", f"Resource {name} is not found.")


def error_body(refusal: Refusal) -> dict[str, object]:
    """``{"error": {code, message, status, details}}``."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message, "status": refusal.status}
    if refusal.violations:
        fields = [{"field": each.field, "description": each.description} for each in refusal.violations]
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}]
    return {"error": error}


def storage_error_body(refusal: Refusal, *, code: int | None = None) -> dict[str, object]:
    """Cloud Storage's older form: the HTTP code and a list of errors."""
    reasons = [{"domain": "global", "reason": refusal.status.lower(), "message": refusal.message}]
    return {"error": {"code": code or refusal.code, "message": refusal.message, "errors": reasons}}
