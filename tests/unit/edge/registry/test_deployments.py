"""``/v1/registry/deployments``: asked for, shown with their cost, and taken away."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.edge.asking import Asked, Asking
from tests.unit.registry.rollouts import ALIAS, MAIN, World
from tests.unit.registry.shared_endpoints import GUEST, Shared
from tuneway.edge.registry.deployments import ROOT, rules


class Registry:
    """The door of a registry whose model acme has tuned and deployed."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, usd_per_hour=6.0)
        self.world.finish()
        self.world.settle()
        self.ask = Asking(rules(self.world.desk, self.world.inventory))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def create(registry: Registry, **body: Any) -> Asked:
    return registry.ask("POST", ROOT, body={"model": "ft-1", **body})


def test_a_deployment_shows_where_it_is_and_what_it_costs(registry: Registry) -> None:
    (shown,) = registry.ask("GET", ROOT).json["data"]
    assert shown == registry.ask("GET", f"{ROOT}/{MAIN}").json
    assert (shown["object"], shown["status"], shown["alias"], shown["location"]) == (
        "deployment",
        "ready",
        ALIAS,
        "us-central1",
    )
    assert shown["machine"]["machine_type"] == "g2-standard-12"
    assert (shown["hourly"]["usd"], shown["hourly"]["as_of"]) == (1.0, "2026-07-22")
    assert not {"order", "lease_until"} & set(shown)


def test_one_is_made_with_the_machines_of_ones_choice(registry: Registry) -> None:
    made = create(
        registry,
        checkpoint="1",
        machine_type="g2-standard-24",
        accelerator_type="NVIDIA_L4",
        accelerator_count=2,
        replicas=3,
        alias="mine",
    )
    assert (made.status, made.json["status"], made.json["alias"]) == (200, "requested", "mine")
    assert made.json["machine"] == {
        "machine_type": "g2-standard-24",
        "accelerator_type": "NVIDIA_L4",
        "accelerator_count": 2,
        "replicas": 3,
    }
    assert made.json["hourly"]["usd"] == 6.0


def test_the_same_again_is_the_same(registry: Registry) -> None:
    assert create(registry).json["id"] == create(registry).json["id"] == MAIN


@pytest.mark.parametrize("body", [{"rest": {"idle_minutes": 5}}, {"alias": "other"}])
def test_what_is_there_is_not_asked_for_otherwise_in_silence(registry: Registry, body: dict[str, Any]) -> None:
    (field,) = body
    refused = create(registry, **body)
    assert (refused.status, refused.error["param"], refused.error["code"]) == (409, field, "deployment_exists")
    assert f"with another '{field}'" in refused.error["message"]
    assert create(registry, **{field: None}).status == 200


