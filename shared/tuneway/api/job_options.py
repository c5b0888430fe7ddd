"""What a call about tuning jobs takes: LiteLLM's arguments, and which of them say where the job is."""

from collections.abc import Mapping, Sequence

import msgspec
from typing_extensions import TypedDict

from tuneway.api.errors import refused
from tuneway.api.options import setting
from tuneway.api.ways import mapping, way_of

URL = "TUNEWAY_URL"
VERTEX = frozenset({"vertex_ai", "vertex_ai_beta"})
DEPLOYED = frozenset({"openai", "tuneway"})
OF_VERTEX = ("vertex_project", "vertex_location", "vertex_credentials", "gcs_bucket_name")
PROJECTS = ("TUNEWAY_PROJECT", "VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")


class Where(TypedDict, total=False):
    """Which tuneway, or which place on Vertex AI.

    ``base_url`` (or LiteLLM's ``api_base`` with ``custom_llm_provider="openai"``) is a deployed tuneway and ``api_key``
    a key of its own, else ``TUNEWAY_URL`` and ``TUNEWAY_API_KEY``. ``custom_llm_provider="vertex_ai"`` or any of
    ``vertex_*`` is Vertex AI itself: ``api_base`` then replaces its address, ``api_key`` is an access token and
    ``vertex_credentials`` a file, its JSON or the object in it. ``timeout`` is in seconds, for each call.
    """

    base_url: str | None
    api_base: str | None
    api_key: str | None
    timeout: float | None
    custom_llm_provider: str | None
    vertex_project: str | None
    vertex_location: str | None
    vertex_credentials: str | Mapping[str, object] | None
    extra_headers: Mapping[str, str] | None


class JobOptions(Where, total=False):
    """What else a job may have; ``hyperparameters`` and ``method`` are OpenAI's objects.

    ``columns`` are those of a table, or the keys of rows in JSON: ``{"prompt": …, "completion": …, "system": …}``.

    On Vertex AI, ``gcs_bucket_name`` is where rows from elsewhere and what becomes of them are put, else
    ``TUNEWAY_BUCKET`` or LiteLLM's ``GCS_BUCKET_NAME``. The header ``Idempotency-Key`` among ``extra_headers`` makes a
    repeated call answer with the same job. Any other argument, and ``extra_body``, goes into the request as it is.
    """

    validation_file: str | None
    columns: Mapping[str, str | None] | None
    method: Mapping[str, object] | None
    suffix: str | None
    metadata: Mapping[str, str] | None
    tuning_mode: str | None
    max_cost_usd: float | None
    gcs_bucket_name: str | None
    integrations: Sequence[object] | None
    seed: int | None
    extra_body: Mapping[str, object] | None


class EstimateOptions(Where, total=False):
    """What else an estimate may be told; the dataset is a file, its size in MB (10⁶ bytes), or its tokens."""

    training_file_size_mb: float | None
    tokens: int | Mapping[str, int] | None
    validation_file: str | None
    columns: Mapping[str, str | None] | None
    hyperparameters: Mapping[str, object] | None
    method: Mapping[str, object] | None
    gcs_bucket_name: str | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where the job is, and how it is asked for."""

    base_url: str | None = None
    api_base: str | None = None
    api_key: str | None = None
    timeout: float | None = None
    custom_llm_provider: str | None = None
    vertex_project: str | None = None
    vertex_location: str | None = None
    vertex_credentials: str | None = None
    gcs_bucket_name: str | None = None
    extra_headers: tuple[tuple[str, str], ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One call: where to, and what is said there; ``fields`` are those that have a value."""

    way: Way
    fields: Mapping[str, object]


def asked(options: Mapping[str, object]) -> Asked:
    """The call. Raises BadRequestError."""
    given = {name: value for name, value in options.items() if value is not None}
    extra = mapping(given.pop("extra_body", {}), "extra_body")
    how = {name: given.pop(name) for name in Way.__struct_fields__ if name in given}
    return Asked(way=way_of(how, Way), fields={**given, **extra})


def is_direct(way: Way, named: str = "") -> bool:
    """Whether Vertex AI itself is meant; ``named`` is the model or the job. Raises BadRequestError when nobody is."""
    if way.base_url or way.custom_llm_provider in DEPLOYED:
        _refuse_vertex(way)
        return False
    if way.custom_llm_provider not in {None, *VERTEX}:
        raise refused(
            f"Jobs run on 'vertex_ai', or through a deployed tuneway ('openai', with its base_url), not at "
            f"'{way.custom_llm_provider}'.",
            param="custom_llm_provider",
        )
    if way.custom_llm_provider or any(getattr(way, name) for name in OF_VERTEX):
        return True
    if way.api_base:
        return False
    return _by_name(named)


def _by_name(named: str) -> bool:
    if named.startswith(("vertex_ai/", "projects/")):
        return True
    if setting(URL) or named.startswith("ftjob-"):
        return False
    if setting(*PROJECTS, "TUNEWAY_VERTEX_URL") is None:
        said = f"Where? Give vertex_project for Vertex AI, or the base_url of a deployed tuneway (or set {URL})."
        raise refused(said, param="vertex_project")
    return True


def _refuse_vertex(way: Way) -> None:
    for name in OF_VERTEX:
        if getattr(way, name):
            raise refused(f"A deployed tuneway has it from its own settings: leave '{name}' out.", param=name)
