"""What serves weights and what it costs: data for every open model, and a user's own over it."""

import json
from datetime import date

import pytest

from tuneway.errors import BadInput
from tuneway.ports import Machine
from tuneway.registry.serving import load
from tuneway.tuning.bases import Standing
from tuneway.tuning.catalogue import load as catalogue

OPEN = [
    model.name
    for model in catalogue().models
    if model.backend in {"vertex_open", "vertex_custom"} and model.standing(date(2026, 11, 21)) is Standing.TUNABLE
]
OWN = {
    "machines": {
        "big": {"machine_type": "a3-highgpu-8g", "accelerator_type": "NVIDIA_H100_80GB", "accelerator_count": 8}
    },
    "containers": {"mine": {"image": "mine:1", "arguments": ["--from={weights}"]}},
    "models": [{"names": [OPEN[0]], "container": "mine", "machine": "big", "context": 1}],
    "prices": {"usd_per_hour": {"a3-highgpu-8g": 50}},
}


@pytest.mark.parametrize("name", OPEN)
def test_every_open_model_has_a_container_and_a_priced_machine(name: str) -> None:
    serving = load()
    machine = serving.machine(name)
    assert machine is not None
    container = serving.container(name, machine=machine, weights="gs://b/w/")
    assert f"--tensor-parallel-size={machine.accelerator_count}" in container.arguments
    assert not any("{" in argument for argument in (*container.arguments, *container.environment.values()))
    assert serving.hourly(machine).usd


def test_replicas_cost_what_they_are() -> None:
    found = load().hourly(Machine(machine_type="g2-standard-12", replicas=3))
    assert (found.usd, found.as_of, found.verified) == (3.0, date(2026, 7, 22), False)
    assert "accelerator-optimized" in str(found.source)


def test_a_price_that_nobody_knows_is_said_to_be_unknown() -> None:
    found = load().hourly(Machine(machine_type="x9"))
    assert (found.usd, found.said) == (None, "at a price that is not known")


def test_a_users_file_goes_over_it() -> None:
    serving = load().merged(json.dumps(OWN).encode())
    machine = serving.machine(OPEN[0])
    assert machine is not None
    assert machine.machine_type == "a3-highgpu-8g"
    assert serving.container(OPEN[0], machine=machine, weights="gs://b").arguments == ("--from=gs://b",)
    assert serving.hourly(machine).usd == 50
    assert serving.hourly(Machine(machine_type="g2-standard-12")).usd is None
    assert serving.machine(OPEN[1]) == load().machine(OPEN[1])


@pytest.mark.parametrize("own", [b"{", b'{"model": []}', b"\xff", json.dumps({"models": OWN["models"]}).encode()])
def test_a_file_that_makes_no_sense_is_refused(own: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        load().merged(own)
    assert caught.value.param == "TUNEWAY_SERVING_FILE"


def test_a_base_that_nobody_serves_is_refused_with_a_remedy() -> None:
    with pytest.raises(BadInput, match="TUNEWAY_SERVING_FILE"):
        load().container("x", machine=Machine(machine_type="g2-standard-12"), weights="gs://b")
