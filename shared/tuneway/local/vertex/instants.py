"""Times as Google writes them, and ids as it deals them out."""

import secrets
from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Unix seconds as ``2026-11-21T19:40:44.123456Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """Nineteen digits, as Vertex AI numbers its resources."""
    return str(10**18 + secrets.randbelow(9 * 10**18))
