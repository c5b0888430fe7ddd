"""The fakes by name: ``with vendors.anthropic() as fake: fake.answers(Text("hi"))``.

Each listens on a free loopback port for the length of the block. ``key`` is what it wants to be shown, the other
arguments are facts about it (``models``: the only names it serves; more at each).
"""

from contextlib import AbstractContextManager
from typing import Any

from tests.vendors.anthropic_routes import anthropic_routes
from tests.vendors.azure import azure_routes
from tests.vendors.bedrock import bedrock_routes
from tests.vendors.credentials import credential_routes
from tests.vendors.fake import Fake, running
from tests.vendors.openai_surfaces import openai_routes
from tests.vendors.self_hosted import llamacpp_routes, ollama_routes, tgi_routes, vllm_routes
from tests.vendors.sigv4 import Account
from tests.vendors.vertex import Deployed, vertex_routes

Running = AbstractContextManager[Fake]


def openai(*, key: str = "test-key", **facts: Any) -> Running:
    """``{url}/v1``: chat, completions, embeddings, models."""
    return running(Fake(key=key, **facts), openai_routes)


def azure(*, key: str = "test-key", **facts: Any) -> Running:
    """``{url}/openai/v1``, dated deployments, ``/models``, ``/anthropic``. Facts: deployments, token (Entra's)."""
    return running(Fake(key=key, **facts), azure_routes)


def vllm(*, key: str = "", **facts: Any) -> Running:
    """Facts: models, tools (False: started without a parser), max_model_len, old (flat errors)."""
    return running(Fake(key=key, **facts), vllm_routes)


def tgi(**facts: Any) -> Running:
    """Chat alone."""
    return running(Fake(key="", **facts), tgi_routes)


def ollama(**facts: Any) -> Running:
    """Ollama's ``/v1``."""
    return running(Fake(key="", **facts), ollama_routes)


def llamacpp(*, key: str = "", **facts: Any) -> Running:
    """Facts: odd_tools (arguments as an object, ids of null)."""
    return running(Fake(key=key, **facts), llamacpp_routes)


def anthropic(*, key: str = "test-key", **facts: Any) -> Running:
    """``{url}/v1/messages``. Facts: models, without_sampling (models that refuse temperature)."""
    return running(Fake(key=key, **facts), anthropic_routes)


def bedrock(*, key: str = "test-key", account: Account | None = None, **facts: Any) -> Running:
    """Converse, its stream, InvokeModel. ``key`` is the API key, ``account`` whose signature it verifies."""
    return running(Fake(key=key, account=account or Account(), **facts), bedrock_routes)


def vertex(*, key: str = "test-token", endpoints: dict[str, Deployed] | None = None, **facts: Any) -> Running:
    """All of Vertex AI's models; ``key`` is the access token, ``endpoints`` what is deployed where."""
    return running(Fake(key=key, endpoints=endpoints or {}, **facts), vertex_routes)


def credentials(*, key: str = "test-token", **facts: Any) -> Running:
    """Entra ID, STS, Secret Manager and the metadata server; ``key`` is the access token."""
    return running(Fake(key=key, **facts), credential_routes)
