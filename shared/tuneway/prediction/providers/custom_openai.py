"""Where servers that speak OpenAI's language are: vLLM, TGI, Ollama, SGLang, llama.cpp, gateways.

``base_url`` is what users of GitLab Duo and LiteLLM write: it ends in ``/v1``. One without any path gets it, and one
that was copied with the path of a call loses that.
"""

from urllib.parse import urlsplit

from tuneway.ports import Auth
from tuneway.prediction.providers.addresses import PATHS, Call, cannot, checked, path
from tuneway.routing.routes import Target
from tuneway.routing.targets import Misplaced


def url(call: Call) -> str:
    """Where to POST. Raises BadInput for an operation or an address that cannot be."""
    target = call.target
    if target.dialect != "openai":
        raise cannot(call)
    if target.base_url is None:
        fact = "A custom_openai target needs the address of its server as 'base_url' (http://host:8000/v1)"
        raise Misplaced(fact, field="base_url")
    return f"{_base(checked(target.base_url))}/{path(call)}"


def auth(target: Target) -> Auth:
    """A key as bearer token where the route has one; many such servers want none."""
    return Auth(kind="bearer" if target.secret else "none", secret=target.secret)


def _base(address: str) -> str:
    for tail in (PATHS["chat"], PATHS["completions"], PATHS["embeddings"]):
        address = address.removesuffix(f"/{tail}")
    return address if urlsplit(address).path else f"{address}/v1"
