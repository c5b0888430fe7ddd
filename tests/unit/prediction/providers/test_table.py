import msgspec
import pytest

from tuneway.errors import BadInput
from tuneway.prediction.providers import table
from tuneway.prediction.providers.addresses import Framing, Operation
from tuneway.routing.routes import Target

P = "projects/p/locations"
REGIONAL = "https://us-central1-aiplatform.googleapis.com"


def openai(**fields: str) -> Target:
    return msgspec.convert({"provider": "openai", "dialect": "openai", "model": "m", **fields}, Target)


def custom(base_url: str | None, **fields: str) -> Target:
    return msgspec.convert(
        {"provider": "custom_openai", "dialect": "openai", "model": "m", "base_url": base_url, **fields}, Target
    )


def azure(base_url: str | None = "acme-ai", **fields: str) -> Target:
    return msgspec.convert(
        {"provider": "azure", "dialect": "openai", "model": "gpt-5", "base_url": base_url, **fields}, Target
    )


def claude(**fields: object) -> Target:
    return msgspec.convert(
        {"provider": "anthropic", "dialect": "anthropic", "model": "claude-opus-4-6", **fields}, Target
    )


def bedrock(model: str = "eu.anthropic.claude-x-v1:0", **fields: object) -> Target:
    row = {"provider": "bedrock", "dialect": "bedrock", "model": model, "region": "eu-west-1", **fields}
    return msgspec.convert(row, Target)


def vertex(resource: str, **fields: object) -> Target:
    return msgspec.convert({"resource": f"{P}/{resource}", **fields}, Target)


def published(name: str, **fields: object) -> Target:
    publisher, _, model = name.partition("/")
    return vertex(f"us-central1/publishers/{publisher}/models/{model}", **fields)


FOUNDRY = "https://acme-ai.services.ai.azure.com"
ENDPOINT = vertex("us-central1/endpoints/1", dialect="openai")
DEDICATED = "1.us-central1-123.prediction.vertexai.goog"


@pytest.mark.parametrize(
    ("target", "operation", "url"),
    [
        (openai(), "chat", "https://api.openai.com/v1/chat/completions"),
        (openai(), "embeddings", "https://api.openai.com/v1/embeddings"),
        (openai(), "fim", "https://api.openai.com/v1/completions"),
        (openai(base_url="https://api.mistral.ai/v1"), "fim", "https://api.mistral.ai/v1/fim/completions"),
        (custom("http://vllm:8000/v1"), "chat", "http://vllm:8000/v1/chat/completions"),
        (custom("http://vllm:8000/v1/"), "completions", "http://vllm:8000/v1/completions"),
        (custom("http://vllm:8000"), "embeddings", "http://vllm:8000/v1/embeddings"),
        (custom("http://vllm:8000/v1/chat/completions"), "chat", "http://vllm:8000/v1/chat/completions"),
        (custom("http://[::1]:9/api/v3"), "chat", "http://[::1]:9/api/v3/chat/completions"),
        (claude(), "chat", "https://api.anthropic.com/v1/messages"),
        (claude(base_url="https://gate.example/claude/v1"), "chat", "https://gate.example/claude/v1/messages"),
    ],
)
def test_apis_of_their_own(target: Target, operation: Operation, url: str) -> None:
    assert table.url(target, operation=operation, stream=True) == url


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (azure(), "https://acme-ai.openai.azure.com/openai/v1/chat/completions"),
        (
            azure(api_version="preview"),
            "https://acme-ai.openai.azure.com/openai/v1/chat/completions?api-version=preview",
        ),
        (
            azure("https://acme-ai.openai.azure.com/openai/v1/"),
            "https://acme-ai.openai.azure.com/openai/v1/chat/completions",
        ),
        (
            azure(api_version="2024-10-21"),
            "https://acme-ai.openai.azure.com/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21",
        ),
        (
            azure("https://gate.example/ai/openai", api_version="2025-04-01-preview"),
            "https://gate.example/ai/openai/deployments/gpt-5/chat/completions?api-version=2025-04-01-preview",
        ),
        (azure(FOUNDRY), f"{FOUNDRY}/openai/v1/chat/completions"),
        (azure(f"{FOUNDRY}/models"), f"{FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview"),
        (azure("acme-ai", dialect="anthropic"), f"{FOUNDRY}/anthropic/v1/messages"),
        (azure(f"{FOUNDRY}/anthropic/v1", dialect="anthropic"), f"{FOUNDRY}/anthropic/v1/messages"),
        (
            azure("https://phi.eastus2.models.ai.azure.com"),
            "https://phi.eastus2.models.ai.azure.com/v1/chat/completions",
        ),
        (azure("https://e.eastus.inference.ml.azure.com/score"), "https://e.eastus.inference.ml.azure.com/score"),
    ],
)
def test_azure_in_all_its_styles(target: Target, url: str) -> None:
    assert table.url(target) == url


