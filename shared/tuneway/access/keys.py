"""Keys and what they open: a key is shown once, its SHA-256 is all that is ever stored."""

import base64
import hashlib
from enum import StrEnum

import msgspec

from tuneway.errors import NotAllowed, NotAuthenticated

KEY_BYTES = 32


class Scope(StrEnum):
    """What a key may do: call models, tune them, or everything including keys and routes."""

    PREDICT = "predict"
    TUNE = "tune"
    ADMIN = "admin"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key: ``owner`` is the tenant its work belongs to; times are Unix seconds.

    ``max_cost_usd`` is what one tuning job of this key may cost before somebody has to approve it; None is any sum.
    """

    owner: str
    scopes: tuple[Scope, ...]
    created_at: float
    name: str = ""
    expires_at: float | None = None
    max_cost_usd: float | None = None

    @property
    def tenant(self) -> str | None:
        """Whose things the key may name; None means everybody's."""
        return None if Scope.ADMIN in self.scopes else self.owner


def key_from(randomness: bytes) -> str:
    """A new key's text from 32 random bytes: ``tw-`` and 43 URL-safe characters."""
    return "tw-" + base64.urlsafe_b64encode(randomness).rstrip(b"=").decode()


def fingerprint(key: str) -> str:
    """The SHA-256 under which a key's grant is stored, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def bearer(authorization: str | None) -> str:
    """The key in an ``Authorization: Bearer`` header. Raises NotAuthenticated."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotAuthenticated(
            "No API key. Send it as 'Authorization: Bearer tw-…'; an admin makes one with 'tuneway keys create'.",
            code="missing_api_key",
        )
    return key.strip()


def admit(grant: Grant | None, scope: Scope, *, now: float) -> Grant:
    """The grant, if it is good for ``scope`` now. Raises NotAuthenticated or NotAllowed."""
    if grant is None or (grant.expires_at is not None and grant.expires_at <= now):
        raise NotAuthenticated(
            # LiteLLM knows a wrong key by OpenAI's first words.
            "Incorrect API key provided: it is unknown, expired or revoked. "
            "An admin makes a new one with 'tuneway keys create'.",
            code="invalid_api_key",
        )
    if scope not in grant.scopes and Scope.ADMIN not in grant.scopes:
        raise NotAllowed(
            f"This API key lacks the scope '{scope}' (it has: {', '.join(grant.scopes)}). Use a key that has it.",
            code="insufficient_scope",
        )
    return grant
