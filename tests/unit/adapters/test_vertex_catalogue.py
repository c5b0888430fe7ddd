"""The catalogue, the adapters and the simulated Vertex AI agree on every base model."""

from datetime import date
from typing import Any

import msgspec
import pytest

from tuneway.adapters import vertex_custom, vertex_open, vertex_tuning
from tuneway.local.vertex.bases import bases
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.tuning_bodies import checked_body
from tuneway.local.vertex.tuning_specs import check_family
from tuneway.ports import Method, TuningRequest
from tuneway.tuning.bases import BaseModel, Standing
from tuneway.tuning.catalogue import load

ROOMS = {"vertex_ai": vertex_tuning, "vertex_open": vertex_open, "vertex_custom": vertex_custom}
TODAY = date(2026, 11, 21)
BASES = [base for base in load().models if base.backend in ROOMS and base.standing(TODAY) is Standing.TUNABLE]
CHOICES = ("epochs", "learning_rate_multiplier", "learning_rate", "batch_size", "warmup_steps", "weight_decay")
WHOLE = {"epochs", "batch_size", "warmup_steps"}


def requests(base: BaseModel) -> list[TuningRequest]:
    """One with nothing chosen and, for each choice that the catalogue offers, one with it alone."""
    bare = TuningRequest(
        token="job-1",
        location=base.tuning_locations[0],
        base_model=base.name,
        training_uri="gs://data/train.jsonl",
        display_name="mine",
        container=base.container,
        output_uri="gs://data/out",
    )
    chosen: list[dict[str, Any]] = [{"validation_uri": "gs://data/validation.jsonl"}]
    for name in CHOICES:
        offered = getattr(base.ranges, name)
        if offered is not None:
            chosen += [{name: int(end) if name in WHOLE else end} for end in (offered.low, offered.high)]
    chosen += [{"adapter_size": size} for size in base.ranges.adapter_sizes]
    if base.backend == "vertex_open":
        chosen += [{"tuning_mode": mode} for mode in base.tuning_modes]
    chosen += [_method(method) for method in base.methods if method is not Method.SUPERVISED]
    return [bare, *(msgspec.structs.replace(bare, **each) for each in chosen)]


def _method(method: Method) -> dict[str, Any]:
    teacher = "deepseek-ai/deepseek-r1-0528-maas" if method is Method.DISTILLATION else None
    return {"method": method, "teacher": teacher}


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_what_the_catalogue_offers_is_taken(base: BaseModel) -> None:
    for request in requests(base):
        body = ROOMS[base.backend].to_body(request)
        if base.backend == "vertex_custom":
            canonical("CustomJob", body)
            continue
        checked = checked_body(body, version="v1beta1")
        for location in base.tuning_locations:
            check_family(checked, base.name, f"projects/p/locations/{location}")


def test_every_base_model_of_the_simulation_is_in_the_catalogue() -> None:
    known = {base.name for base in BASES}
    assert {*bases().gemini.models, *bases().open.models} <= known
