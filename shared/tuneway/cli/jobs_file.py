"""A file of jobs: tuneway's own form, or LiteLLM's config with its ``fine_tuning_config``.

    jobs:                       a plain list of jobs will do as well
      - model: gemini-3.5-flash
        training_file: rows.jsonl
        hyperparameters: {n_epochs: 3}
    defaults: {suffix: shop}    what every job has that does not say otherwise

Of LiteLLM's ``fine_tuning_config`` (``finetune_settings`` in its config.yaml) entries with a ``training_file`` are jobs
by the arguments of ``litellm.create_fine_tuning_job``. What says where and with which credentials LiteLLM itself would
call is this tuneway's own affair: it is named and not sent.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import msgspec

from tuneway.cli.client import Failed
from tuneway.cli.uploads import identity
from tuneway.cli.yaml_files import content_of, mapping_of

JOBS = "jobs"
DEFAULTS = "defaults"
LITELLM = ("fine_tuning_config", "finetune_settings")
# Source: arguments of litellm.create_fine_tuning_job and its proxy's finetune_settings, LiteLLM 1.100, read 2026-11-21.
ITS_OWN = frozenset(
    {
        "api_base",
        "api_key",
        "api_version",
        "custom_llm_provider",
        "extra_headers",
        "max_retries",
        "organization",
        "timeout",
        "vertex_credentials",
        "vertex_location",
        "vertex_project",
    }
)
OTHERS = frozenset({"files_settings", "general_settings", "litellm_settings", "model_list", "router_settings"})
CLOUDS = {"vertex_ai": "vertex_ai/", "vertex_ai_beta": "vertex_ai/", "bedrock": "bedrock/"}
DATASETS = ("training_file", "validation_file")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job of a file: the body of its creation, with files as they are named there, and its idempotency key."""

    body: dict[str, object]
    key: str


class JobsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a file; ``notes`` say what of it is not sent."""

    jobs: tuple[Job, ...]
    notes: tuple[str, ...] = ()


def read(path: Path) -> JobsFile:
    """The jobs in a file. Raises Failed, naming the place."""
    return jobs_of(content_of(path))


def jobs_of(content: object) -> JobsFile:
    """The jobs in a file's content. Raises Failed, naming the place."""
    entries, defaults, ignored = _parts(content)
    bodies = [_body(place, {**defaults, **entry}) for place, entry in entries if _is_job(place, entry, defaults)]
    settings = {name for _, entry in entries for name in entry if name in ITS_OWN}
    if not bodies:
        raise Failed("There are no jobs in the file. Write them under 'jobs:', each with model and training_file.")
    notes = [f"Not sent, for this tuneway has its own: {', '.join(sorted(settings))}."] if settings else []
    notes += [f"Not read, for it is no job: {', '.join(ignored)}."] if ignored else []
    return JobsFile(jobs=tuple(_keyed(bodies)), notes=tuple(notes))


def _parts(content: object) -> tuple[list[tuple[str, dict[str, object]]], dict[str, object], list[str]]:
    """The entries with their places, the defaults, and the names of what is left out."""
    if isinstance(content, list):
        return _entries(cast("object", content), JOBS), {}, []
    whole = mapping_of(content, "The file")
    if unknown := whole.keys() - {JOBS, DEFAULTS, *LITELLM, *OTHERS}:
        said = f"The file has no use for {', '.join(sorted(unknown))}. It has 'jobs' and 'defaults'"
        more = ", which is what all jobs have; a grid is for 'tuneway sweeps create -f'."
        raise Failed(f"{said}{more}")
    entries = [each for name in (JOBS, *LITELLM) for each in _entries(whole.get(name) or [], name)]
    return entries, mapping_of(whole.get(DEFAULTS) or {}, DEFAULTS), sorted(whole.keys() & OTHERS)


def _entries(values: object, name: str) -> list[tuple[str, dict[str, object]]]:
    try:
        listed = msgspec.convert(values, list[object])
    except msgspec.ValidationError:
        raise Failed(f"'{name}' is no list. Begin each job with '-'.") from None
    return [(f"{name}[{n}]", mapping_of(value, f"{name}[{n}]")) for n, value in enumerate(listed)]


def _is_job(place: str, entry: Mapping[str, object], defaults: Mapping[str, object]) -> bool:
    """LiteLLM's entry without a training file is the settings of a provider."""
    if place.startswith(LITELLM) and "training_file" not in entry:
        return False
    for name in ("model", "training_file"):
        if not isinstance({**defaults, **entry}.get(name), str):
            raise Failed(f"{place} has no {name}. Give it there, or in 'defaults'.")
    return True


def _body(place: str, entry: Mapping[str, object]) -> dict[str, object]:
    """The body of a creation: what is LiteLLM's own is left out, and its provider is part of the model's name."""
    more = mapping_of(entry.get("extra_body") or {}, f"{place}.extra_body")
    kept = {name: value for name, value in {**entry, **more}.items() if name not in ITS_OWN | {"extra_body"}}
    provider, model = entry.get("custom_llm_provider"), str(entry["model"])
    if provider is None:
        return kept
    if provider not in CLOUDS:
        raise Failed(f"{place}: tuneway trains at {', '.join(CLOUDS)}, not at '{provider}'. Take the job out.")
    named = model.startswith((*CLOUDS.values(), "ft:", "projects/", "arn:"))
    return {**kept, "model": model if named else CLOUDS[str(provider)] + model}


def _keyed(bodies: Iterable[dict[str, object]]) -> list[Job]:
    """Each with a key that its content alone decides: the same file makes the same jobs, wherever it lies."""
    seen: Counter[str] = Counter()
    jobs: list[Job] = []
    for body in bodies:
        same = {name: identity(str(body[name])) for name in DATASETS if body.get(name) is not None}
        text = msgspec.json.encode({**body, **same}, order="deterministic")
        found = hashlib.sha256(text).hexdigest()[:40]
        jobs.append(Job(body=body, key=f"jobs-file-{found}-{seen[found]}"))
        seen[found] += 1
    return jobs
