"""Read the folders of this dialect, and what comes of them."""

import json
from pathlib import Path
from typing import Any

import msgspec

from tuneway.prediction.dialects.anthropic.stream import StreamDecoder
from tuneway.prediction.framing.sse import SseDecoder
from tuneway.prediction.hub.answer import Chunk, Exchange
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.prediction.retelling import stream_retold
from tuneway.routing.routes import Target

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/chat.json"))
ANSWERED = [case for case in CASES if (case / "response.json").exists()]
STREAMED = [case for case in CASES if (case / "stream.sse").exists()]


def name(case: Path) -> str:
    return case.name


def target(case: Path) -> Target:
    return msgspec.json.decode((case / "target.json").read_bytes(), type=Target)


def exchange(case: Path) -> Exchange:
    request = decode_chat_request((case / "chat.json").read_bytes())
    return Exchange(request=request, id="chatcmpl-golden", created=1_700_000_000)


def golden(case: Path, file: str) -> Any:
    return json.loads((case / file).read_bytes())


def wire(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def events(*pieces: bytes) -> list[bytes]:
    framing = SseDecoder()
    return [event for piece in pieces for event in framing.decode(piece)] + framing.flush()


def chunks_of(case: Path, *pieces: bytes) -> list[Chunk]:
    decoder = stream_retold(StreamDecoder(exchange(case)), exchange(case).request, "anthropic")
    return [chunk for event in events(*pieces) for chunk in decoder.decode(event)] + decoder.flush()
