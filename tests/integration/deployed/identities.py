"""Google's part in who is who: signed identity tokens, which only the holder of this run's key can make."""

import base64
import hashlib
import hmac
import json
import secrets
import time

ISSUER = "https://accounts.google.com"
SECONDS = 3600.0


class Identities:
    """Signs for an account and an audience, and reads what it signed; Cloud Run does so with Google's public keys."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, email: str, audience: str) -> str:
        """A JWT of the form that Pub/Sub, Eventarc and Cloud Scheduler send."""
        claims = {"iss": ISSUER, "aud": audience, "email": email, "email_verified": True, "exp": time.time() + SECONDS}
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def email(self, token: str, audience: str) -> str | None:
        """Whose it is; None when it was not signed here, is for somebody else or too old."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature, self._signature(signed)):
            return None
        body = signed.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        good = claims["aud"] == audience and claims["exp"] > time.time()
        return str(claims["email"]) if good else None

    def _signature(self, signed: str) -> str:
        return _text(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
