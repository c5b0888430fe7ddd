"""Which target a name means on this computer: LiteLLM's names of providers, and the variables its users have set."""

from collections.abc import Mapping, Sequence

import msgspec

from tuneway.api.options import Way, setting
from tuneway.errors import BadInput
from tuneway.routing import identifiers
from tuneway.routing.identifiers import Alias, HostedModel, VertexIdentifier
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults, Place, target_of

GIVEN_KEY = "TUNEWAY_GIVEN_KEY"  # stands for the call's own api_key among the variables; it is never exported
LOCATION = "us-central1"
# Providers by the names that LiteLLM has for them, where these are not ours.
_PROVIDERS = {
    "azure_ai": "azure",
    "fireworks_ai": "fireworks",
    "hosted_vllm": "custom_openai",
    "openai_like": "custom_openai",
    "together_ai": "together",
    "vertex_ai_beta": "vertex_ai",
}


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """Where a vendor's users keep its address, key, region and version; the first that is set counts."""

    base: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    version: tuple[str, ...] = ()


VARIABLES: Mapping[str, Variables] = {
    "anthropic": Variables(base=("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE")),
    "azure": Variables(
        base=("AZURE_API_BASE", "AZURE_AI_API_BASE"),
        key=("AZURE_API_KEY", "AZURE_AI_API_KEY"),
        version=("AZURE_API_VERSION",),
    ),
    "bedrock": Variables(
        key=("AWS_BEARER_TOKEN_BEDROCK",), region=("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")
    ),
    "custom_openai": Variables(
        base=("CUSTOM_OPENAI_API_BASE", "HOSTED_VLLM_API_BASE"), key=("CUSTOM_OPENAI_API_KEY", "HOSTED_VLLM_API_KEY")
    ),
    "openai": Variables(base=("OPENAI_BASE_URL", "OPENAI_API_BASE")),
}


def identified(model: str, way: Way) -> VertexIdentifier | HostedModel:
    """What the name means. Raises BadInput; an alias is only known to a deployed tuneway."""
    provider = _PROVIDERS.get(way.custom_llm_provider or "", way.custom_llm_provider)
    prefix, slash, rest = model.partition("/")
    name = f"{_PROVIDERS[prefix]}/{rest}" if slash and prefix in _PROVIDERS else model
    if provider is not None and not name.startswith(f"{provider}/"):
        name = f"{provider}/{name}"
    found = identifiers.parse(name)
    if isinstance(found, Alias):
        raise BadInput(
            f"'{model[:120]}' does not say who serves it. Use vertex_ai/{{model}}, openai/{{model}} or another "
            "provider's name, or give the base_url of a tuneway that knows it as an alias.",
            param="model",
            code="invalid_model_identifier",
        )
    return found


def defaults(
    identifier: VertexIdentifier | HostedModel, way: Way, *, project: str | None, settled: Mapping[str, Place]
) -> Defaults:
    """What stands in for what the name leaves open: the call's arguments, then the environment.

    ``settled`` are the places of ``TUNEWAY_VENDORS``; they go before the variables of the vendors' own users.
    """
    match identifier:
        case HostedModel(vendor=vendor):
            return Defaults(places={vendor: _place(vendor, way, settled.get(vendor, Place()))})
        case _:
            location = way.vertex_location or setting("TUNEWAY_LOCATION", "VERTEXAI_LOCATION", "VERTEX_LOCATION")
            return Defaults(project=project, location=location or LOCATION)


def target(identifier: VertexIdentifier | HostedModel, found: Defaults) -> Target:
    """The target that is meant. Raises BadInput, which names the argument that is missing here."""
    try:
        return target_of(identifier, found)
    except BadInput as fault:
        remedy = _remedy(identifier, found)
        if remedy is None:
            raise
        argument, variables = remedy
        words = f"Give {argument}, or set {' or '.join(variables)}."
        raise BadInput(f"The model's name does not say where it is served. {words}", param=argument) from fault


def given_project(way: Way) -> str | None:
    """The project of Vertex AI, where it is said."""
    return way.vertex_project or setting(
        "TUNEWAY_PROJECT", "VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT"
    )


def given_key(way: Way) -> str | None:
    """The call's own key: AWS's are three, told as the JSON that a secret of theirs would hold."""
    if way.aws_access_key_id is None or way.aws_secret_access_key is None:
        return way.api_key
    keys = {"access_key_id": way.aws_access_key_id, "secret_access_key": way.aws_secret_access_key}
    if way.aws_session_token is not None:
        keys["session_token"] = way.aws_session_token
    return msgspec.json.encode(keys).decode()


def _place(vendor: str, way: Way, settled: Place) -> Place:
    """The arguments over the installation's word over the variables; the vendor's own row stands behind them all."""
    variables = VARIABLES.get(vendor, Variables())
    return Place(
        base_url=way.api_base or settled.base_url or setting(*variables.base),
        secret=f"env:{GIVEN_KEY}" if given_key(way) else settled.secret or _reference(variables.key),
        region=way.aws_region_name or settled.region or setting(*variables.region),
        api_version=way.api_version or settled.api_version or setting(*variables.version),
    )


def _remedy(identifier: VertexIdentifier | HostedModel, found: Defaults) -> tuple[str, Sequence[str]] | None:
    """The argument that says it, and the variables that stand in for it."""
    match identifier:
        case HostedModel(vendor="bedrock"):
            return "aws_region_name", VARIABLES["bedrock"].region
        case HostedModel(vendor=vendor):
            return "api_base", VARIABLES.get(vendor, Variables()).base or ("TUNEWAY_VENDORS",)
        case _:
            return None if found.project else ("vertex_project", ("GOOGLE_CLOUD_PROJECT",))


def _reference(names: Sequence[str]) -> str | None:
    return next((f"env:{name}" for name in names if setting(name)), None)
