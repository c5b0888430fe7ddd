"""Where vendors count a prompt's tokens, each call in its own shape; a count is the number of words heard."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from tests.vendors.anthropic_messages import BEDROCK_VERSIONS, VERTEX_VERSIONS, WRAPPED_BODIES, Messages, shaped
from tests.vendors.anthropic_messages import heard as message_heard
from tests.vendors.anthropic_shapes import BODY as MESSAGE
from tests.vendors.bedrock_shapes import BODY as CONVERSE
from tests.vendors.converse import Bedrock
from tests.vendors.converse import shaped as bedrock_shaped
from tests.vendors.converse_heard import heard as converse_heard
from tests.vendors.fake import Asked, Fake
from tests.vendors.gemini import google_shaped, token_borne
from tests.vendors.gemini_heard import heard as gemini_heard
from tests.vendors.gemini_shapes import BODY as GENERATE
from tests.vendors.google_wire import GoogleWhole
from tests.vendors.listening import Heard
from tests.vendors.script import Reply
from tests.vendors.shapes import TEXT, Shape, many, record, refuse

UNCOUNTED = ("max_tokens", "metadata", "service_tier", "stop_sequences", "stream", "temperature", "top_k", "top_p")
_REGIONAL = re.compile(r"(us|eu|apac|global)\.")


def _without(shape: Shape, names: tuple[str, ...], **more: Shape) -> Shape:
    fields = {name: held for name, held in shape["properties"].items() if name not in names}
    needed = [name for name in shape["required"] if name not in names]
    return {**shape, "required": [*needed, *more], "properties": {**fields, **more}}


COUNTED = _without(MESSAGE, UNCOUNTED, model=TEXT)
GEMINI = record(
    {"contents": GENERATE["properties"]["contents"]},
    systemInstruction=GENERATE["properties"]["systemInstruction"],
    tools=GENERATE["properties"]["tools"],
    generationConfig=GENERATE["properties"]["generationConfig"],
    model=TEXT,
    instances=many({}),
)
CONVERSED = record(
    **{
        name: CONVERSE["properties"][name]
        for name in ("messages", "system", "toolConfig", "additionalModelRequestFields")
    }
)
AMAZON = record(
    {
        "input": {
            **record(converse=CONVERSED, invokeModel=record({"body": TEXT})),
            "minProperties": 1,
            "maxProperties": 1,
        }
    }
)


class CountMessages(Messages):
    """``POST /v1/messages/count_tokens``; ``admit`` is how a cloud admits a caller, where it is one."""

    def __init__(self, admit: Callable[[Asked, Fake], None] | None = None) -> None:
        self._admit = admit

    @override
    def admitted(self, asked: Asked, fake: Fake) -> None:
        (self._admit or super().admitted)(asked, fake)

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        self.admitted(asked, fake)
        self.version(asked)
        shaped(asked.body, COUNTED)

    @override
    def streams(self, asked: Asked) -> bool:
        return False

    @override
    def heard(self, asked: Asked) -> Heard:
        return message_heard({"max_tokens": 1, **asked.body})

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        return {"input_tokens": self.heard(asked).words}


class CountVertexClaude(CountMessages):
    """``models/count-tokens:rawPredict``: the model and Vertex AI's version stand in the body."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        shaped(asked.body, _without(COUNTED, (), anthropic_version={"enum": list(VERTEX_VERSIONS)}))


class CountGemini(GoogleWhole):
    """``:countTokens``."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        token_borne(asked, fake)
        google_shaped(asked.body, GEMINI)

    @override
    def heard(self, asked: Asked) -> Heard:
        return gemini_heard(asked.body)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        words = self.heard(asked).words
        return {"totalTokens": words, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": words}]}


class CountBedrock(Bedrock):
    """``POST /model/{id}/count-tokens``: models by their own ids, not by a region's profile, and only some of them."""

    @override
    def check(self, asked: Asked, fake: Fake) -> None:
        self.admitted(asked, fake)
        bedrock_shaped(asked.body, AMAZON)
        model = asked.parameters["model"]
        if _REGIONAL.match(model) or "anthropic." not in model:
            raise refuse(400, "The provided model doesn't support counting tokens.")
        if (invoked := self.invoked(asked)) is not None:
            shaped(invoked, WRAPPED_BODIES[BEDROCK_VERSIONS])

    def invoked(self, asked: Asked) -> Any:
        """The body of InvokeModel, where it is one that is counted."""
        held = asked.body["input"].get("invokeModel")
        return None if held is None else json.loads(base64.b64decode(held["body"], validate=True))

    @override
    def heard(self, asked: Asked) -> Heard:
        invoked = self.invoked(asked)
        return converse_heard(asked.body["input"]["converse"]) if invoked is None else message_heard(invoked)

    @override
    def whole(self, asked: Asked, reply: Reply) -> object:
        return {"inputTokens": self.heard(asked).words}

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        raise refuse(400, "The operation is not streamed.")