@pytest.mark.parametrize(
    ("target", "stream", "url"),
    [
        (bedrock(), False, "eu-west-1.amazonaws.com/model/eu.anthropic.claude-x-v1%3A0/converse"),
        (bedrock(), True, "eu-west-1.amazonaws.com/model/eu.anthropic.claude-x-v1%3A0/converse-stream"),
        (bedrock("a.b", region="cn-north-1"), False, "cn-north-1.amazonaws.com.cn/model/a.b/converse"),
        (bedrock("a.b", dialect="anthropic"), False, "eu-west-1.amazonaws.com/model/a.b/invoke"),
        (
            bedrock("a.b", dialect="anthropic"),
            True,
            "eu-west-1.amazonaws.com/model/a.b/invoke-with-response-stream",
        ),
        (
            bedrock("arn:aws:bedrock:us-east-1:123456789012:imported-model/abc", region=None),
            False,
            "us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aimported-model%2Fabc/converse",
        ),
    ],
)
def test_bedrock_encodes_the_model_as_a_whole(target: Target, *, stream: bool, url: str) -> None:
    assert table.url(target, stream=stream) == f"https://bedrock-runtime.{url}"


def test_bedrock_can_have_an_endpoint_of_its_own() -> None:
    target = bedrock("a.b", base_url="https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com")
    assert table.url(target, operation="embeddings").endswith("vpce.amazonaws.com/model/a.b/invoke")


@pytest.mark.parametrize(
    ("target", "stream", "path"),
    [
        (published("google/gemini-x"), True, "/publishers/google/models/gemini-x:streamGenerateContent?alt=sse"),
        (published("google/gemini-x", dialect="openai"), True, "/endpoints/openapi/chat/completions"),
        (
            published("anthropic/claude@1", dialect="anthropic"),
            False,
            "/publishers/anthropic/models/claude@1:rawPredict",
        ),
        (
            published("anthropic/claude@1", dialect="anthropic"),
            True,
            "/publishers/anthropic/models/claude@1:streamRawPredict",
        ),
        (
            published("mistralai/codestral@2405", dialect="openai"),
            False,
            "/publishers/mistralai/models/codestral@2405:rawPredict",
        ),
        (published("ai21/jamba", dialect="openai"), True, "/publishers/ai21/models/jamba:streamRawPredict"),
        (published("meta/llama-4-maas", dialect="openai"), True, "/endpoints/openapi/chat/completions"),
        (msgspec.structs.replace(ENDPOINT, raw=True), True, "/endpoints/1:streamRawPredict"),
        (vertex("us-central1/endpoints/1", dialect="instances"), False, "/endpoints/1:predict"),
    ],
)
def test_vertex_in_each_publishers_way(target: Target, *, stream: bool, path: str) -> None:
    assert table.url(target, stream=stream) == f"{REGIONAL}/v1/{P}/us-central1{path}"


@pytest.mark.parametrize(
    ("location", "host"),
    [("global", "aiplatform.googleapis.com"), ("eu", "aiplatform.eu.rep.googleapis.com")],
)
def test_a_publishers_host_follows_the_location(location: str, host: str) -> None:
    target = vertex(f"{location}/publishers/meta/models/llama-4-maas", dialect="openai")
    assert table.url(target) == f"https://{host}/v1/{P}/{location}/endpoints/openapi/chat/completions"


