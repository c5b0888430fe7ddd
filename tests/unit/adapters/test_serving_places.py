"""Deployers by name, what they are built from, and what an installation says of serving."""

import json
from pathlib import Path

import pytest

from tuneway.adapters import plugs
from tuneway.adapters.bedrock_deploying import BedrockDeployer
from tuneway.adapters.vertex_deploying import VertexDeployer
from tuneway.errors import BadInput
from tuneway.registry.hosting.orders import Wish
from tuneway.registry.shelves import Model, Version
from tuneway.settings import Settings, from_env

MODEL = Model(id="ft-1", owner="acme", base_model="somebody/model", resource="r", created_at=0.0)
VERSION = Version(
    model="ft-1",
    number="1",
    resource="r",
    job="ftjob-1",
    dataset_sha256="",
    alias="ft:a",
    created_at=0.0,
    backend="vertex_custom",
    weights="gs://b/w/",
)


@pytest.mark.parametrize(("name", "kind"), [("vertex", VertexDeployer), ("bedrock", BedrockDeployer)])
def test_each_is_built_once(name: str, kind: type) -> None:
    places = plugs.deployers(Settings())
    assert isinstance(places.of(name), kind)
    assert places.of(name) is places.of(name)


def test_one_of_another_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="bedrock, vertex"):
        plugs.deployers(Settings()).of("gcp")


def test_an_installations_own_file_is_heard(tmp_path: Path) -> None:
    own = {
        "machines": {"m": {"machine_type": "n2-standard-8"}},
        "models": [{"names": ["somebody/model"], "container": "vllm", "machine": "m", "context": 100}],
    }
    (tmp_path / "serving.json").write_text(json.dumps(own))
    found = plugs.orders(Settings(serving_file=tmp_path / "serving.json")).of(MODEL, VERSION, Wish(), now=0.0)
    assert found.order is not None
    assert found.order.machine is not None
    assert (found.order.machine.machine_type, found.order.location) == ("n2-standard-8", "us-central1")
    assert found.hourly is not None
    assert found.hourly.usd is None


def test_deploying_by_itself_can_be_turned_off() -> None:
    assert from_env({}).deploy_open_models == "auto"
    assert from_env({"TUNEWAY_DEPLOY_OPEN_MODELS": "manual"}).deploy_open_models == "manual"
