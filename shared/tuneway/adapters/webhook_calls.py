"""Events sent to webhooks: to public addresses alone, without a redirect, in bounded time."""

from collections.abc import Mapping

import httpx

from tuneway.adapters.https_calls import LIMITS, Reach, told
from tuneway.adapters.public_hosts import address
from tuneway.adapters.webhook_deadline import Deadline
from tuneway.errors import BadInput, NotAllowed, TryLater

# Of one delivery, of each read and of all together; whoever takes longer is sent it again.
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
DEADLINE = 15.0
PORTS = {"https": 443, "http": 80}
TAKEN = range(200, 300)


class WebhookCalls:
    """``tuning.notify.Post``; ``reach`` says whether private networks, and http://, may be reached.

    Faults name the receiver's host alone: its path may be what it knows its callers by.
    """

    def __init__(self, reach: Reach | None = None, *, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self._reach = reach or Reach()
        self._client = httpx.Client(
            transport=self._reach.transport,
            verify=self._reach.verify or True,
            headers={"user-agent": "tuneway"},
            limits=LIMITS,
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send it. Raises BadInput and NotAllowed (nothing is sent there), TryLater (not taken)."""
        place = self._checked(url)
        status = self._answered(place, self._request(place, body, headers))
        if status not in TAKEN:
            raise TryLater(f"{_host(place)} answered {status} to an event. Only 2xx says that it is taken.")

    def _answered(self, place: httpx.URL, request: httpx.Request) -> int:
        with Deadline(self._deadline) as deadline:
            request.extensions = {**request.extensions, "trace": deadline.trace}
            try:
                answer = self._client.send(request, stream=True)
            except httpx.HTTPError as fault:
                late = f"It took longer than {self._deadline:g} s."
                said = late if deadline.over else told(fault, httpx.URL(_host(place))).message
                raise TryLater(f"{_host(place)} did not take the event. {said}") from fault
            # What it says beyond its status is not asked for, however much that is.
            answer.close()
        return answer.status_code

    def _checked(self, url: str) -> httpx.URL:
        try:
            place = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as fault:
            raise BadInput("A webhook's address cannot be read. Correct it.", param="url") from fault
        if place.scheme not in PORTS or not place.host or (place.scheme == "http" and not self._reach.private):
            raise NotAllowed(f"Events are sent to https:// addresses only, not to {_host(place)}.")
        return place

    def _request(self, place: httpx.URL, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
        name = place.raw_host.decode("ascii")
        try:
            found = address(
                name, place.port or PORTS[place.scheme], resolve=self._reach.resolve, private=self._reach.private
            )
        except NotAllowed as fault:
            raise NotAllowed(f"'{name}' is in a private network, to which no event is sent.") from fault
        return self._client.build_request(
            "POST",
            place.copy_with(host=found, fragment=None),
            content=body,
            headers={**headers, "host": place.netloc.decode("ascii")},
            # The name is what the certificate is for and what the server knows itself by.
            extensions={"sni_hostname": name},
        )


def _host(place: httpx.URL) -> str:
    return f"{place.scheme}://{place.netloc.decode('ascii')}"
