"""Every content part to every kind of target: said in its words, or a 400 that names the part and the target."""

import json
from typing import Any

import msgspec
import pytest

from tuneway.errors import BadInput
from tuneway.prediction.complete import DIALECTS
from tuneway.prediction.dialects.openai.request import passed_on
from tuneway.prediction.hub.decode import decode_chat_request
from tuneway.routing.routes import Target

P = "projects/p/locations/us-central1"
TARGETS = {
    "gemini": Target(resource=f"{P}/publishers/google/models/gemini-3.5-flash"),
    "anthropic": Target(provider="anthropic", dialect="anthropic", model="claude-sonnet-4-6"),
    "bedrock": Target(provider="bedrock", dialect="bedrock", model="anthropic.claude-sonnet-4-6", region="us-east-1"),
    "instances": Target(resource=f"{P}/endpoints/1", dialect="instances"),
    "openai": Target(provider="openai", dialect="openai", model="gpt-5"),
    "mistral": Target(resource=f"{P}/publishers/mistralai/models/mistral-medium-3", dialect="openai"),
    "vllm": Target(provider="custom_openai", dialect="openai", model="m", profile="vllm"),
    "tgi": Target(provider="custom_openai", dialect="openai", model="m", profile="tgi"),
    **{
        server: Target(provider="custom_openai", dialect="openai", model="m", profile=server)
        for server in ("ollama", "sglang", "llama.cpp", "lm-studio")
    },
}
PARTS: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": "DATA"},
    "image": {"type": "image_url", "image_url": {"url": "data:image/png;base64,DATA"}},
    "image by https": {"type": "image_url", "image_url": {"url": "https://host/DATA.png"}},
    "image by gs": {"type": "image_url", "image_url": {"url": "gs://bucket/DATA.png"}},
    "image by s3": {"type": "image_url", "image_url": {"url": "s3://bucket/DATA.png"}},
    "sound": {"type": "input_audio", "input_audio": {"data": "DATA", "format": "wav"}},
    "pdf": {"type": "file", "file": {"file_data": "data:application/pdf;base64,DATA", "filename": "a.pdf"}},
    "bare pdf": {"type": "file", "file": {"file_data": "DATA", "filename": "a.pdf"}},
    "pdf by https": {"type": "file", "file": {"file_id": "https://host/DATA.pdf"}},
    "pdf by gs": {"type": "file", "file": {"file_id": "gs://bucket/DATA.pdf"}},
    "pdf by s3": {"type": "file", "file": {"file_id": "s3://bucket/DATA.pdf"}},
    "uploaded file": {"type": "file", "file": {"file_id": "file-DATA"}},
}
PICTURE, FILE = "image_url.url", "file.file_id"
# What each kind of target refuses, and the field of the part that is named; everything else is said.
REFUSED: dict[str, dict[str, str]] = {
    "gemini": {"image by s3": PICTURE, "pdf by s3": FILE, "uploaded file": FILE},
    "anthropic": {
        "image by gs": PICTURE,
        "image by s3": PICTURE,
        "sound": "",
        "pdf by gs": FILE,
        "pdf by s3": FILE,
        "uploaded file": FILE,
    },
    "bedrock": {
        "image by https": PICTURE,
        "image by gs": PICTURE,
        "pdf by https": FILE,
        "pdf by gs": FILE,
        "uploaded file": FILE,
    },
    "instances": {},
    "openai": {"pdf by https": FILE},
    "mistral": {"pdf by gs": FILE, "pdf by s3": FILE, "uploaded file": FILE},
    "vllm": {"pdf": "", "bare pdf": "", "pdf by https": "", "pdf by gs": "", "pdf by s3": "", "uploaded file": ""},
}
REFUSED["sglang"] = REFUSED["llama.cpp"] = REFUSED["vllm"]
REFUSED["tgi"] = REFUSED["ollama"] = REFUSED["lm-studio"] = {**REFUSED["vllm"], "sound": ""}
CASES = [(target, part) for target in TARGETS for part in PARTS]
# The servers that are sent the caller's own body are to do the same with it.
PASSED = [(target, part) for target, part in CASES if TARGETS[target].dialect == "openai"]


def body(part: str) -> bytes:
    said = [{"type": "text", "text": "What is it?"}, PARTS[part]]
    messages = [{"role": "system", "content": "Look."}, {"role": "user", "content": said}]
    return json.dumps({"model": "shop", "messages": messages}, separators=(",", ":")).encode()


def refused(target: str, part: str) -> str | None:
    field = REFUSED[target].get(part)
    return None if field is None else f"messages[1].content[1].{field}".rstrip(".")


@pytest.mark.parametrize(("target", "part"), CASES)
def test_a_part_is_said_or_refused_by_its_name(target: str, part: str) -> None:
    request, named = decode_chat_request(body(part)), refused(target, part)
    if named is None:
        told = DIALECTS[TARGETS[target].dialect].to_request(request, TARGETS[target])
        assert b"DATA" in msgspec.json.encode(told)
        return
    with pytest.raises(BadInput) as caught:
        DIALECTS[TARGETS[target].dialect].to_request(request, TARGETS[target])
    assert caught.value.param == named


@pytest.mark.parametrize(("target", "part"), PASSED)
def test_a_part_that_is_passed_on_is_too(target: str, part: str) -> None:
    named = refused(target, part)
    if named is None:
        assert b"DATA" in passed_on(body(part), TARGETS[target], stream=False)
        return
    with pytest.raises(BadInput) as caught:
        passed_on(body(part), TARGETS[target], stream=False)
    assert (caught.value.param, "'shop'" in caught.value.message) == (named, True)