def test_what_is_there_as_it_is_asked_for_is_the_same(registry: Registry) -> None:
    rest = {"idle_minutes": 5}
    assert registry.ask("PATCH", f"{ROOT}/{MAIN}", body={"rest": rest}).status == 200
    assert create(registry, rest=rest, alias=ALIAS).json["id"] == MAIN


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"accelerator_type": "NVIDIA_L4"}, "machine_type"),
        ({"machine_type": "g2-standard-12", "accelerator_count": 1}, "accelerator_type"),
        ({"machine_type": "G2; drop"}, "machine_type"),
        ({"machine_type": "g2-standard-12", "accelerator_type": "nvidia"}, "accelerator_type"),
        ({"replicas": 0}, "replicas"),
        ({"alias": "a b"}, "alias"),
        ({"alias": "12"}, "alias"),
        ({"name": "No"}, "name"),
        ({"checkpoint": "7"}, "checkpoint"),
        ({"version": "7"}, "version"),
        ({"version": ""}, "version"),
        ({"name": ""}, "name"),
        ({"model": "nobodys"}, "model"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_said(registry: Registry, body: dict[str, Any], param: str) -> None:
    answer = create(registry, **body)
    assert answer.status in {400, 404}
    assert param in (answer.error["param"] or answer.error["message"])


def test_one_that_an_alias_leads_to_needs_force(registry: Registry) -> None:
    refused = registry.ask("DELETE", f"{ROOT}/{MAIN}")
    assert (refused.status, refused.error["code"]) == (409, "deployment_in_use")
    assert ALIAS in refused.error["message"]
    assert registry.ask("DELETE", f"{ROOT}/{MAIN}?force=perhaps").status == 400
    assert registry.ask("DELETE", f"{ROOT}/{MAIN}?force=true").json["status"] == "undeploying"
    assert registry.world.snapshot().routes == {}


@pytest.mark.parametrize(("method", "path"), [("GET", f"{ROOT}/{MAIN}"), ("DELETE", f"{ROOT}/{MAIN}?force=true")])
def test_another_tenants_are_not_there(registry: Registry, method: str, path: str) -> None:
    assert registry.ask(method, path, key="tune@bolt").status == 404
    assert registry.ask("GET", ROOT, key="tune@bolt").json["data"] == []
    assert registry.ask(method, path, key="admin@bolt").status == 200


def test_a_key_for_predictions_deploys_nothing(registry: Registry) -> None:
    assert registry.ask("POST", ROOT, key="predict", body={"model": "ft-1"}).status == 403


@pytest.fixture
def sharing(tmp_path: Path) -> Asking:
    """A registry with two versions behind one endpoint."""
    world = Shared(tmp_path)
    world.shared(v2=20)
    return Asking(rules(world.desk, world.inventory))


def test_who_shares_an_endpoint_shows_the_whole_split(sharing: Asking) -> None:
    split = {MAIN: 80, GUEST: 20}
    assert [each["traffic"] for each in sharing("GET", ROOT).json["data"]] == [split, split]
    assert sharing("GET", f"{ROOT}/{GUEST}").json["traffic"] == split


def test_a_deployment_is_put_beside_another(sharing: Asking) -> None:
    made = sharing("POST", ROOT, body={"model": "ft-1", "version": "3", "endpoint": MAIN, "traffic": 10})
    assert (made.status, made.json["status"], made.json["alias"]) == (200, "requested", None)
    assert made.json["hourly"]["usd"] == 1.0
    assert "traffic" not in made.json


def test_the_split_is_changed_in_whole_percents(sharing: Asking) -> None:
    answer = sharing("PATCH", f"{ROOT}/{MAIN}", body={"traffic": {MAIN: 50, GUEST: 50}})
    assert (answer.status, answer.json["traffic"]) == (200, {MAIN: 50, GUEST: 50})
    assert "50 % of its endpoint's traffic: asked for." in answer.json["history"][-1]["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"traffic": {MAIN: 80}}, "traffic"),
        ({"traffic": {MAIN: 120, GUEST: -20}}, "traffic"),
        ({"traffic": {MAIN: 80.5, GUEST: 19.5}}, "traffic"),
        ({"traffic": {MAIN: "80", GUEST: "20"}}, "traffic"),
        ({"traffic": 100}, "traffic"),
        ({"traffic": {MAIN: 50, GUEST: 50}, "status": "ready"}, "status"),
    ],
)
def test_a_split_that_is_none_is_refused(sharing: Asking, body: dict[str, Any], param: str) -> None:
    answer = sharing("PATCH", f"{ROOT}/{MAIN}", body=body)
    assert answer.status == 400
    assert param in (answer.error["param"] or answer.error["message"])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"endpoint": MAIN, "traffic": 101}, "traffic"),
        ({"endpoint": MAIN, "traffic": -1}, "traffic"),
        ({"endpoint": MAIN, "traffic": 12.5}, "traffic"),
        ({"endpoint": "never"}, "endpoint"),
        ({"traffic": 10}, "traffic"),
    ],
)
def test_nothing_joins_by_half(sharing: Asking, body: dict[str, Any], param: str) -> None:
    answer = sharing("POST", ROOT, body={"model": "ft-1", "version": "3", **body})
    assert (answer.status, param in answer.error["param"]) == (400, True)


def test_another_tenants_split_is_not_there(sharing: Asking) -> None:
    body = {"traffic": {MAIN: 50, GUEST: 50}}
    assert sharing("PATCH", f"{ROOT}/{MAIN}", key="tune@bolt", body=body).status == 404
    assert sharing("PATCH", f"{ROOT}/{MAIN}", key="admin@bolt", body=body).status == 200


def test_who_carries_all_needs_force_to_go(sharing: Asking) -> None:
    sharing("PATCH", f"{ROOT}/{MAIN}", body={"traffic": {MAIN: 0, GUEST: 100}})
    refused = sharing("DELETE", f"{ROOT}/{GUEST}")
    assert (refused.status, refused.error["code"]) == (409, "deployment_carries_traffic")
    assert sharing("DELETE", f"{ROOT}/{GUEST}?force=true").json["status"] == "undeploying"


def test_a_share_that_it_does_not_have_is_not_asked_for_in_silence(sharing: Asking) -> None:
    guest = {"model": "ft-1", "version": "2", "endpoint": MAIN}
    assert sharing("POST", ROOT, body={**guest, "traffic": 20}).json["id"] == GUEST
    refused = sharing("POST", ROOT, body={**guest, "traffic": 50})
    assert (refused.status, refused.error["param"]) == (409, "traffic")
    assert sharing("GET", f"{ROOT}/{GUEST}").json["traffic"] == {MAIN: 80, GUEST: 20}


def test_a_split_is_changed_only_from_what_was_read(sharing: Asking) -> None:
    read = sharing("GET", f"{ROOT}/{GUEST}").headers["etag"]
    assert read == sharing("GET", f"{ROOT}/{MAIN}").headers["etag"]
    first = sharing("PATCH", f"{ROOT}/{MAIN}", body={"traffic": {MAIN: 70, GUEST: 30}}, sent={"if-match": read})
    late = sharing("PATCH", f"{ROOT}/{MAIN}", body={"traffic": {MAIN: 60, GUEST: 40}}, sent={"if-match": read})
    assert (first.status, late.status, late.error["code"]) == (200, 409, "stale_version")
    again = {"if-match": f"W/{first.headers['etag']}"}
    assert sharing("PATCH", f"{ROOT}/{MAIN}", body={"traffic": {MAIN: 60, GUEST: 40}}, sent=again).status == 200
    anyhow = sharing("PATCH", f"{ROOT}/{MAIN}", body={"traffic": {MAIN: 50, GUEST: 50}}, sent={"if-match": "*"})
    assert anyhow.json["traffic"] == {MAIN: 50, GUEST: 50}
