"""Read the folders of this surface, and what comes of them."""

import json
from pathlib import Path
from typing import Any

import msgspec

from tuneway.prediction.dialects.anthropic.request import to_request as to_claude
from tuneway.prediction.dialects.anthropic.response import from_response as from_claude
from tuneway.prediction.dialects.anthropic.stream import StreamDecoder as ClaudeDecoder
from tuneway.prediction.dialects.gemini.request import to_request as to_gemini
from tuneway.prediction.dialects.gemini.response import from_response as from_gemini
from tuneway.prediction.dialects.gemini.stream import StreamDecoder as GeminiDecoder
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import Exchange
from tuneway.prediction.surfaces.messages.chat import shows_thoughts, to_chat
from tuneway.prediction.surfaces.messages.events import MessageEvents
from tuneway.prediction.surfaces.messages.message import encode_message
from tuneway.prediction.surfaces.messages.request import MessagesRequest, decode_messages_request
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/messages.json"))


def name(case: Path) -> str:
    return case.name


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def asked(case: Path) -> MessagesRequest:
    return decode_messages_request((case / "messages.json").read_bytes())


def exchange(case: Path) -> Exchange:
    return Exchange(request=to_chat(asked(case)), id="chatcmpl-golden", created=1_700_000_000)


def hosts_request(case: Path) -> Any:
    target = msgspec.json.decode((case / "target.json").read_bytes(), type=Target)
    words = to_claude if target.dialect == "anthropic" else to_gemini
    return json.loads(msgspec.json.encode(words(exchange(case).request, target)))


def message(case: Path) -> Any:
    words = from_claude if case.name.startswith("claude") else from_gemini
    completion = words((case / "response.json").read_bytes(), exchange(case))
    return json.loads(encode_message(completion, thoughts=shows_thoughts(asked(case))))


def events(case: Path, *pieces: bytes) -> bytes:
    """The stream as the caller sees it, told in as many pieces as the host sent."""
    told = MessageEvents(thoughts=shows_thoughts(asked(case)))
    decoder = ClaudeDecoder(exchange(case)) if case.name.startswith("claude") else GeminiDecoder(exchange(case))
    framing = SseDecoder()
    out = b"".join(told.encode(decoder.decode(event)) for piece in pieces for event in framing.decode(piece))
    out += b"".join(told.encode(decoder.decode(event)) for event in framing.flush())
    return out + told.encode(decoder.flush()) + told.flush(decoder.usage)
