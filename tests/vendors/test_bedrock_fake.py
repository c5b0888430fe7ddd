"""The fake of Bedrock, held against botocore: its signer, its shapes, its event-stream parser."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.vendors import vendors
from tests.vendors.bedrock_shapes import BODY
from tests.vendors.event_stream import damaged, event
from tests.vendors.fake import Fake
from tests.vendors.script import Call, Error, Manner, Text, thinking
from tests.vendors.sigv4 import Account

MODEL = "us.anthropic.claude-x-v1:0"
HI: Any = {"messages": [{"role": "user", "content": [{"text": "hi there"}]}]}
SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS: Any = {"tools": [{"toolSpec": {"name": "w", "inputSchema": {"json": SCHEMA}}}]}
USE: Any = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "w", "input": {}}}]}


def post(fake: Fake, method: str, body: object, model: str = MODEL) -> httpx.Response:
    url = f"{fake.url}/model/{quote(model, safe='')}/{method}"
    return httpx.post(url, json=body, headers={"authorization": f"Bearer {fake.key}"}, trust_env=False, timeout=60)


def signed(fake: Fake, account: Account, body: bytes, model: str = MODEL) -> httpx.Response:
    url = f"{fake.url}/model/{quote(model, safe='')}/converse"
    request = AWSRequest("POST", url, headers={"content-type": "application/json"}, data=body)
    credentials = Credentials(account.access_key, account.secret_key, account.session_token)
    SigV4Auth(credentials, "bedrock", account.region).add_auth(request)
    return httpx.post(url, content=body, headers=dict(request.headers.items()), trust_env=False, timeout=60)


def events(answer: httpx.Response) -> list[tuple[str, Any]]:
    buffer = EventStreamBuffer()
    buffer.add_data(answer.content)
    return [
        (str(found.headers.get(":event-type") or found.headers[":exception-type"]), json.loads(found.payload))
        for found in buffer
    ]


@pytest.mark.parametrize("model", [MODEL, "arn:aws:bedrock:us-east-1:1:custom-model-deployment/abc"])
@pytest.mark.parametrize("token", [None, "a-session"])
def test_the_signature_of_botocore_is_accepted(model: str, token: str | None) -> None:
    account = Account(session_token=token, region="eu-west-1")
    with vendors.bedrock(account=account) as fake:
        answer = signed(fake, account, json.dumps(HI).encode(), model)
    assert answer.json()["output"]["message"]["content"] == [{"text": "hi there"}]
    assert fake.requests[0].parameters["model"] == model


@pytest.mark.parametrize(
    "other", [Account(secret_key="other"), Account(region="us-west-2"), Account(access_key="AKIAOTHER")]
)
def test_another_signature_is_not(other: Account) -> None:
    with vendors.bedrock() as fake:
        answer = signed(fake, other, json.dumps(HI).encode())
    assert answer.status_code == 403
    assert answer.headers["x-amzn-errortype"].startswith(("InvalidSignature", "UnrecognizedClient"))


def test_no_signature_at_all_is_refused() -> None:
    with vendors.bedrock() as fake:
        url = f"{fake.url}/model/{MODEL}/converse"
        assert httpx.post(url, json=HI, trust_env=False, timeout=60).status_code == 403


def test_the_fake_knows_the_members_of_the_services_model() -> None:
    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
    members = set(model.operation_model("Converse").input_shape.members) - {"modelId"}
    assert set(BODY["properties"]) == members


def test_a_stream_of_botocores_frames() -> None:
    with vendors.bedrock() as fake:
        fake.answers(thinking("hm", "so it is", calls=(Call("w", {"city": "Oslo"}),)))
        found = events(post(fake, "converse-stream", {**HI, "toolConfig": TOOLS}))
    names = [name for name, _ in found]
    assert (names[0], names[-2:]) == ("messageStart", ["messageStop", "metadata"])
    deltas = [event["delta"] for name, event in found if name == "contentBlockDelta"]
    assert "".join(delta.get("text", "") for delta in deltas) == "so it is"
    assert json.loads("".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta)) == {"city": "Oslo"}


def test_an_exception_is_a_frame() -> None:
    with vendors.bedrock() as fake:
        fake.answers(Text("a b c", manner=Manner(broken=2)))
        found = events(post(fake, "converse-stream", HI))
    assert [found[-1][0], found[-1][1]["message"] != ""] == ["serviceUnavailableException", True]


def test_a_damaged_frame_is_seen() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(damaged(event("messageStart", b"{}")))
    with pytest.raises(ChecksumMismatch):
        buffer.next()


def test_tools_and_results() -> None:
    with vendors.bedrock() as fake:
        called = post(fake, "converse", {**HI, "toolConfig": TOOLS}).json()
        result = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "wet"}]}}]}
        turns = {"messages": [*HI["messages"], USE, result], "toolConfig": TOOLS}
        told = post(fake, "converse", turns).json()
        assert (called["stopReason"], called["output"]["message"]["content"][0]["toolUse"]["input"]) == (
            "tool_use",
            {"city": "city"},
        )
        assert told["output"]["message"]["content"] == [{"text": "wet"}]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**HI, "stream": True}, "stream"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "blank"),
        ({"messages": HI["messages"] * 2}, "alternate"),
        ({"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}, "start with a user"),
        ({**HI, "inferenceConfig": {"temperature": 1.2}}, "temperature"),
        ({"messages": [*HI["messages"], USE, *HI["messages"]]}, "toolConfig"),
        ({"messages": [*HI["messages"], USE, *HI["messages"]], "toolConfig": TOOLS}, "Expected toolResult"),
    ],
)
def test_what_bedrock_refuses_is_refused(body: object, said: str) -> None:
    with vendors.bedrock() as fake:
        answer = post(fake, "converse", body)
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert answer.headers["x-amzn-errortype"].startswith("ValidationException")


def test_errors_bear_their_names() -> None:
    with vendors.bedrock() as fake:
        fake.answers(Error(429), Error(424), Error(400, kind="ServiceQuotaExceededException"))
        names = [post(fake, "converse", HI).headers["x-amzn-errortype"].partition(":")[0] for _ in range(3)]
    assert names == ["ThrottlingException", "ModelErrorException", "ServiceQuotaExceededException"]


def test_embeddings_of_titan_and_cohere() -> None:
    with vendors.bedrock() as fake:
        titan = post(fake, "invoke", {"inputText": "a b", "dimensions": 256}, "amazon.titan-embed-text-v2:0").json()
        body = {"texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"]}
        cohere = post(fake, "invoke", body, "cohere.embed-english-v3").json()
        lacking = post(fake, "invoke", {"texts": ["a"]}, "cohere.embed-english-v3")
    assert (len(titan["embedding"]), titan["inputTextTokenCount"]) == (256, 2)
    assert len(cohere["embeddings"]["float"]) == 2
    assert lacking.status_code == 400


def test_claude_is_invoked_in_bedrocks_envelope() -> None:
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    with vendors.bedrock() as fake:
        whole = post(fake, "invoke", body).json()
        streamed = events(post(fake, "invoke-with-response-stream", body))
        named = post(fake, "invoke", {**body, "model": "x"})
    assert whole["content"][0]["text"] == "hi"
    assert {name for name, _ in streamed} == {"chunk"}
    assert named.status_code == 400
