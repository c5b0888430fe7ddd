"""Google's embeddings on Vertex AI, by ``predict`` and by ``embedContent``."""

from typing import Any

from typing_extensions import override

from tests.vendors.fake import Asked, Fake
from tests.vendors.gemini import google_shaped, token_borne
from tests.vendors.google_wire import GoogleWhole
from tests.vendors.listening import Heard, words
from tests.vendors.openai_surfaces import vector
from tests.vendors.script import Reply
from tests.vendors.shapes import TEXT, TRUTH, at_least, many, matching, one_of, record, refuse

TASKS = ("RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING")
MORE_TASKS = ("QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY")
EMBED = record(
    {
        "instances": many(
            record({"content": matching(".")}, title=TEXT, task_type=one_of(*TASKS, *MORE_TASKS), mimeType=TEXT), 1, 250
        )
    },
    parameters=record(autoTruncate=TRUTH, outputDimensionality=at_least(1)),
)
CONTENT = record(
    {"content": record({"parts": many(record({"text": matching(".")}), 1)}, role=TEXT)},
    outputDimensionality=at_least(1),
    autoTruncate=TRUTH,
)


class TextEmbeddings(GoogleWhole):
    """``:predict`` of Google's text embedding models; gemini-embedding takes one text at a time."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        google_shaped(asked.body, EMBED)
        if asked.parameters["model"].startswith("gemini-embedding-2"):
            raise refuse(400, "This model is not supported by predict.", kind="FAILED_PRECONDITION")
        if asked.parameters["model"].startswith("gemini-embedding") and len(asked.body["instances"]) > 1:
            raise refuse(400, "Only one instance per prediction call is supported by this model.")

    @override
    def heard(self, asked: Asked) -> Heard:
        return Heard(words=words(asked.body["instances"]))

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        size = (asked.body.get("parameters") or {}).get("outputDimensionality", 768)
        return {"predictions": [_embedded(found["content"], size) for found in asked.body["instances"]]}


class EmbedContent(TextEmbeddings):
    """``:embedContent`` of Gemini Embedding 2: one content a call."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        google_shaped(asked.body, CONTENT)
        if not asked.parameters["model"].startswith("gemini-embedding-2"):
            raise refuse(400, "This model is not supported by embedContent.", kind="FAILED_PRECONDITION")

    @override
    def heard(self, asked: Asked) -> Heard:
        return Heard(words=words(asked.body["content"]["parts"]))

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        text = "".join(part["text"] for part in asked.body["content"]["parts"])
        counts = {"promptTokenCount": len(text.split()), "totalTokenCount": len(text.split())}
        found = vector(text, asked.body.get("outputDimensionality", 3072))
        return {"embedding": {"values": found}, "usageMetadata": counts, "truncated": False}


def _embedded(text: str, size: int) -> dict[str, Any]:
    statistics = {"truncated": False, "token_count": len(text.split())}
    return {"embeddings": {"values": vector(text, size), "statistics": statistics}}