def test_a_self_deployed_model_speaks_openai_beside_v1() -> None:
    path = f"/v1beta1/{P}/us-central1/endpoints/1/chat/completions"
    assert table.url(ENDPOINT) == REGIONAL + path
    assert table.url(msgspec.structs.replace(ENDPOINT, host=DEDICATED)) == f"https://{DEDICATED}{path}"


@pytest.mark.parametrize(
    ("target", "operation", "tail"),
    [
        (published("google/text-embedding-005", dialect="instances"), "embeddings", "text-embedding-005:predict"),
        (published("google/gemini-embedding-001"), "embeddings", "gemini-embedding-001:predict"),
        (published("intfloat/e5-maas", dialect="openai"), "embeddings", "endpoints/openapi/embeddings"),
        (published("google/gemini-embedding-2"), "embeddings", "gemini-embedding-2:embedContent"),
        (published("google/gemini-3.5-flash"), "count", "gemini-3.5-flash:countTokens"),
        (published("mistralai/codestral@2405", dialect="openai"), "fim", "codestral@2405:rawPredict"),
        (ENDPOINT, "completions", "endpoints/1/completions"),
        (vertex("us-central1/endpoints/1", dialect="instances"), "completions", "endpoints/1:predict"),
    ],
)
def test_vertex_beyond_chat(target: Target, operation: Operation, tail: str) -> None:
    assert table.url(target, operation=operation).endswith(f"/{tail}")


@pytest.mark.parametrize(
    ("target", "operation"),
    [
        (openai(dialect="gemini"), "chat"),
        (openai(), "count"),
        (custom("http://h/v1"), "count"),
        (azure(), "count"),
        (ENDPOINT, "count"),
        (published("mistralai/codestral@2405", dialect="openai"), "count"),
        (custom("http://h/v1", dialect="anthropic"), "chat"),
        (claude(), "embeddings"),
        (claude(dialect="openai"), "chat"),
        (azure(dialect="anthropic"), "fim"),
        (azure(dialect="gemini"), "chat"),
        (bedrock(), "fim"),
        (bedrock(dialect="openai"), "chat"),
        (published("google/gemini-x"), "completions"),
        (vertex("us-central1/endpoints/1", dialect="anthropic"), "chat"),
        (published("amazon/x", dialect="bedrock"), "chat"),
    ],
)
def test_what_a_host_does_not_have_is_refused(target: Target, operation: Operation) -> None:
    with pytest.raises(BadInput) as caught:
        table.url(target, operation=operation)
    assert caught.value.code == "unsupported_operation"


@pytest.mark.parametrize(
    "base_url",
    [
        "ftp://h/v1",
        "https://user:key@h/v1",
        "https://h/v1?x=1",
        "https://h/v1#x",
        "https://h/../v1",
        "https://h/%2E%2e/v1",
        "https://h//v1",
        "https:///v1",
        "//h/v1",
        "http://169.254.169.254/v1",
        "http://metadata.google.internal/computeMetadata/v1",
        "http://METADATA/v1",
        "https://h/v1\n",
    ],
)
def test_what_is_no_address_of_an_api_is_refused(base_url: str) -> None:
    for target in (openai(base_url=base_url), custom(base_url), azure(base_url), bedrock(base_url=base_url)):
        with pytest.raises(BadInput) as caught:
            table.url(target)
        assert caught.value.code == "invalid_model_identifier"


@pytest.mark.parametrize(
    "target",
    [
        custom(None),
        azure(None),
        azure("evil.com/x"),
        azure(api_version="2024-10-21&x=1"),
        bedrock(region="evil.com"),
        bedrock(region="us-east-1.evil.com"),
        bedrock(region=None),
        bedrock("../x"),
        bedrock("a b"),
        vertex("evil.com/publishers/meta/models/m", dialect="openai"),
        vertex("us/publishers/me?ta/models/m", dialect="openai"),
    ],
)
def test_what_leads_nowhere_gets_no_url(target: Target) -> None:
    with pytest.raises(BadInput) as caught:
        table.url(target)
    assert caught.value.code == "invalid_model_identifier"


