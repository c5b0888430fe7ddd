"""The bodies that callers send about tuning jobs, and the orders they become."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.orders import JobOrder, Subject

MOST_SUFFIX = 64
MOST_METADATA = 16
MOST_METADATA_KEY = 64
MOST_METADATA_VALUE = 512
MOST_REASON = 500
RESERVED = re.compile(r"__.*__", re.DOTALL)  # by the database, for names of fields

Dollars = Annotated[float, msgspec.Meta(ge=0)]


class CreateJob(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a creation. Fields OpenAI knows and no backend has a use for are here to be refused by name.

    Ours are ``tuning_mode`` (``adapter`` or ``full``, where a base model takes both), ``columns`` (those of a table, in
    both of its files) and ``max_cost_usd``: above it, the job waits for an approval, and is stopped while it runs.
    ``start`` ``next_beat`` leaves the job's first message to the tick, which shows that the scheduler's beat is alive.
    """

    model: str
    training_file: str
    validation_file: str | None = None
    columns: Columns | None = None
    hyperparameters: object = None
    method: object = None
    tuning_mode: str | None = None
    suffix: str | None = None
    metadata: dict[str, str] | None = None
    max_cost_usd: Dollars | None = None
    start: Literal["now", "next_beat"] = "now"
    seed: int | None = None
    integrations: list[object] | None = None


class Approve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an approval: what the job may cost instead."""

    max_cost_usd: Dollars | None = None


class Refuse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a refusal: why, for the job's owner."""

    reason: Annotated[str, msgspec.Meta(max_length=MOST_REASON)] = ""


def order(body: CreateJob, idempotency_key: str | None, *, subject: Callable[[str], Subject]) -> JobOrder:
    """The order in a body; ``subject`` finds what a name lets one tune. Raises BadInput, naming the field."""
    if body.seed is not None:
        raise BadInput("Tuning takes no seed here; leave it out.", param="seed", code="unsupported_parameter")
    if body.integrations:
        raise BadInput("Integrations are not supported; leave them out.", param="integrations")
    if body.suffix is not None and not _is_suffix(body.suffix):
        raise BadInput(f"A suffix is 1 to {MOST_SUFFIX} letters, digits, '-', '_' or '.'.", param="suffix")
    check_metadata(body.metadata or {})
    base = subject(body.model).base
    hyperparameters = hyper.requested(body.hyperparameters, body.method, base=base)
    return JobOrder(
        model=body.model,
        training_file=body.training_file,
        validation_file=body.validation_file,
        columns=body.columns,
        hyperparameters=hyperparameters,
        tuning_mode=hyper.mode_of(body.tuning_mode, base=base, chosen=hyperparameters),
        method=hyper.method_of(body.method, base=base),
        teacher=hyper.teacher_of(body.method, base=base),
        suffix=body.suffix,
        metadata=body.metadata,
        max_cost_usd=body.max_cost_usd,
        on_beat=body.start == "next_beat",
        idempotency_key=idempotency_key,
    )


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Whether it is within OpenAI's limits. Raises BadInput."""
    if len(metadata) > MOST_METADATA:
        raise BadInput(f"Metadata has at most {MOST_METADATA} entries.", param="metadata")
    for key, value in metadata.items():
        if not key or RESERVED.fullmatch(key):
            said = (
                f"A key of metadata is '{key[:MOST_METADATA_KEY]}'. Use another one, neither empty nor like __this__."
            )
            raise BadInput(said, param="metadata")
        if len(key) > MOST_METADATA_KEY or len(value) > MOST_METADATA_VALUE:
            limits = f"{MOST_METADATA_KEY} characters, a value {MOST_METADATA_VALUE}"
            raise BadInput(f"A key of metadata has at most {limits}.", param=f"metadata.{key[:MOST_METADATA_KEY]}")


def _is_suffix(suffix: str) -> bool:
    return 0 < len(suffix) <= MOST_SUFFIX and suffix.isascii() and all(c.isalnum() or c in "-_." for c in suffix)
