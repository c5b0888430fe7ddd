"""Calls of Amazon Bedrock's control plane: JSON over signed HTTP, in the region that a name or a location tells."""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from tuneway.adapters.aws_addresses import host
from tuneway.adapters.aws_calls import AwsCall, AwsCaller
from tuneway.adapters.aws_refusals import mapped
from tuneway.errors import TryLater

WHO = "Amazon Bedrock"
REMEDIES = {
    "AccessDeniedException": (
        "Allow this installation's role the bedrock actions on custom models and their jobs, and iam:PassRole for "
        "TUNEWAY_BEDROCK_ROLE."
    ),
    "ResourceNotFoundException": "Correct the name, or the region.",
}
# How Bedrock refuses a name that is in use: with any of these.
NAME_TAKEN = {"ConflictException", "ResourceInUseException", "ValidationException"}

T = TypeVar("T")


class BedrockControl:
    """The calls; each raises BadInput, NotAllowed, NotFound and TryLater. ``base_url`` stands in for AWS."""

    def __init__(self, caller: AwsCaller, *, timeout: float, base_url: str | None = None) -> None:
        """``timeout`` is in seconds, for each call with its retries."""
        self._caller = caller
        self._timeout = timeout
        self._base_url = base_url.rstrip("/") if base_url else None

    def get(self, path: str, *, region: str, query: Mapping[str, str] | None = None) -> bytes:
        """What is there now."""
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        return self._sent(self._call("GET", f"{path}{asked}", region=region))

    def create(self, path: str, body: object, *, region: str) -> bytes:
        """Make something. After TryLater it may exist: so the call is never repeated here."""
        call = self._call("POST", path, region=region)
        headers = {"content-type": "application/json"}
        return self._sent(
            msgspec.structs.replace(call, headers=headers, body=msgspec.json.encode(body), repeatable=False)
        )

    def ask(self, method: str, path: str, *, region: str) -> None:
        """Ask for something that is the same when it is asked for twice."""
        self._sent(self._call(method, path, region=region))

    def _call(self, method: str, path: str, *, region: str) -> AwsCall:
        real = f"https://{host('bedrock', region)}"
        url = f"{self._base_url or real}{path}"
        return AwsCall(method=method, service="bedrock", region=region, url=url, seconds=self._timeout)

    def _sent(self, call: AwsCall) -> bytes:
        with mapped(WHO, REMEDIES):
            return self._caller.ask(call).body


def segment(name: str) -> str:
    """A name as one piece of a path: an ARN has slashes and colons, and what is signed must be what is sent."""
    return quote(name, safe="")


def decoded(body: bytes, kind: type[T]) -> T:
    """An answer's fields. Raises TryLater for an answer that makes no sense."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as fault:
        raise TryLater(f"{WHO} gave an answer that cannot be read: {str(fault)[:200]}") from fault
