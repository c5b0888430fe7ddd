"""Every vendor's fake at once, and one route to each thing it serves."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.vendors import vendors
from tests.vendors.fake import Fake
from tests.vendors.sigv4 import Account
from tests.vendors.vertex import Deployed
from tuneway.adapters.prediction import SIMULATED
from tuneway.routing.routes import Target

KEY, AWS_KEYS = "env:KEY_OF_THE_HOSTS", "env:AWS_KEYS_OF_THE_HOSTS"
ACCOUNT = Account()
# What the function's own process knows of the hosts' keys.
ENVIRONMENT = {
    "KEY_OF_THE_HOSTS": "test-key",
    "AWS_KEYS_OF_THE_HOSTS": json.dumps({"access_key_id": ACCOUNT.access_key, "secret_access_key": ACCOUNT.secret_key}),
}
P = "projects/local-project/locations/us-central1"
ENDPOINTS = {"111": Deployed("gemini"), "222": Deployed("vllm"), "333": Deployed("predict")}


@dataclass(frozen=True)
class Host:
    """A route's target: whose fake answers it, where on it, and what it cannot do."""

    fake: str
    target: dict[str, object]
    base: str | None = None
    lacks: frozenset[str] = field(default_factory=frozenset)

    def at(self, fakes: dict[str, Fake]) -> Target:
        """The target, at its fake's address; Vertex AI's is in the settings."""
        there = {} if self.base is None else {"base_url": fakes[self.fake].url + self.base}
        return Target(**self.target, **there)  # type: ignore[arg-type]  # test data


def _openai(provider: str, model: str, **more: object) -> dict[str, object]:
    return {"provider": provider, "dialect": "openai", "model": model, **more}


def _claude(provider: str, model: str, **more: object) -> dict[str, object]:
    return {"provider": provider, "dialect": "anthropic", "model": model, **more}


def _bedrock(model: str, **more: object) -> dict[str, object]:
    return {"provider": "bedrock", "dialect": "bedrock", "model": model, "region": "us-east-1", "secret": KEY, **more}


def _vertex(place: str, dialect: str, **more: object) -> dict[str, object]:
    return {"resource": f"{P}/{place}", "dialect": dialect, **more}


WORDLESS = frozenset({"reasoning"})
PLAIN = frozenset({"choices", "tools", "schema", "vision", "reasoning"})
HOSTS = {
    "openai": Host("openai", _openai("openai", "gpt-4.1", secret=KEY), "/v1", WORDLESS),
    "azure": Host("azure", _openai("azure", "my-deployment", secret=KEY), "", WORDLESS),
    "azure-dated": Host("azure", _openai("azure", "d", secret=KEY, api_version="2024-10-21"), "", WORDLESS),
    "vllm": Host("vllm", _openai("custom_openai", "qwen", profile="vllm"), "/v1"),
    "tgi": Host("tgi", _openai("custom_openai", "tgi", profile="tgi"), "/v1", WORDLESS),
    "ollama": Host("ollama", _openai("custom_openai", "qwen3", profile="ollama"), "/v1"),
    "llamacpp": Host("llamacpp", _openai("custom_openai", "local", profile="llama.cpp"), "/v1"),
    "anthropic": Host("anthropic", _claude("anthropic", "claude-sonnet-4-5", secret=KEY), ""),
    "foundry": Host("azure", _claude("azure", "claude-sonnet-4-5", secret=KEY), ""),
    "bedrock": Host("bedrock", _bedrock("us.anthropic.claude-sonnet-4-5-20250929-v1:0", secret=AWS_KEYS), ""),
    "bedrock-key": Host("bedrock", _bedrock("amazon.nova-pro-v1:0"), "", WORDLESS),
    "bedrock-claude": Host("bedrock", {**_bedrock("eu.anthropic.claude-sonnet-4-5-v1:0"), "dialect": "anthropic"}, ""),
    "gemini": Host("vertex", _vertex("publishers/google/models/gemini-3.5-flash", "gemini")),
    "gemini-tuned": Host("vertex", _vertex("endpoints/111", "gemini", model="gemini-3.5-flash")),
    "claude-vertex": Host("vertex", _vertex("publishers/anthropic/models/claude-sonnet-4-5@20250929", "anthropic")),
    "mistral": Host("vertex", _vertex("publishers/mistralai/models/mistral-medium-3", "openai")),
    "maas": Host("vertex", _vertex("publishers/meta/models/llama-4-maas", "openai"), lacks=WORDLESS),
    "vllm-endpoint": Host("vertex", _vertex("endpoints/222", "openai")),
    "container": Host("vertex", _vertex("endpoints/333", "instances"), lacks=PLAIN),
}
EMBEDDERS = {
    "openai-embeds": Host("openai", _openai("openai", "text-embedding-3-small", secret=KEY), "/v1"),
    "azure-embeds": Host("azure", _openai("azure", "embedder", secret=KEY), ""),
    "vllm-embeds": Host("vllm", _openai("custom_openai", "bge", profile="vllm"), "/v1"),
    "vertex-embeds": Host("vertex", _vertex("publishers/google/models/text-embedding-005", "gemini")),
    "gemini-embeds": Host("vertex", _vertex("publishers/google/models/gemini-embedding-001", "gemini")),
    "gemini-embeds-2": Host("vertex", _vertex("publishers/google/models/gemini-embedding-2", "gemini")),
    "titan-embeds": Host("bedrock", _bedrock("amazon.titan-embed-text-v2:0"), ""),
    "cohere-embeds": Host("bedrock", _bedrock("cohere.embed-multilingual-v3"), ""),
}
FILLERS = {
    "fills-openai": Host("openai", _openai("openai", "gpt-3.5-turbo-instruct", secret=KEY), "/v1"),
    "fills-vllm": Host("vllm", _openai("custom_openai", "qwen2.5-coder", profile="vllm"), "/v1"),
    "codestral": Host("vertex", _vertex("publishers/mistralai/models/codestral@2405", "openai")),
}


def able(feature: str) -> list[str]:
    """The aliases whose hosts can do it."""
    return [alias for alias, host in HOSTS.items() if feature not in host.lacks]


@contextmanager
def listening() -> Iterator[dict[str, Fake]]:
    """All fakes, each on its port."""
    with ExitStack() as stack:
        yield {
            "openai": stack.enter_context(vendors.openai()),
            "azure": stack.enter_context(vendors.azure()),
            "vllm": stack.enter_context(vendors.vllm()),
            "tgi": stack.enter_context(vendors.tgi()),
            "ollama": stack.enter_context(vendors.ollama()),
            "llamacpp": stack.enter_context(vendors.llamacpp()),
            "anthropic": stack.enter_context(vendors.anthropic()),
            "bedrock": stack.enter_context(vendors.bedrock(account=ACCOUNT)),
            "vertex": stack.enter_context(vendors.vertex(key=SIMULATED, endpoints=ENDPOINTS)),
        }