@pytest.mark.parametrize(
    ("target", "kind", "header"),
    [
        (openai(secret="env:K"), "bearer", "authorization"),
        (custom("http://h/v1"), "none", "authorization"),
        (custom("http://h/v1", secret="env:K"), "bearer", "authorization"),
        (claude(secret="env:K"), "key", "x-api-key"),
        (azure(secret="env:K"), "key", "api-key"),
        (azure(secret="env:K", dialect="anthropic"), "key", "x-api-key"),
        (azure("https://phi.eastus2.models.ai.azure.com", secret="env:K"), "bearer", "authorization"),
        (azure(), "entra", "authorization"),
        (bedrock(), "sigv4", "authorization"),
        (ENDPOINT, "google", "authorization"),
    ],
)
def test_who_proves_himself_how(target: Target, kind: str, header: str) -> None:
    auth = table.auth(target)
    assert (auth.kind, auth.header) == (kind, header)


@pytest.mark.parametrize(
    ("target", "scope"),
    [
        (azure(), "https://cognitiveservices.azure.com/.default"),
        (azure(FOUNDRY), "https://ai.azure.com/.default"),
        (azure(dialect="anthropic"), "https://ai.azure.com/.default"),
        (azure("https://e.eastus.inference.ml.azure.com/score"), "https://ml.azure.com/.default"),
    ],
)
def test_entra_is_asked_for_the_hosts_own_scope(target: Target, scope: str) -> None:
    assert table.auth(target).scope == scope


@pytest.mark.parametrize(
    ("target", "framing"),
    [
        (openai(), "sse"),
        (bedrock(), "event_stream"),
        (ENDPOINT, "sse"),
        (vertex("us-central1/endpoints/1", dialect="instances"), "none"),
    ],
)
def test_streams_are_cut_as_the_host_sends_them(target: Target, framing: Framing) -> None:
    assert table.framing(target) == framing


BODY = {"model": "alias", "messages": [], "max_tokens": 9, "stream": False}


@pytest.mark.parametrize(
    ("target", "stream", "wrapped"),
    [
        (claude(), True, {"model": "claude-opus-4-6", "messages": [], "max_tokens": 9, "stream": True}),
        (claude(), False, {"model": "claude-opus-4-6", "messages": [], "max_tokens": 9}),
        (
            azure(model="claude-x", dialect="anthropic"),
            False,
            {"model": "claude-x", "messages": [], "max_tokens": 9},
        ),
        (
            published("anthropic/claude-opus-4-6", dialect="anthropic"),
            True,
            {"anthropic_version": "vertex-2023-10-16", "messages": [], "max_tokens": 9, "stream": True},
        ),
        (
            bedrock("anthropic.claude-opus-4-6-v1:0", dialect="anthropic"),
            True,
            {"anthropic_version": "bedrock-2023-05-31", "messages": [], "max_tokens": 9},
        ),
        (openai(), True, BODY),
        (azure(), True, BODY),
        (bedrock(), True, BODY),
        (published("meta/llama-4-maas", dialect="openai"), True, BODY),
    ],
)
def test_a_body_is_wrapped_as_its_host_takes_it(target: Target, *, stream: bool, wrapped: dict[str, object]) -> None:
    assert table.wrap(BODY, target, stream=stream) == wrapped


def test_claudes_version_stands_in_the_header_where_the_body_has_none() -> None:
    assert table.headers(claude()) == {"anthropic-version": "2023-06-01"}
    assert table.headers(azure(dialect="anthropic", model="claude-x")) == {"anthropic-version": "2023-06-01"}
    assert table.headers(azure()) == table.headers(openai()) == table.headers(ENDPOINT) == {}
    assert table.headers(published("anthropic/claude-opus-4-6", dialect="anthropic")) == {}


@pytest.mark.parametrize(
    "target", [openai(), custom("http://h:1/v1"), claude(), azure(), bedrock(), ENDPOINT, published("google/gemini-x")]
)
def test_a_base_url_stands_in_for_every_scheme_and_host(target: Target) -> None:
    own = table.url(target, stream=True)
    other = table.url(target, stream=True, base_url="http://127.0.0.1:9/")
    assert other == "http://127.0.0.1:9/" + own.split("/", 3)[3]
