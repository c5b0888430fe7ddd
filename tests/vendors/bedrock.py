"""Amazon Bedrock's runtime: Converse, and InvokeModel for Claude and embeddings."""

import base64
from collections.abc import Mapping
from typing import Any

from starlette.routing import Route
from typing_extensions import override

from tests.vendors.anthropic_messages import BEDROCK_VERSIONS, Messages
from tests.vendors.bedrock_shapes import COHERE, TITAN
from tests.vendors.converse import STREAM, Bedrock, Converse, shaped
from tests.vendors.counting import CountBedrock
from tests.vendors.event_stream import event
from tests.vendors.fake import Asked, Fake, Wire, encoded, route
from tests.vendors.listening import Heard, words
from tests.vendors.openai_surfaces import vector
from tests.vendors.script import Error, Reply
from tests.vendors.shapes import refuse


class Embedding(Bedrock):
    """``POST /model/{id}/invoke`` for Titan's and Cohere's embeddings."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        self.admitted(asked, fake)
        shaped(asked.body, COHERE if _cohere(asked) else TITAN)

    @override
    def heard(self, asked: Asked) -> Heard:
        return Heard(words=words(asked.body.get("inputText") or asked.body.get("texts")))

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        return self.cohere(asked) if _cohere(asked) else self.titan(asked)

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        raise refuse(400, "The model is unsupported for streaming.")

    def titan(self, asked: Asked) -> dict[str, Any]:
        text = asked.body["inputText"]
        found = vector(text, asked.body.get("dimensions", 1024))
        typed = {"embeddingsByType": {"float": found}} if "embeddingTypes" in asked.body else {}
        return {"embedding": found, "inputTextTokenCount": len(text.split()), **typed}

    def cohere(self, asked: Asked) -> dict[str, Any]:
        texts, size = asked.body["texts"], asked.body.get("output_dimension", 1024)
        found = [vector(text, size) for text in texts]
        typed = "embedding_types" in asked.body
        kind = "embeddings_by_type" if typed else "embeddings_floats"
        return {"id": "emb", "texts": texts, "response_type": kind, "embeddings": {"float": found} if typed else found}


class Claude(Bedrock, Messages):
    """``POST /model/{id}/invoke`` for Claude: Anthropic's body in Bedrock's envelope."""

    envelope = BEDROCK_VERSIONS
    stream_kind = STREAM

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed

    @override
    def version(self, asked: Asked) -> str:
        return str((asked.body or {}).get("anthropic_version"))

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        native = [base64.b64encode(encoded(found)).decode() for found in self.told(asked, reply)]
        return [event("chunk", encoded({"bytes": found, "p": "abcdefgh"})) for found in native]


def bedrock_routes(fake: Fake) -> list[Route]:
    """Bedrock's runtime. A model's id may hold slashes: ARNs do."""
    model = "/model/{model:path}"
    claude = "/model/{model:path}/invoke"
    return [
        route(fake, f"{model}/count-tokens", CountBedrock()),
        route(fake, f"{model}/converse", Converse(streamed=False)),
        route(fake, f"{model}/converse-stream", Converse(streamed=True)),
        route(fake, f"{claude}-with-response-stream", Claude(streamed=True)),
        route(fake, claude, _Invoke()),
    ]


class _Invoke(Wire):
    """InvokeModel: the model's id says which body it is."""

    stream_kind = STREAM

    def __init__(self) -> None:
        self.claude, self.embedding = Claude(streamed=False), Embedding()

    def _of(self, asked: Asked) -> Claude | Embedding:
        return self.claude if "anthropic." in asked.parameters["model"] else self.embedding

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        self._of(asked).check(asked, fake)

    @override
    def heard(self, asked: Asked) -> Heard:
        return self._of(asked).heard(asked)

    @override
    def streams(self, asked: Asked) -> bool:
        return False

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        return self._of(asked).whole(asked, reply)

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        return self._of(asked).events(asked, reply)

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return self.embedding.failed(error)

    @override
    def broken(self, error: Error) -> bytes:
        return self.embedding.broken(error)


def _cohere(asked: Asked) -> bool:
    return "cohere." in asked.parameters["model"]
