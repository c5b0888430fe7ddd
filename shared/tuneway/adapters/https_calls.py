"""The one call that a file of the web takes: to a public address only, through redirects, again when it may succeed."""

import ssl
import time
from collections.abc import Callable, Mapping

import httpx
import msgspec

from tuneway.adapters.public_hosts import Resolve, address, resolved
from tuneway.errors import BadInput, NotAllowed, NotFound, TryLater, TunewayError

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
MOST_REDIRECTS = 5
ATTEMPTS = 4
PARTIAL = 206
OK = 200
HEADERS = {"user-agent": "tuneway", "accept-encoding": "identity"}
# A connection is to one address for one name, so none is kept for the next call.
LIMITS = httpx.Limits(max_keepalive_connections=0)

_REFUSALS: Mapping[int, tuple[type[TunewayError], str]] = {
    401: (NotAllowed, "Use an address that needs no login, such as a signed one."),
    403: (NotAllowed, "Use an address that may be read and has not expired."),
    404: (NotFound, "Correct the address."),
    410: (NotFound, "Correct the address."),
}
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How to get there: ``private`` also lets addresses through that are not of the Internet; ``wait`` sleeps."""

    private: bool = False
    resolve: Resolve = resolved
    transport: httpx.BaseTransport | None = None
    verify: ssl.SSLContext | None = None
    wait: Callable[[float], None] = time.sleep


class HttpsCalls:
    """Calls that raise NotFound, NotAllowed, BadInput and TryLater; they name the address without its query."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._client = httpx.Client(
            transport=reach.transport,
            verify=reach.verify or ssl.create_default_context(),
            headers=HEADERS,
            limits=LIMITS,
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def open(self, url: httpx.URL, *, start: int = 0, tag: str | None = None) -> httpx.Response:
        """The file from byte ``start`` on, if it still is the one of ``tag``; who reads its body closes it."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._followed(url, _range(start, tag))
            except TryLater:
                if attempt == ATTEMPTS:
                    raise
                self._reach.wait(2.0 ** (attempt - 2))
        raise TryLater(f"{shown(url)} does not answer.")

    def _followed(self, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        place = url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._sent(place, headers)
            if answer.status_code not in _REDIRECTS:
                return _good(answer, url)
            answer.close()
            place = _next(place, answer)
        raise BadInput(f"{shown(url)} redirects more than {MOST_REDIRECTS} times. Name the last address.")

    def _sent(self, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        name = url.raw_host.decode("ascii")
        found = address(name, url.port or 443, resolve=self._reach.resolve, private=self._reach.private)
        request = self._client.build_request(
            "GET",
            url.copy_with(host=found, fragment=None),
            headers={**headers, "host": url.netloc.decode("ascii")},
            # The name is what the certificate is for and what the server knows itself by.
            extensions={"sni_hostname": name},
        )
        try:
            return self._client.send(request, stream=True)
        except httpx.HTTPError as fault:
            raise told(fault, url) from fault


def checked(uri: str) -> httpx.URL:
    """The address of a file. Raises BadInput."""
    try:
        url = httpx.URL(uri)
    except (httpx.InvalidURL, ValueError) as fault:
        raise BadInput(f"'{uri[:80]}' is no address. Write https://host/path.", code="invalid_uri") from fault
    if url.scheme != "https" or not url.host:
        raise BadInput(f"'{uri[:80]}' is no address of a file. Write https://host/path.", code="invalid_uri")
    if url.userinfo:
        raise BadInput("An address may hold no user or password. Use a signed address.", code="invalid_uri")
    return url


def shown(url: httpx.URL) -> str:
    """The address as it may be told: without what may be a signature."""
    return str(url.copy_with(query=None, fragment=None))


def told(fault: httpx.HTTPError, url: httpx.URL) -> TunewayError:
    """Our error for one of the connection's."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotAllowed(f"{shown(url)}: its certificate cannot be trusted ({cause.verify_message}).")
        cause = cause.__cause__ or cause.__context__
    return TryLater(f"{shown(url)} could not be read: {type(fault).__name__}.")


def _range(start: int, tag: str | None) -> dict[str, str]:
    headers = {"range": f"bytes={start}-"} if start else {}
    return {**headers, "if-range": tag} if start and tag else headers


def _next(place: httpx.URL, answer: httpx.Response) -> httpx.URL:
    target = answer.headers.get("location", "")
    if not target:
        raise BadInput(f"{shown(place)} redirects to nowhere. Name the file's own address.")
    try:
        joined = place.join(target)
    except (httpx.InvalidURL, ValueError) as fault:
        raise BadInput(f"{shown(place)} redirects to what is no address.") from fault
    if joined.scheme != "https":
        raise BadInput(f"{shown(place)} redirects to {joined.scheme}://. Name an address that stays with https://.")
    return checked(str(joined))


def _good(answer: httpx.Response, url: httpx.URL) -> httpx.Response:
    status = answer.status_code
    if status in {OK, PARTIAL}:
        return answer
    answer.close()
    if status in _PASSING:
        raise TryLater(f"{shown(url)} answered with {status}.")
    kind, remedy = _REFUSALS.get(status, (BadInput, "Name an address that gives the file itself."))
    raise kind(f"{shown(url)} answered with {status}. {remedy}")
