"""Where OpenAI and the vendors who speak its language are served: ``{base_url}/chat/completions``."""

from tuneway.ports import Auth
from tuneway.prediction.providers.addresses import PATHS, Call, cannot, checked, path
from tuneway.routing.routes import Target
from tuneway.routing.vendors import VENDORS

BASE_URL = "https://api.openai.com/v1"
_FIM_PATHS = {row.base_url: row.fim_path for row in VENDORS.values() if row.base_url is not None}


def url(call: Call) -> str:
    """Where to POST. Raises BadInput for an operation or an address that cannot be."""
    if call.target.dialect != "openai":
        raise cannot(call)
    base = checked(call.target.base_url or BASE_URL)
    there = _FIM_PATHS.get(base, PATHS["fim"]) if call.operation == "fim" else path(call)
    return f"{base}/{there}"


def auth(target: Target) -> Auth:
    """A key as bearer token."""
    return Auth(kind="bearer", secret=target.secret)
