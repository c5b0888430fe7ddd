"""Thought signatures in tool ids: Gemini wants a call's signature back, and Anthropic's clients give back ids alone.

``call_7`` signed becomes ``call_7__thought__c2ln…``: URL-safe base64 without padding, so that the id stays within the
letters Anthropic's API allows.
"""

import base64
import binascii

from tuneway.prediction.hub.messages import ExtraContent, GoogleExtra

_MARK = "__thought__"


def signed_id(call_id: str, extra: ExtraContent | None) -> str:
    """The id a client sees of a call."""
    signature = extra.google.thought_signature if extra is not None and extra.google is not None else None
    if not signature:
        return call_id
    return f"{call_id}{_MARK}{base64.urlsafe_b64encode(signature.encode()).decode().rstrip('=')}"


def read_id(shown: str) -> tuple[str, ExtraContent | None]:
    """The call's own id and its signature; an id that only looks signed is taken as it is."""
    call_id, mark, packed = shown.partition(_MARK)
    if not mark:
        return shown, None
    try:
        signature = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, ValueError):
        return shown, None
    return call_id, ExtraContent(google=GoogleExtra(thought_signature=signature))
