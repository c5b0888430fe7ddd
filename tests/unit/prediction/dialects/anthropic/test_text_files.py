"""Files of text, which Claude takes as they are."""

import base64
from typing import Any

import msgspec
import pytest

from tests.unit.prediction.asking import ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.anthropic.request import to_request
from tuneway.routing.routes import Target

OPUS = Target(model="claude-opus-4-8", dialect="anthropic", provider="anthropic")
PARAM = "messages[0].content[0].file.file_data"


def source(content: bytes, mime: str = "text/plain") -> Any:
    data = f"data:{mime};base64,{base64.b64encode(content).decode()}"
    message = {"role": "user", "content": [{"type": "file", "file": {"file_data": data}}]}
    sent = msgspec.json.decode(msgspec.json.encode(to_request(ask(message), OPUS)))
    return sent["messages"][-1]["content"][-1]["source"]


@pytest.mark.parametrize("mime", ["text/plain", "text/markdown", "text/csv"])
def test_a_text_is_told_as_one(mime: str) -> None:
    assert source("Grüße".encode(), mime) == {"type": "text", "media_type": "text/plain", "data": "Grüße"}


def test_a_text_in_another_encoding_is_refused_by_its_place() -> None:
    with pytest.raises(BadInput, match=r"not written in UTF-8") as caught:
        source("Grüße".encode("latin-1"))
    assert (caught.value.param, caught.value.code) == (PARAM, "invalid_value")


def test_a_pdf_stays_one() -> None:
    assert source(b"%PDF-1.7", "application/pdf")["media_type"] == "application/pdf"


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(BadInput, match="must be a PDF or a text") as caught:
        source(b"PK", "application/zip")
    assert caught.value.param == PARAM
