"""``/v1/registry``: who may see what, and routes and keys by hand."""

from pathlib import Path

import pytest

from tests.fakes import Loop
from tests.unit.edge.asking import NOW, Asked, Asking
from tuneway.edge.registry import Places, rules
from tuneway.registry.dead_letters import DeadLetters
from tuneway.registry.inventory import Inventory
from tuneway.registry.keyring import Keyring
from tuneway.registry.route_book import RouteBook
from tuneway.routing.snapshot import current

ROOT = "/v1/registry"


class Registry:
    """The door of a registry in which acme has tuned a model."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.loop.desk.create(self.loop.order(), owner="acme")
        self.loop.settle()
        documents = self.loop.documents
        self.asking = Asking(
            rules(
                Inventory(documents),
                RouteBook(documents, now=lambda: NOW),
                Keyring(documents, now=lambda: NOW, randomness=lambda: b"r" * 32),
                letters=DeadLetters(documents, self.loop.events, now=lambda: NOW),
                places=Places("own-project", "us-central1"),
            )
        )

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
    assert (route["alias"], route["target"]["resource"]) == ("mine", resource)
    assert registry.ask("GET", "/routes/mine").json == route
    assert current(registry.loop.documents).routes["mine"].target.resource == resource


def test_a_dedicated_endpoint_keeps_its_host(registry: Registry) -> None:
    host = "12.us-central1-345.prediction.vertexai.goog"
    route = registry.ask("PUT", "/routes/mine", body={"identifier": host, "dialect": "instances"}).json
    assert (route["target"]["host"], route["target"]["dialect"]) == (host, "instances")


@pytest.mark.parametrize(
    ("alias", "body", "param"),
    [
        ("mine", {"identifier": "other-alias"}, "identifier"),
        ("mine", {"identifier": "vertex_ai/p1234567/evil.com/endpoints/1"}, "model"),
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


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"owner": "shop", "scopes": []}, "scopes"),
        ({"owner": "shop", "scopes": ["root"]}, "scopes[0]"),
        ({"scopes": ["tune"]}, "owner"),
        ({"owner": "shop", "scopes": ["tune"], "expires_at": "soon"}, "expires_at"),
    ],
)
def test_a_bad_key_is_refused(registry: Registry, body: object, param: str) -> None:
    answer = registry.ask("POST", "/keys", body=body)
    assert (answer.status, answer.error["param"]) == (400, param)
