"""Simulated embeddings: predict and embedContent of Google's embedding models.

A vector says which words a text has and no more, so texts that share words lie near each other.
"""

import hashlib
import math
import re
from collections.abc import Iterator

from tuneway.local.vertex.bases import gone
from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.narrow import items, mapping, text
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.refusals import invalid
from tuneway.local.vertex.tokens import tokens_in

WORD = re.compile(r"\w+")
PLACES = 8  # of a vector, that a word adds to or takes from
BY_PREDICT = re.compile(r"(gemini-embedding-001|text-embedding-\d+|text-multilingual-embedding-\d+)(@.*)?")
BY_CONTENT = re.compile(r"gemini-embedding-[2-9][\w.-]*")
GEMINI, OLDER = 3072, 768  # as many as each model's vectors have, unless fewer are asked for


def predict(_: Cloud, call: Call) -> Reply:
    """A vector for each instance. Raises Refusal."""
    model = _served(BY_PREDICT, call)
    body = canonical("PredictRequest", call.json())
    texts = [text(mapping(instance).get("content")) for instance in items(body.get("instances"))]
    gemini = model.startswith("gemini")
    if not texts or not all(texts):
        raise invalid("instances", "Every instance has a text in its content, and there is at least one.")
    if gemini and len(texts) > 1:
        raise invalid("instances", "Only one instance per prediction call is supported by this model.")
    size = _size(mapping(body.get("parameters")), GEMINI if gemini else OLDER)
    return Reply({"predictions": [_prediction(said, size) for said in texts]})


def embed_content(_: Cloud, call: Call) -> Reply:
    """The vector of one content. Raises Refusal."""
    _served(BY_CONTENT, call)
    body = canonical("EmbedContentRequest", call.json())
    said = "".join(text(mapping(part).get("text")) for part in items(mapping(body.get("content")).get("parts")))
    if not said:
        raise invalid("content", "The content has no text.")
    counted = {"promptTokenCount": tokens_in(said), "totalTokenCount": tokens_in(said)}
    values = vector(said, _size(body, GEMINI))
    return Reply({"embedding": {"values": values}, "usageMetadata": counted, "truncated": False})


def vector(said: str, size: int) -> list[float]:
    """The words of a text as a vector of length 1; the same on every computer."""
    values = [0.0] * size
    for word in WORD.findall(said.lower()) or [said]:
        for place, sign in _places(word, size):
            values[place] += sign
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]


def _places(word: str, size: int) -> Iterator[tuple[int, float]]:
    digest = hashlib.sha256(word.encode()).digest()
    for start in range(0, PLACES * 4, 4):
        number = int.from_bytes(digest[start : start + 4])
        yield (number >> 1) % size, 1.0 if number & 1 else -1.0


def _prediction(said: str, size: int) -> dict[str, object]:
    statistics = {"token_count": tokens_in(said), "truncated": False}
    return {"embeddings": {"values": vector(said, size), "statistics": statistics}}


def _size(parameters: dict[str, object], usual: int) -> int:
    asked = parameters.get("outputDimensionality", usual)
    if not isinstance(asked, int | float) or not 1 <= asked <= usual or asked != int(asked):
        raise invalid("outputDimensionality", f"The vectors of this model have 1 to {usual} dimensions.")
    return int(asked)


def _served(models: re.Pattern[str], call: Call) -> str:
    model = call.ids["model"]
    if not models.fullmatch(model):
        raise gone(model, call.parent)
    return model


_MODEL = "projects/{project}/locations/{location}/publishers/google/models/{model}"
RULES = (Rule("POST", f"{_MODEL}:predict", predict), Rule("POST", f"{_MODEL}:embedContent", embed_content))
