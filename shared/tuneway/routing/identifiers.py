"""Names of models: one string, read into what it names.

| form | names |
|---|---|
| ``gemma-shop``, ``ft:gemini-3.5-flash:acme:abc123`` | an alias |
| ``4567``, or behind ``vertex_ai/``: ``4567``, ``endpoints/4567``, ``gemini/4567``, ``openai/4567`` | an endpoint |
| ``vertex_ai/{project}/{location}/endpoints/4567`` | an endpoint of another project or location |
| ``[vertex_ai/]projects/{project}/locations/{location}/endpoints/4567`` | the same, by its full name |
| ``[vertex_ai/]4567.us-central1-123.prediction.vertexai.goog`` | a dedicated endpoint, by its host |
| ``vertex_ai/gemini-3.5-flash``, ``vertex_ai/codestral@2405``, ``vertex_ai/meta/llama-4-maas`` | a published model |
| ``{vendor}/{model}``: ``azure/gpt-5``, ``bedrock/eu.anthropic.claude-x-v1:0``, ``custom_openai/org/model`` | a model \
elsewhere; the vendors are the rows of ``vendors.py`` |

Everything that becomes part of a host or a path is checked here, because a bearer token is sent there.
"""

import re
from typing import Literal, assert_never

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.vendors import VENDORS

Protocol = Literal["gemini", "openai"]

_PARTS = {
    "alias": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}"),
    "project": re.compile(r"(?:[a-z][a-z0-9.-]*:)?[a-z0-9][a-z0-9-]{0,62}"),
    "location": re.compile(r"[a-z][a-z0-9-]{0,40}"),
    "endpoint id": re.compile(r"[0-9]{1,20}|[a-z][a-z0-9-]{0,62}"),
    "publisher": re.compile(r"[a-z][a-z0-9-]{0,62}"),
    "model name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?"),
    "model of a vendor": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+/-]{0,2047}"),
}
_LONGEST_SHOWN = 120
_DEDICATED = re.compile(
    r"(?P<id>[a-z0-9][a-z0-9-]{0,62})\.(?P<location>[a-z]+-[a-z]+[0-9]+)-(?P<owner>[a-z0-9]{1,40})"
    r"\.prediction\.vertexai\.goog"
)
# Who publishes the models that are commonly named without their publisher: Model Garden's own names.
_PUBLISHERS = {
    "claude": "anthropic",
    "codestral": "mistralai",
    "deepseek": "deepseek-ai",
    "gemini": "google",
    "gemma": "google",
    "glm": "zai-org",
    "gpt-oss": "openai",
    "grok": "xai",
    "jamba": "ai21",
    "kimi": "moonshotai",
    "llama": "meta",
    "ministral": "mistralai",
    "mistral": "mistralai",
    "multilingual-e5": "intfloat",
    "qwen": "qwen",
    "text-embedding": "google",
    "text-multilingual-embedding": "google",
}
_REGION = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2})/(?P<model>.+)")
_RIGHT_FORMS = (
    "Use an alias, vertex_ai/endpoints/{id}, vertex_ai/{project}/{location}/endpoints/{id}, "
    "vertex_ai/projects/{project}/locations/{location}/endpoints/{id} or {vendor}/{model}."
)


class Alias(msgspec.Struct, frozen=True):
    """A route's public name."""

    name: str


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint; what the name leaves open is None. ``protocol`` is what LiteLLM's forms promise it speaks."""

    id: str
    project: str | None = None
    location: str | None = None
    protocol: Protocol | None = None


class DedicatedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint named by its own host; ``project_number`` is None where the host holds another id."""

    host: str
    id: str
    location: str
    project_number: str | None


class PublisherModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model in Model Garden; ``model`` bears its ``@version``, if any."""

    publisher: str
    model: str
    project: str | None = None
    location: str | None = None


class HostedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a vendor in ``VENDORS``, by its name there; ``region`` where the name gives one (Bedrock)."""

    vendor: str
    model: str
    region: str | None = None


VertexIdentifier = Endpoint | DedicatedEndpoint | PublisherModel
Identifier = Alias | VertexIdentifier | HostedModel


def is_location(name: str) -> bool:
    """Whether a host may be built from ``name``: ``us-central1``, ``global``, ``us``, ``eu``."""
    return _PARTS["location"].fullmatch(name) is not None


def parse(model: str) -> Identifier:
    """What a request's ``model`` names. Raises BadInput with ``param`` "model"."""
    provider, slash, rest = model.partition("/")
    if _is_number(model):
        return Endpoint(id=_checked("endpoint id", model, model))
    if not slash:
        return _dedicated(model) or Alias(_checked("alias", model, model))
    if provider in VENDORS:
        return _hosted(provider, rest, model)
    if provider not in {"vertex_ai", "projects"}:
        raise _refusal(f"'{_shown(provider)}' is no provider", model)
    path = model if provider == "projects" else rest
    return _dedicated(path) or _vertex(path, model)


