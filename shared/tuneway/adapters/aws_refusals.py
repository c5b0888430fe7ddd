"""What AWS says when it refuses a call, and what that means for the caller.

Sources: botocore's models of ``bedrock`` and ``s3``;
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (read 2026-11).
"""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from html import unescape

import httpx
import msgspec

from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError

SAID_CHARACTERS = 500
# The host may do it when asked again at once.
BUSY_STATUSES = {429, 500, 502, 503, 504}
BUSY_CODES = {
    "InternalError",
    "InternalServerException",
    "RequestTimeout",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}
# Keys that ran out: others may do.
STALE_CODES = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
# Keys or a clock that whoever runs this must mend; the same call then succeeds.
KEY_CODES = {
    "AuthFailure",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
# In the way of something else that is under way; a quota is free again when other jobs have ended.
CROSSED_CODES = {"ConflictException", "OperationAborted", "ResourceInUseException", "ServiceQuotaExceededException"}
CODES: dict[str, type[TunewayError]] = {
    "AccessDenied": NotAllowed,
    "AccessDeniedException": NotAllowed,
    "InvalidObjectState": BadInput,
    "NoSuchBucket": NotFound,
    "NoSuchKey": NotFound,
    "NoSuchUpload": TryLater,
    "ResourceNotFoundException": NotFound,
    "ValidationException": BadInput,
    **dict.fromkeys(BUSY_CODES | STALE_CODES | KEY_CODES | CROSSED_CODES, TryLater),
}
# What has no code, or one that is not named above; any other status may pass.
STATUSES: dict[int, type[TunewayError]] = {
    301: BadInput,
    400: BadInput,
    403: NotAllowed,
    404: NotFound,
    405: BadInput,
    411: BadInput,
    412: BadInput,
    413: BadInput,
    416: BadInput,
    501: BadInput,
}
REMEDIES = {
    **dict.fromkeys(STALE_CODES | KEY_CODES, "Check this installation's AWS keys or role, and its clock."),
    "ServiceQuotaExceededException": "Let other jobs end, or ask AWS for a higher quota.",
}


class AwsRefused(Exception):
    """An answer that is no success: AWS's code and words, and the region it points to, if any."""

    def __init__(self, status: int, *, code: str = "", said: str = "", region: str | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.said = said
        self.region = region

    @property
    def busy(self) -> bool:
        """Whether the same call may succeed in a moment."""
        return self.status in BUSY_STATUSES or self.code in BUSY_CODES


FAULTS = (AwsRefused, httpx.HTTPError)


class _Json(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal of Bedrock; the message's spelling depends on who refused."""

    type: str = msgspec.field(default="", name="__type")
    code: str = ""
    message: str = ""
    capital: str = msgspec.field(default="", name="Message")


def refused(status: int, headers: Mapping[str, str], body: bytes) -> AwsRefused:
    """The refusal in an answer, in JSON or in XML; a HEAD's has no body."""
    told = _json(body)
    code = headers.get("x-amzn-errortype") or told.type or told.code or element(body, "Code")
    return AwsRefused(
        status,
        # "ValidationException:http://…" and "com.amazonaws…#ValidationException" are spellings of one name.
        code=code.partition(":")[0].rpartition("#")[2],
        said=(told.message or told.capital or element(body, "Message"))[:SAID_CHARACTERS],
        region=headers.get("x-amz-bucket-region") or element(body, "Region") or None,
    )


def element(body: bytes, name: str) -> str:
    """The text of the first such element: S3's answers are flat where they are read, and hold no markup there."""
    found = re.search(rf"<{name}>\s*([^<]*?)\s*</{name}>".encode(), body)
    return unescape(found[1].decode(errors="replace")) if found else ""


def told(fault: Exception, *, who: str, remedies: Mapping[str, str] | None = None) -> TunewayError:
    """The error for a refusal or for a call that came to nothing; ``who`` begins the sentence."""
    if not isinstance(fault, AwsRefused):
        return TryLater(f"{who}: AWS could not be reached, or broke off ({type(fault).__name__}).")
    kind = CODES.get(fault.code) or STATUSES.get(fault.status, TryLater)
    said = f"{fault.status} {fault.code}".rstrip() + (f": {fault.said}" if fault.said else "")
    remedy = {**REMEDIES, **(remedies or {})}.get(fault.code or str(fault.status), "")
    return kind(f"{who}: AWS answered {said.rstrip('.')}. {remedy}".rstrip())


@contextmanager
def mapped(who: str, remedies: Mapping[str, str] | None = None) -> Generator[None]:
    """What goes wrong in a call to AWS, as tuneway's errors."""
    try:
        yield
    except FAULTS as fault:
        raise told(fault, who=who, remedies=remedies) from fault


def _json(body: bytes) -> _Json:
    try:
        return msgspec.json.decode(body, type=_Json)
    except msgspec.MsgspecError:
        return _Json()
