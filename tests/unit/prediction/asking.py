"""Short ways to ask, for tests."""

import json
from typing import Any

from tuneway.prediction.hub.answer import Exchange
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.hub.request import ChatRequest
from tuneway.routing.routes import Target

GEMINI = Target(resource="projects/p/locations/us-central1/endpoints/1")
CONTAINER = Target(resource="projects/p/locations/us-central1/endpoints/1", dialect="instances")
RAW = Target(resource="projects/p/locations/us-central1/endpoints/1", dialect="instances", raw=True)


def ask(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    said = list(messages) or [{"role": "user", "content": "Hi"}]
    return decode_chat_request(json.dumps({"model": "m", "messages": said, **fields}).encode())


def exchange(*messages: dict[str, Any], **fields: Any) -> Exchange:
    return Exchange(request=ask(*messages, **fields), id="chatcmpl-1", created=1)
