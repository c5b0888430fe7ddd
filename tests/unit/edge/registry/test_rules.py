"""``/v1/registry``: who may see what, and routes and keys by hand."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes import Loop
from tests.unit.edge.asking import NOW, Asked, Asking
from tuneway.edge.registry import deployments
from tuneway.edge.registry.routes import RouteDesk
from tuneway.edge.registry.rules import rules
from tuneway.errors import NotFound
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.hosting.deploying import Deploying
from tuneway.registry.hosting.deployment_desk import DeploymentDesk
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.hosting.orders import Orders
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.registry.route_means import Means
from tuneway.registry.serving import load
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import current
from tuneway.routing.targets import Defaults

ROOT = "/v1/registry"


class Registry:
    """The door of a registry in which acme has tuned a model."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.loop.desk.create(self.loop.order(), owner="acme")
        self.loop.settle()
        documents = self.loop.documents
        book = RouteBook(documents, now=lambda: NOW)
        self.speaks: dict[str, Target] = {}
        desk = RouteDesk(
            book,
            Deployments(documents, now=lambda: NOW),
            defaults=Defaults(project="own-project", location="us-central1"),
            means=Means(detect=self._detect),
        )
        keyring = Keyring(documents, now=lambda: NOW, randomness=lambda: b"r" * 32)
        letters = DeadLetters(documents, self.loop.events, now=lambda: NOW)
        inventory = Inventory(documents)
        rollouts = DeploymentDesk(
            Deploying(documents, self.loop.events, lambda: NOW), inventory, Orders(load(), location="us-central1")
        )
        self.asking = Asking(
            [
                *rules(inventory, keyring, letters=letters, book=book, desk=desk),
                *deployments.rules(rollouts, inventory),
            ]
        )

    def _detect(self, named: Target) -> Target:
        found = self.speaks.get(named.resource.rpartition("/")[2])
        if found is None:
            raise NotFound("Vertex AI knows no such endpoint.")
        return msgspec.structs.replace(found, resource=named.resource)

    def ask(self, method: str, path: str, *, key: str = "admin", body: object = None) -> Asked:
        return self.asking(method, ROOT + path, key=key, body=body)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.mark.parametrize("path", ["/models", "/deployments", "/models/9/versions"])
@pytest.mark.parametrize(("key", "seen"), [("tune", 1), ("admin@other", 1), ("tune@rival", 0)])
def test_one_sees_ones_own_and_an_admin_everybodys(registry: Registry, path: str, key: str, seen: int) -> None:
    answer = registry.ask("GET", path, key=key)
    assert (len(answer.json["data"]) if answer.status == 200 else 0) == seen


def test_a_version_knows_its_job_and_its_dataset(registry: Registry) -> None:
    version = registry.ask("GET", "/models/9/versions/1", key="tune").json
    (job,) = registry.loop.desk.newest(owner="acme", after=None, limit=2)
    assert (version["job"], version["alias"]) == (job.id, job.fine_tuned_model)
    assert job.dataset is not None
    assert version["dataset_sha256"] == job.dataset.sha256


@pytest.mark.parametrize("path", ["/models/none", "/models/none/versions", "/models/9/versions/8"])
def test_what_is_not_there_is_not_found(registry: Registry, path: str) -> None:
    assert registry.ask("GET", path).status == 404


@pytest.mark.parametrize("path", ["/routes", "/keys", "/dead_letters"])
def test_the_rest_is_for_admins(registry: Registry, path: str) -> None:
    assert (registry.ask("GET", path, key="tune").status, registry.ask("GET", path).status) == (403, 200)


@pytest.mark.parametrize(
    ("identifier", "resource"),
    [
        ("vertex_ai/endpoints/12", "projects/own-project/locations/us-central1/endpoints/12"),
        ("12", "projects/own-project/locations/us-central1/endpoints/12"),
        (
            "vertex_ai/their-project/europe-west4/endpoints/12",
            "projects/their-project/locations/europe-west4/endpoints/12",
        ),
    ],
)
def test_a_route_leads_to_the_full_name(registry: Registry, identifier: str, resource: str) -> None:
    route = registry.ask("PUT", "/routes/mine", body={"identifier": identifier}).json
    assert (route["alias"], route["targets"][0]["resource"]) == ("mine", resource)
    assert registry.ask("GET", "/routes/mine").json == {k: v for k, v in route.items() if k != "warnings"}
    assert current(registry.loop.documents).routes["mine"].targets[0].resource == resource


def test_a_dedicated_endpoint_keeps_its_host(registry: Registry) -> None:
    host = "12.us-central1-345.prediction.vertexai.goog"
    route = registry.ask("PUT", "/routes/mine", body={"identifier": host, "dialect": "instances"}).json
    assert (route["targets"][0]["host"], route["targets"][0]["dialect"]) == (host, "instances")


