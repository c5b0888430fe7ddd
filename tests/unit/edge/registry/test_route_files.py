"""``/v1/registry/routes:import`` and ``:export``: all or nothing, with a report."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeEvents, Fuse
from tests.unit.edge.asking import NOW, Asked, Asking
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.edge.registry import routes
from tuneway.edge.registry.route_files import rules
from tuneway.edge.registry.routes import RouteDesk
from tuneway.errors import NotFound
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.models.model_desk import ModelDesk, Who
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.registering import Into, Registering
from tuneway.registry.route_book import RouteBook
from tuneway.registry.route_means import Means
from tuneway.routing.history import same
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import current
from tuneway.routing.targets import Defaults
from tuneway.tuning.lifecycle import Lifecycle
from tuneway.tuning.outcomes import FinishedJobs

GOOD = {"model_name": "good", "litellm_params": {"model": "openai/gpt-5", "api_key": "os.environ/OPENAI_API_KEY"}}
BAD = {"model_name": "bad", "litellm_params": {"model": "openai/gpt-5", "api_key": "sk-live-secret"}}
BARE = {"model_name": "bare", "litellm_params": {"model": "vertex_ai/4567"}}


class Registry:
    def __init__(self, folder: Path) -> None:
        self.documents = SqliteDocuments(folder / "state.sqlite")
        self.book = RouteBook(self.documents, now=lambda: NOW)
        self.asked: list[str] = []
        desk = RouteDesk(
            self.book,
            Deployments(self.documents, now=lambda: NOW),
            defaults=Defaults(project="own-project", location="us-central1"),
            means=Means(detect=self._detect),
        )
        self.asking = Asking([*rules(desk, self.book), *routes.rules(desk, self.book)])

    def _detect(self, named: Target) -> Target:
        self.asked.append(named.resource)
        raise NotFound("Vertex AI knows no such endpoint.")

    def put(self, *entries: dict[str, Any], key: str = "admin", **more: Any) -> Asked:
        body = {"config": {"model_list": list(entries)}, **more}
        return self.asking("POST", "/v1/registry/routes:import", key=key, body=body)

    def put_one(self, alias: str, identifier: str) -> Asked:
        return self.asking("PUT", f"/v1/registry/routes/{alias}", key="admin", body={"identifier": identifier})

    def export(self) -> Asked:
        return self.asking("GET", "/v1/registry/routes:export", key="admin")

    def register(self, name: str) -> None:
        """A model that is called by a route's name from now on, and by ``prod``."""
        shelf = ModelShelf(self.documents, now=lambda: NOW)
        who = Who(owner=None, name="ops")
        outcomes = FinishedJobs(Lifecycle(self.documents, FakeEvents(Fuse()), lambda: NOW))
        targets = self.book.get("good").targets
        Registering(shelf, outcomes).from_targets(targets, Into(name=name, owner="ops"), base_model="", who=who)
        ModelDesk(shelf).point(name, "prod", "1", who=who, expected=None)

    @property
    def aliases(self) -> list[str]:
        return [route.alias for route in self.book.list()]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_all_is_put_in_one_change(registry: Registry) -> None:
    answer = registry.put(GOOD, {**GOOD, "model_name": "other"})
    assert (answer.status, answer.json["applied"]) == (200, True)
    assert sorted(registry.aliases) == ["good", "other"]
    assert current(registry.documents).version == 1


def test_the_same_import_again_changes_nothing(registry: Registry) -> None:
    registry.put(GOOD)
    registry.put(GOOD)
    assert current(registry.documents).version == 1


def test_nothing_is_put_when_something_is_refused(registry: Registry) -> None:
    answer = registry.put(GOOD, BAD)
    assert (answer.status, registry.aliases) == (400, [])
    assert answer.json["error"]["param"] == "model_list[1].litellm_params.api_key"
    assert "os.environ/NAME" in answer.json["error"]["message"]
    assert "sk-live" not in str(answer.json)


def test_the_rest_is_put_when_that_is_asked_for(registry: Registry) -> None:
    answer = registry.put(GOOD, BAD, partial=True)
    assert (answer.json["applied"], registry.aliases) == (True, ["good"])
    assert answer.json["counts"]["refused"] == 1


