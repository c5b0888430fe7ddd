"""Where a target is, told so that it stays the same place under every name it may be called by."""

from tuneway.routing.routes import Target


def place_of(target: Target) -> str:
    """The place: a project has a name and a number, so it is told without it."""
    return place_at(target.resource) or f"{target.provider}/{target.model}"


def place_at(resource: str) -> str:
    """The place of a resource of Vertex AI: ``us-central1/endpoints/45``; empty where it is none."""
    return resource.partition("/locations/")[2]