@pytest.mark.parametrize(
    ("alias", "body", "param"),
    [
        ("mine", {"identifier": "other-alias"}, "identifier"),
        ("mine", {"identifier": "vertex_ai/p1234567/evil.com/endpoints/1"}, "identifier"),
        ("mine", {}, "identifier"),
        ("mine", {"identifier": "12", "dialect": "klingon"}, "dialect"),
        ("mine", {"identifier": "12", "colour": "red"}, "colour"),
        ("123", {"identifier": "12"}, "alias"),
        ("-x", {"identifier": "12"}, "alias"),
        ("x" * 129, {"identifier": "12"}, "alias"),
    ],
)
def test_a_bad_route_is_refused(registry: Registry, alias: str, body: object, param: str) -> None:
    answer = registry.ask("PUT", f"/routes/{alias}", body=body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert alias not in current(registry.loop.documents).routes


def test_a_route_is_removed(registry: Registry) -> None:
    registry.ask("PUT", "/routes/mine", body={"identifier": "12"})
    assert registry.ask("DELETE", "/routes/mine").json["deleted"]
    assert registry.ask("DELETE", "/routes/mine").status == registry.ask("GET", "/routes/mine").status == 404


def test_a_key_is_shown_once(registry: Registry) -> None:
    made = registry.ask("POST", "/keys", body={"owner": "shop", "scopes": ["predict"]}).json
    (listed,) = registry.ask("GET", "/keys").json["data"]
    assert (made["key"].startswith("tw-"), listed["id"], "key" in listed) == (True, made["id"], False)
    assert registry.ask("DELETE", f"/keys/{made['id']}").json["deleted"]
    assert registry.ask("GET", "/keys").json["data"] == []


def test_a_key_may_have_an_allowance(registry: Registry) -> None:
    made = registry.ask("POST", "/keys", body={"owner": "shop", "scopes": ["tune"], "max_cost_usd": 5}).json
    assert made["max_cost_usd"] == 5
    assert registry.ask("GET", "/keys").json["data"][0]["max_cost_usd"] == 5


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"owner": "shop", "scopes": []}, "scopes"),
        ({"owner": "shop", "scopes": ["root"]}, "scopes[0]"),
        ({"scopes": ["tune"]}, "owner"),
        ({"owner": "shop", "scopes": ["tune"], "expires_at": "soon"}, "expires_at"),
        ({"owner": "shop", "scopes": ["tune"], "max_cost_usd": -1}, "max_cost_usd"),
    ],
)
def test_a_bad_key_is_refused(registry: Registry, body: object, param: str) -> None:
    answer = registry.ask("POST", "/keys", body=body)
    assert (answer.status, answer.error["param"]) == (400, param)


def put(registry: Registry, body: object) -> Asked:
    return registry.ask("PUT", "/routes/mine", body=body)


