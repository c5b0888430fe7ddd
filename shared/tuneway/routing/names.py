"""What a target is called: in the logs, to callers, and by OpenTelemetry."""

from tuneway.routing.routes import Provider, Target

# The values of ``gen_ai.provider.name``. Source: OpenTelemetry's semantic conventions for generative AI.
TELEMETRY: dict[Provider, str] = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "custom_openai": "custom_openai",
    "openai": "openai",
    "vertex": "gcp.vertex_ai",
}


def place(target: Target) -> str:
    """A target's full name, for those who run the installation."""
    return target.resource or f"{target.provider}/{target.model}"


def served(target: Target) -> str:
    """The model's own name there; an endpoint's id where nothing more is known."""
    return target.model or target.resource.rpartition("/")[2]


def shown(target: Target) -> str:
    """A target's name for callers: whose project it stands in is nobody's business.

    ``vertex/us-central1/endpoints/4567``, ``vertex/global/gemini-3.5-flash``, ``azure/gpt-5``.
    """
    if not target.resource:
        return f"{target.provider}/{target.model}"
    _, _, there = target.resource.partition("/locations/")
    location, _, rest = there.partition("/")
    name = rest if rest.startswith("endpoints/") else rest.rpartition("/")[2]
    return f"{target.provider}/{location}/{name}"
