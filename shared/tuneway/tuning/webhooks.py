"""Webhooks: where an owner wants to be told of ended jobs, in OpenAI's words, signed by the Standard Webhooks rules.

https://www.standardwebhooks.com (read 2026-11). A webhook's secret is stored nowhere: it is made from its id and the
installation's own secret, which is a reference, whenever it is shown (once) or signed with.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from tuneway.errors import BadInput, NotFound
from tuneway.ports import Documents
from tuneway.state import Collection, Stored

SUCCEEDED, FAILED, CANCELLED = (f"fine_tuning.job.{end}" for end in ("succeeded", "failed", "cancelled"))
EVENT_TYPES = (SUCCEEDED, FAILED, CANCELLED)
MOST = 20
MOST_NAME = 128
MOST_URL = 2048
OLD_SECONDS = 86400.0
PREFIX = "whsec_"


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send which events. ``generation`` counts its secrets; the one before is good until ``old_until``."""

    id: str
    owner: str
    name: str
    url: str
    event_types: tuple[str, ...]
    created_at: float
    updated_at: float
    generation: int = 1
    old_until: float = 0.0


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks of a webhook; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    event_types: tuple[str, ...] | None = None


class Webhooks:
    """The webhooks of an installation; ``root`` is its secret, and ``private`` lets http:// addresses in.

    ``root`` raises BadInput when the installation has none, and TryLater.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        root: Callable[[], bytes],
        now: Callable[[], float],
        new_id: Callable[[], str] = lambda: "",
        private: bool = False,
    ) -> None:
        self._documents = documents
        self._kept = Collection(documents, "webhooks", Webhook)
        self._root = root
        self._now = now
        self._new_id = new_id
        self._private = private

    def create(self, *, owner: str, wish: Wish) -> tuple[Webhook, str]:
        """A new webhook and its secret, which is in this answer and nowhere else. Raises BadInput, TryLater."""
        if len(self.owned(owner)) >= MOST:
            raise BadInput(f"There are {MOST} webhooks already. Delete one that is not used.", code="too_many_webhooks")
        now = self._now()
        empty = Webhook(
            id=f"we_{self._new_id()}", owner=owner, name="", url="", event_types=(), created_at=now, updated_at=now
        )
        wished = Wish(name=wish.name or "", url=wish.url or "", event_types=wish.event_types or ())
        webhook = self._changed(empty, wished)
        secret = self.secret(webhook)
        self._documents.commit(self._kept.create(webhook.id, webhook))
        return webhook, secret

    def owned(self, owner: str) -> list[Webhook]:
        """The owner's, newest first."""
        found = [stored.value for stored in self._kept.find(("owner", "==", owner))]
        return sorted(found, key=lambda webhook: (webhook.created_at, webhook.id), reverse=True)

    def get(self, id_: str, *, owner: str | None) -> Webhook:
        """The webhook, if it is the owner's; None asks for anybody's. Raises NotFound."""
        return self._stored(id_, owner).value

    def update(self, id_: str, *, owner: str | None, wish: Wish) -> Webhook:
        """Change what is wished. Raises NotFound, BadInput, Conflict."""
        stored = self._stored(id_, owner)
        after = self._changed(stored.value, wish)
        if after != stored.value:
            after = msgspec.structs.replace(after, updated_at=self._now())
            self._documents.commit(self._kept.replace(stored, after))
        return after

    def rotate(self, id_: str, *, owner: str | None, keep_old: bool) -> tuple[Webhook, str]:
        """A new secret, shown once; the old one signs, too, for a day if asked. Raises NotFound, Conflict, TryLater."""
        stored, now = self._stored(id_, owner), self._now()
        after = msgspec.structs.replace(
            stored.value,
            generation=stored.value.generation + 1,
            old_until=now + OLD_SECONDS if keep_old else 0.0,
            updated_at=now,
        )
        secret = self.secret(after)
        self._documents.commit(self._kept.replace(stored, after))
        return after, secret

    def delete(self, id_: str, *, owner: str | None) -> None:
        """Send nothing there any more. Raises NotFound."""
        self._documents.commit(self._kept.delete(self._stored(id_, owner).id))

    def secret(self, webhook: Webhook) -> str:
        """The secret as its owner was shown it."""
        return PREFIX + base64.b64encode(self._bytes(webhook, webhook.generation)).decode()

    def signed(self, webhook: Webhook, event_id: str, body: bytes) -> dict[str, str]:
        """The headers that prove where the event comes from."""
        now = self._now()
        at = str(int(now))
        generations = [webhook.generation, *([webhook.generation - 1] if now < webhook.old_until else [])]
        secrets = [self._bytes(webhook, generation) for generation in generations]
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": at,
            "webhook-signature": " ".join(signature(secret, event_id, at, body=body) for secret in secrets),
        }

    def _bytes(self, webhook: Webhook, generation: int) -> bytes:
        return hmac.new(self._root(), f"{webhook.id}.{generation}".encode(), hashlib.sha256).digest()

    def _stored(self, id_: str, owner: str | None) -> Stored[Webhook]:
        stored = self._kept.known(id_)
        if stored is None or owner not in {None, stored.value.owner}:
            raise NotFound(f"There is no webhook '{id_}'.", param="webhook_endpoint_id")
        return stored

    def _changed(self, webhook: Webhook, wish: Wish) -> Webhook:
        return msgspec.structs.replace(
            webhook,
            name=webhook.name if wish.name is None else _named(wish.name),
            url=webhook.url if wish.url is None else _address(wish.url, private=self._private),
            event_types=webhook.event_types if wish.event_types is None else _types(wish.event_types),
        )


def signature(secret: bytes, event_id: str, at: str, *, body: bytes) -> str:
    """One signature of the header."""
    proof = hmac.new(secret, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(proof).decode()}"


def payload(event_id: str, kind: str, *, at: float, job: str) -> bytes:
    """The body of a delivery, as OpenAI's."""
    told: Mapping[str, object] = {
        "id": event_id,
        "object": "event",
        "created_at": int(at),
        "type": kind,
        "data": {"id": job},
    }
    return msgspec.json.encode(told)


def _named(name: str) -> str:
    if not 1 <= len(name.strip()) <= MOST_NAME:
        raise BadInput(f"Give the webhook a name of 1 to {MOST_NAME} letters.", param="name")
    return name.strip()


def _types(types: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(types))
    if not chosen or not set(chosen) <= set(EVENT_TYPES):
        raise BadInput(f"'event_types' takes one or more of: {', '.join(EVENT_TYPES)}.", param="event_types")
    return chosen


def _address(url: str, *, private: bool) -> str:
    """Where to send: who is behind the name is looked at for every delivery, for it may change."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        parts, whole = urlsplit(""), False
    if not whole or len(url) > MOST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput(f"'url' is no address of at most {MOST_URL} letters. Write https://host/path.", param="url")
    if parts.scheme not in ({"https", "http"} if private else {"https"}):
        raise BadInput("Events are sent to https:// addresses only. Write https://host/path.", param="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("An address may hold no user, password or fragment: the signature is the proof.", param="url")
    return url