def resource(identifier: VertexIdentifier, *, project: str | None, location: str | None) -> str:
    """The full resource name, with the defaults where the name leaves them open. Raises BadInput when none is set."""
    match identifier:
        case DedicatedEndpoint(id=id_, location=where, project_number=number):
            return f"projects/{_given('project', number, project)}/locations/{where}/endpoints/{id_}"
        case Endpoint(id=id_):
            return f"{_parent(identifier, project, location)}/endpoints/{id_}"
        case PublisherModel(publisher=publisher, model=model):
            return f"{_parent(identifier, project, location)}/publishers/{publisher}/models/{model}"
        case _:
            assert_never(identifier)


def _hosted(vendor: str, name: str, model: str) -> HostedModel:
    """LiteLLM's ``bedrock/{region}/{model}`` names the region too; elsewhere a slash belongs to the model's name."""
    regional = _REGION.fullmatch(name) if vendor == "bedrock" else None
    region, name = (regional["region"], regional["model"]) if regional else (None, name)
    return HostedModel(vendor=vendor, model=_checked("model of a vendor", name, model), region=region)


def _parent(identifier: Endpoint | PublisherModel, project: str | None, location: str | None) -> str:
    owner = _given("project", identifier.project, project)
    return f"projects/{owner}/locations/{_given('location', identifier.location, location)}"


def _given(what: str, named: str | None, default: str | None) -> str:
    found = named or default
    if not found:
        raise BadInput(
            f"The model's name leaves its {what} open, and this installation has no default {what}. "
            "Use vertex_ai/{project}/{location}/endpoints/{id}.",
            param="model",
            code="invalid_model_identifier",
        )
    return _checked(what, found, found)


def _vertex(path: str, model: str) -> VertexIdentifier:
    match path.split("/"):
        case ["projects", project, "locations", location, "endpoints", id_] | [project, location, "endpoints", id_]:
            parent = _checked("project", project, model), _checked("location", location, model)
            return _endpoint(id_, model, parent=parent)
        case ["projects", project, "locations", location, "publishers", publisher, "models", name]:
            parent = _checked("project", project, model), _checked("location", location, model)
            return _publisher_model((publisher, name), model, parent=parent)
        case ["endpoints", id_]:
            return _endpoint(id_, model)
        case [("gemini" | "openai") as protocol, id_] if not id_.endswith("-maas"):
            return _endpoint(id_, model, protocol=protocol)
        case [publisher, name]:
            return _publisher_model((publisher, name), model)
        case [name]:
            return (
                _endpoint(name, model) if _is_number(name) else _publisher_model((_publisher(name, model), name), model)
            )
        case _:
            raise _refusal("it has too many or the wrong parts", model)


def _endpoint(
    id_: str, model: str, *, parent: tuple[str, str] | None = None, protocol: Protocol | None = None
) -> Endpoint:
    project, location = parent or (None, None)
    return Endpoint(id=_checked("endpoint id", id_, model), project=project, location=location, protocol=protocol)


def _publisher_model(names: tuple[str, str], model: str, *, parent: tuple[str, str] | None = None) -> PublisherModel:
    (publisher, name), (project, location) = names, parent or (None, None)
    return PublisherModel(
        publisher=_checked("publisher", publisher, model),
        model=_checked("model name", name, model),
        project=project,
        location=location,
    )


def _publisher(name: str, model: str) -> str:
    for family, publisher in _PUBLISHERS.items():
        if name.startswith(family):
            return publisher
    fault = f"'{_shown(name)}' is no endpoint id, and its publisher is not known (vertex_ai/{{publisher}}/{{model}})"
    raise _refusal(fault, model)


def _dedicated(name: str) -> DedicatedEndpoint | None:
    found = _DEDICATED.fullmatch(name)
    if found is None:
        return None
    number = found["owner"] if _is_number(found["owner"]) else None
    return DedicatedEndpoint(host=name, id=found["id"], location=found["location"], project_number=number)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _checked(what: str, text: str, model: str) -> str:
    if _PARTS[what].fullmatch(text) is None:
        raise _refusal(f"'{_shown(text)}' is no {what}", model)
    return text


def _refusal(fault: str, model: str) -> BadInput:
    return BadInput(
        f"The model name '{_shown(model)}' cannot be read: {fault}. {_RIGHT_FORMS}",
        param="model",
        code="invalid_model_identifier",
    )


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