def test_a_rehearsal_reports_and_changes_nothing(registry: Registry) -> None:
    answer = registry.put(GOOD, BAD, BARE, dry_run=True)
    assert (answer.status, answer.json["applied"], registry.aliases, registry.asked) == (200, False, [], [])
    assert [route["alias"] for route in answer.json["routes"]] == ["good", "bare"]
    assert {line["fate"] for line in answer.json["report"]} == {"taken", "translated", "refused"}


def test_an_endpoint_is_asked_what_it_speaks_and_one_that_is_not_there_is_told_of(registry: Registry) -> None:
    answer = registry.put(BARE)
    assert registry.asked == ["projects/own-project/locations/us-central1/endpoints/4567"]
    assert "could not be asked" in answer.json["warnings"][0]


def test_a_target_that_could_never_be_called_is_refused(registry: Registry) -> None:
    entry = {"model_name": "m", "litellm_params": {"model": "azure/gpt-5", "api_base": "http://169.254.169.254/v1"}}
    answer = registry.put(entry)
    assert (answer.status, registry.aliases) == (400, [])
    assert "metadata" in answer.json["error"]["message"]


def test_what_is_exported_imports_without_a_change(registry: Registry) -> None:
    registry.put(GOOD, {**GOOD, "model_name": "other"})
    before, exported = registry.book.list(), registry.export().json
    registry.book.remove("good")
    answer = registry.put(*exported["model_list"])
    assert answer.json["applied"]
    after = {route.alias: route for route in registry.book.list()}
    assert after.keys() == {route.alias for route in before}
    assert all(same(route, after[route.alias]) for route in before)


@pytest.mark.parametrize("key", ["tune", "predict"])
def test_only_admins_import(registry: Registry, key: str) -> None:
    assert registry.put(GOOD, key=key).status == 403


@pytest.mark.parametrize("body", [{}, {"config": []}, {"config": {}, "partly": True}])
def test_a_body_that_is_none_is_refused(registry: Registry, body: dict[str, Any]) -> None:
    assert registry.asking("POST", "/v1/registry/routes:import", key="admin", body=body).status == 400


@pytest.mark.parametrize("name", ["shop", "shop@default", "shop@prod", "shop@new"])
def test_a_versions_name_is_not_led_elsewhere_than_its_alias(registry: Registry, name: str) -> None:
    registry.put(GOOD)
    registry.register("shop")
    before = current(registry.documents).routes
    refused = registry.put({**GOOD, "model_name": name, "litellm_params": {"model": "vertex_ai/gemini-3.5-flash"}})
    assert (refused.status, refused.error["param"]) == (400, f"model_list.{name}")
    alias = name.partition("@")[2] or "default"
    assert f"tuneway models alias shop {alias} VERSION" in refused.error["message"]
    assert current(registry.documents).routes == before


def test_a_versions_name_is_left_out_of_what_is_taken(registry: Registry) -> None:
    registry.put(GOOD)
    registry.register("shop")
    elsewhere = {"model_name": "shop@prod", "litellm_params": {"model": "vertex_ai/gemini-3.5-flash"}}
    taken = registry.put({**GOOD, "model_name": "better"}, elsewhere, partial=True).json
    assert ([route["alias"] for route in taken["routes"]], taken["counts"]["refused"]) == (["better"], 1)
    told = registry.put(elsewhere, dry_run=True).json
    assert [line["path"] for line in told["report"] if line["fate"] == "refused"] == ["model_list.shop@prod"]


def test_whoever_leads_a_versions_name_away_by_hand_is_told(registry: Registry) -> None:
    registry.put(GOOD)
    registry.register("shop")
    gone = registry.put_one("shop@prod", "vertex_ai/gemini-3.5-flash").json["warnings"]
    assert gone[-1].startswith("'shop@prod' leads elsewhere than version '1' of model 'shop', whose alias is 'prod'.")
    assert registry.put_one("other@prod", "vertex_ai/gemini-3.5-flash").json.get("warnings") is None


def test_what_else_a_versions_name_says_is_imported(registry: Registry) -> None:
    registry.put(GOOD)
    registry.register("shop")
    config = registry.export().json
    (entry,) = [one for one in config["model_list"] if one["model_name"] == "shop@prod"]
    entry["model_info"]["tuneway"]["route"]["retries"] = 3
    assert registry.asking("POST", "/v1/registry/routes:import", key="admin", body={"config": config}).status == 200
    assert current(registry.documents).routes["shop@prod"].retries == 3