def test_a_route_has_targets_with_weights_and_orders_and_a_way(registry: Registry) -> None:
    way = {
        "owner": "acme",
        "fallbacks": ["vertex_ai/gemini-3.5-flash"],
        "retries": 2,
        "timeouts": {"total": 30, "first": 5.5},
        "cooldown": 9,
        "log_prompts": True,
    }
    targets = [
        {"identifier": "azure/gpt-5", "base_url": "my-resource", "secret": "env:AZURE_KEY", "weight": 9},
        {"identifier": "bedrock/eu-west-1/eu.anthropic.claude-x-v1:0", "order": 1, "drop_params": ["seed"]},
    ]
    shown = put(registry, {**way, "targets": targets}).json
    assert {name: shown[name] for name in way} == {**way, "timeouts": {"total": 30.0, "first": 5.5}}
    azure, bedrock = current(registry.loop.documents).routes["mine"].targets
    assert (azure.provider, azure.model, azure.base_url, azure.secret) == (
        "azure",
        "gpt-5",
        "my-resource",
        "env:AZURE_KEY",
    )
    assert (bedrock.region, bedrock.order, bedrock.drop_params, bedrock.dialect) == (
        "eu-west-1",
        1,
        ("seed",),
        "bedrock",
    )


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"targets": []}, "targets"),
        ({"targets": [{"identifier": "12", "weight": 0}]}, "targets"),
        ({"targets": [{"identifier": "12"}, {"identifier": "nobody/x"}]}, "targets[1].identifier"),
        ({"targets": [{"identifier": "12"}, {"identifier": "alias"}]}, "targets[1].identifier"),
        ({"targets": [{"identifier": "12", "weight": -1}]}, "targets[0].weight"),
        ({"targets": [{"identifier": "12", "profile": "nosuch"}]}, "targets[0].profile"),
        ({"targets": [{"identifier": "azure/gpt-5"}]}, "targets[0].base_url"),
        ({"targets": [{"identifier": "12"}], "identifier": "12"}, "identifier"),
        ({"identifier": "openai/gpt-5", "secret": "sk-live-123"}, "secret"),
        ({"identifier": "custom_openai/m", "base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"identifier": "custom_openai/m", "base_url": "my host"}, "base_url"),
        ({"targets": [{"identifier": "openai/gpt-5", "base_url": "ftp://host/v1"}]}, "targets[0].base_url"),
        ({"identifier": "azure/gpt-5", "base_url": "mine", "api_version": "soon"}, "api_version"),
        ({"identifier": "bedrock/amazon.nova-lite-v1:0"}, "region"),
        ({"identifier": "bedrock/amazon.nova-lite-v1:0", "region": "moon"}, "region"),
        ({"identifier": "12", "dialect": "gemini", "host": "evil.com"}, "host"),
        ({"targets": [{"identifier": "openai/gpt-5", "dialect": "gemini"}]}, "targets[0].dialect"),
        ({"identifier": "12", "timeouts": {"total": 0}}, "timeouts.total"),
        ({"identifier": "12", "timeouts": {"between": -1}}, "timeouts.between"),
        ({"identifier": "12", "retries": 99}, "retries"),
        ({"identifier": "12", "cooldown": -1}, "cooldown"),
        ({"identifier": "12", "fallbacks": ["mine"]}, "fallbacks"),
    ],
)
def test_a_way_that_cannot_be_gone_is_refused(registry: Registry, body: object, param: str) -> None:
    answer = put(registry, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert "sk-live" not in answer.error["message"]
    assert "mine" not in current(registry.loop.documents).routes


def test_a_target_without_an_address_is_told_to_give_one(registry: Registry) -> None:
    message = put(registry, {"identifier": "azure/gpt-5"}).error["message"]
    assert message.endswith("no default address for 'azure'. Give the target a 'base_url'.")


def test_an_alias_is_no_target_and_what_it_leads_to_is_told(registry: Registry) -> None:
    put(registry, {"identifier": "12", "dialect": "gemini"})
    told = put(registry, {"identifier": "mine"}).error["message"]
    assert "vertex_ai/projects/own-project/locations/us-central1/endpoints/12" in told
    assert "vertex_ai/gemini-3.5-flash" in put(registry, {"identifier": "gemini-3.5-flash"}).error["message"]


def test_an_endpoint_is_asked_once_what_it_speaks_and_the_answer_is_shown(registry: Registry) -> None:
    registry.speaks["12"] = Target(dialect="openai", host="12.us-central1-3.prediction.vertexai.goog")
    route = put(registry, {"identifier": "12"}).json
    assert (route["targets"][0]["dialect"], route["targets"][0]["host"]) == ("openai", registry.speaks["12"].host)
    found = [one for one in registry.ask("GET", "/deployments").json["data"] if one["id"] == "12"]
    assert [(one["dialect"], one["host"]) for one in found] == [("openai", registry.speaks["12"].host)]
    assert "warnings" not in route


def test_what_is_said_of_an_endpoint_is_not_asked(registry: Registry) -> None:
    registry.speaks["12"] = Target(dialect="openai")
    route = put(registry, {"identifier": "12", "dialect": "instances", "raw": True}).json
    assert (route["targets"][0]["dialect"], route["targets"][0]["raw"]) == ("instances", True)


def test_an_endpoint_that_cannot_be_asked_is_put_with_a_warning(registry: Registry) -> None:
    (warning,) = put(registry, {"identifier": "12"}).json["warnings"]
    assert "'gemini' is assumed" in warning


def test_an_endpoint_is_asked_again_on_demand(registry: Registry) -> None:
    registry.speaks["12"] = Target(dialect="openai", raw=True)
    for _ in range(2):
        found = registry.ask("POST", "/endpoints:resolve", body={"identifier": "vertex_ai/endpoints/12"}).json
        assert (found["id"], found["dialect"], found["raw"], found["owner"]) == ("12", "openai", True, "acme")
    assert registry.ask("POST", "/endpoints:resolve", body={"identifier": "13"}).status == 404
    assert registry.ask("POST", "/endpoints:resolve", body={"identifier": "azure/gpt-5"}).status == 400
    elsewhere = {"identifier": "vertex_ai/own-project/us-east1/endpoints/12"}
    assert registry.ask("POST", "/endpoints:resolve", body=elsewhere).status == 409


def test_what_a_tuned_endpoint_was_made_from_stays_known(registry: Registry) -> None:
    before = registry.ask("GET", "/deployments").json["data"][0]
    registry.speaks[before["id"]] = Target(dialect="gemini")
    found = registry.ask("POST", "/endpoints:resolve", body={"identifier": f"vertex_ai/{before['endpoint']}"}).json
    assert found == before
