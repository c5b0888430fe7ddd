"""``/v1/registry/models``: pages, registration, edits with their versions, aliases, comparison, lineage, deletion."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.edge.asking import Asked, Asking
from tests.unit.registry.modelled import BOT, Modelled
from tuneway.edge.registry import model_reading, model_registry
from tuneway.registry.inventory import Inventory
from tuneway.registry.route_book import RouteBook
from tuneway.routing.identifiers import Endpoint, Identifier
from tuneway.routing.routes import Route, Target
from tuneway.routing.targets import Defaults

MODELS = "/v1/registry/models"


class FakeSettling:
    """What routes know of targets: every endpoint speaks OpenAI's words."""

    defaults = Defaults(project="own", location="us-central1")

    def settled(self, target: Target, identifier: Identifier | None, *, owner: str) -> tuple[Target, list[str]]:
        assert owner
        speaks = isinstance(identifier, Endpoint)
        return (msgspec.structs.replace(target, dialect="openai") if speaks else target), []


class Door:
    """The door over a registry in which acme has tuned two models."""

    def __init__(self, folder: Path) -> None:
        self.world = Modelled(folder)
        self.jobs = [self.world.tune() for _ in range(2)]
        documents = self.world.documents
        self.book = RouteBook(documents, now=lambda: 0.0)
        built = model_registry.built(
            documents, self.world.loop.events, desk=FakeSettling(), book=self.book, now=lambda: self.world.loop.clock
        )
        self.asking = Asking([*model_reading.rules(Inventory(documents)), *built])

    def ask(
        self, method: str, path: str = "", body: object = None, *, key: str = "tune", tag: str | None = None
    ) -> Asked:
        sent = {"if-match": tag} if tag else None
        return self.asking(method, MODELS + path, key=key, body=body, sent=sent)

    def register(self, job: int = 0, **fields: object) -> Asked:
        return self.ask("POST", body={"name": BOT, "job": self.jobs[job].id, **fields})


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_job_is_registered_and_answers_by_name(door: Door) -> None:
    made = door.register(labels={"team": "shop"})
    assert (made.status, made.headers["etag"]) == (200, '"1"')
    body = made.json
    assert (body["object"], body["id"], body["revision"]) == ("registry.model", BOT, 1)
    assert (body["aliases"], body["names"]) == ({"default": "1"}, {"default": f"{BOT}@default"})
    assert (body["name_of_default"], body["version"]["job"]) == (BOT, door.jobs[0].id)
    assert body["version"]["aliases"] == ["default"]


def test_the_next_version_may_be_put_under_its_model(door: Door) -> None:
    door.register()
    added = door.ask("POST", f"/{BOT}/versions", {"job": door.jobs[1].id}).json
    assert added["version"]["number"] == "2"
    assert [each["number"] for each in door.ask("GET", f"/{BOT}/versions").json["data"]] == ["1", "2"]
    assert door.ask("POST", f"/{BOT}/versions", {"job": door.jobs[1].id, "name": "other"}).status == 400


def test_a_job_without_a_name_shows_what_registered_itself(door: Door) -> None:
    body = door.ask("POST", body={"job": door.jobs[1].id}).json
    assert (body["id"], body["version"]["number"]) == ("102", "1")
    assert door.ask("POST", body={"job": door.jobs[1].id, "labels": {"a": "b"}}).error["param"] == "name"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": BOT}, "job"),
        ({"name": BOT, "job": "ftjob-1", "endpoint": "azure/gpt-5"}, "endpoint"),
        ({"name": BOT, "job": "ftjob-nosuch"}, "job"),
        ({"name": "Not A Name", "endpoint": "openai/gpt-5"}, "name"),
        ({"endpoint": "openai/gpt-5"}, "name"),
        ({"name": BOT, "endpoint": "nosuch-route"}, "endpoint"),
        ({"name": BOT, "endpoint": "nobody/x"}, "endpoint"),
        ({"name": BOT, "endpoint": "azure/gpt-5"}, "endpoint"),
        ({"name": BOT, "endpoint": "openai/gpt-5", "labels": {"A": "b"}}, "labels"),
        ({"name": BOT, "jobs": "x"}, "jobs"),
        ({"name": BOT, "labels": {"a": 1}, "job": "x"}, "labels[...]"),
    ],
)
def test_what_cannot_be_registered_is_refused_by_its_field(door: Door, body: object, param: str) -> None:
    answer = door.ask("POST", body=body, key="admin")
    assert (answer.status, answer.error["param"]) == (400, param)
    assert door.ask("GET", f"/{BOT}").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": BOT, "endpoint": "openai/gpt-5"},
        {"name": BOT, "vertex": "projects/p/locations/us-central1/models/9"},
        {"name": BOT, "job": "x", "owner": "rival"},
        {"name": BOT, "job": "x", "shared": True},
    ],
)
def test_only_admins_register_what_is_not_their_jobs(door: Door, body: object) -> None:
    assert door.ask("POST", body=body).status == 403


@pytest.mark.parametrize(
    ("identifier", "place"),
    [
        ("openai/gpt-5", ("openai", "gpt-5")),
        ("vertex_ai/gemini-3.5-flash", ("vertex", "")),
        ("vertex_ai/endpoints/4567", ("vertex", "")),
        ("my-route", ("azure", "gpt-5")),
    ],
)
def test_any_name_of_a_model_is_registered_by_an_admin(door: Door, identifier: str, place: tuple[str, str]) -> None:
    target = Target(provider="azure", dialect="openai", model="gpt-5", base_url="https://a.test/v1", secret="env:KEY")
    door.book.put(Route(alias="my-route", targets=(target,), created_at=0.0))
    body = {"name": "writer", "endpoint": identifier, "owner": "acme", "shared": True}
    made = door.ask("POST", body=body, key="admin@ops")
    assert (made.status, made.json["owner"], made.json["shared"]) == (200, "acme", True)
    (led,) = door.world.routes()["writer"].targets
    assert (led.provider, led.model) == place


def test_a_model_of_an_owner_whom_no_key_could_have_is_refused(door: Door) -> None:
    body = {"name": "outside", "endpoint": "openai/gpt-5", "owner": "x" * 129}
    refused = door.ask("POST", "", body, key="admin@ops")
    assert (refused.status, refused.error["param"]) == (400, "owner")


def test_models_come_in_pages(door: Door) -> None:
    door.register()
    first = door.ask("GET", "?limit=2").json
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (["101", "102"], True)
    second = door.ask("GET", f"?limit=2&after={first['last_id']}").json
    assert ([each["id"] for each in second["data"]], second["has_more"]) == ([BOT], False)
    assert door.ask("GET", "?limit=2&after=nosuch").status == 404
    assert door.ask("GET", "?after=101", key="tune@rival").status == 404
    assert door.ask("GET", "", key="tune@rival").json["data"] == []
    assert door.ask("GET", "?limit=0").error["param"] == "limit"


def test_models_are_found_by_label_and_archived_ones_on_demand(door: Door) -> None:
    door.register(labels={"team": "shop", "stage": "live"})
    found = door.ask("GET", "?label=team:shop,stage:live").json["data"]
    assert [each["id"] for each in found] == [BOT]
    assert door.ask("GET", "?label=team:other").json["data"] == []
    assert door.ask("GET", "?label=team").error["param"] == "label"
    assert door.ask("POST", f"/{BOT}/archive").json["state"] == "archived"
    assert BOT not in [each["id"] for each in door.ask("GET").json["data"]]
    assert BOT in [each["id"] for each in door.ask("GET", "?archived=true").json["data"]]
    assert door.ask("GET", "?archived=perhaps").error["param"] == "archived"
    assert door.ask("POST", f"/{BOT}/restore").json["state"] == "ready"


@pytest.mark.parametrize("way", ["header", "weak", "body", "query"])
def test_a_stale_edit_is_a_409_with_the_version_that_is_there(door: Door, way: str) -> None:
    door.register()

    def edit(text: str) -> Asked:
        body = {"description": text, **({"revision": 1} if way == "body" else {})}
        tag = {"header": '"1"', "weak": 'W/"1"'}.get(way)
        return door.ask("PATCH", f"/{BOT}" + ("?version=1" if way == "query" else ""), body, tag=tag)

    first, second = edit("first"), edit("second")
    assert (first.status, first.headers["etag"]) == (200, '"2"')
    assert (second.status, second.headers["etag"], second.error["code"]) == (409, '"2"', "stale_version")
    assert "at version 2" in second.error["message"]
    assert door.ask("GET", f"/{BOT}").json["description"] == "first"


def test_an_if_match_that_is_no_version_is_refused(door: Door) -> None:
    door.register()
    assert door.ask("PATCH", f"/{BOT}", {"description": "x"}, tag='"abc"').error["param"] == "If-Match"
    assert door.ask("PATCH", f"/{BOT}", {"description": "x", "revision": 2}, tag='"1"').error["param"] == "version"
    assert door.ask("PATCH", f"/{BOT}", {"description": "x"}, tag="*").status == 200


def test_a_version_is_edited_by_number_or_alias(door: Door) -> None:
    door.register()
    edited = door.ask("PATCH", f"/{BOT}/versions/default", {"labels": {"best": "yes"}}, tag='"1"')
    assert (edited.json["number"], edited.json["labels"], edited.headers["etag"]) == ("1", {"best": "yes"}, '"2"')
    assert door.ask("GET", f"/{BOT}/versions/default").json["labels"] == {"best": "yes"}
    assert door.ask("PATCH", f"/{BOT}/versions/9", {"labels": {}}).status == 404


def test_an_alias_is_moved_and_its_history_kept(door: Door) -> None:
    door.register()
    door.register(1)
    first = door.ask("PUT", f"/{BOT}/aliases/prod", {"version": "1", "was": None})
    assert (first.status, first.json["data"][1]["name"]) == (200, f"{BOT}@prod")
    stale = door.ask("PUT", f"/{BOT}/aliases/prod", {"version": "2", "was": "2"})
    assert (stale.status, stale.error["param"]) == (409, "was")
    door.ask("PUT", f"/{BOT}/aliases/prod", {"version": "2", "was": "1"})
    moves = door.ask("GET", f"/{BOT}/aliases").json["moves"]
    assert [(move["before"], move["after"], move["by"]) for move in moves[:2]] == [
        ("1", "2", "acme"),
        (None, "1", "acme"),
    ]
    gone = door.ask("DELETE", f"/{BOT}/aliases/prod").json
    assert [row["alias"] for row in gone["data"]] == ["default"]
    assert door.ask("PUT", f"/{BOT}/aliases/cp-1", {"version": "1"}).error["param"] == "alias"
    assert door.ask("PUT", f"/{BOT}/aliases/prod", {}).error["param"] == "version"


def test_versions_are_compared(door: Door) -> None:
    door.register()
    found = door.ask("GET", f":compare?versions={BOT}@default,102").json
    assert found["versions"] == [f"{BOT}@1", "102@1"]
    rows = {row["name"]: row for row in found["rows"]}
    assert (rows["base_model"]["differs"], rows["job"]["differs"]) == (False, True)
    assert door.ask("GET", ":compare").error["param"] == "versions"
    assert door.ask("GET", ":compare?versions=101,102", key="tune@rival").status == 404


def test_lineage_is_one_document(door: Door) -> None:
    door.register()
    found = door.ask("GET", f"/{BOT}/versions/default/lineage").json
    assert (found["object"], found["version"]["copy_of"]) == ("registry.lineage", "101@1")
    assert found["dataset_sha256"] == found["lint"]["sha256"] == found["job"]["dataset"]["sha256"]
    own = door.ask("GET", "/101/versions/1/lineage").json
    assert ("order" in own["deployments"][0], own["deployments"][0]["status"]) == (False, "ready")
    assert door.ask("GET", f"/{BOT}/versions/1/lineage", key="tune@rival").status == 404


def test_what_is_used_is_named_and_not_deleted(door: Door) -> None:
    door.register()
    door.register(1)
    door.ask("PUT", f"/{BOT}/aliases/prod", {"version": "2"})
    uses = {use["name"] for use in door.ask("GET", f"/{BOT}/uses").json["data"]}
    assert uses == {BOT, f"{BOT}@default", f"{BOT}@prod"}
    assert [use["name"] for use in door.ask("GET", f"/{BOT}/versions/2/uses").json["data"]] == [f"{BOT}@prod"]
    refused = door.ask("DELETE", f"/{BOT}")
    assert (refused.status, refused.error["code"]) == (409, "model_in_use")
    assert door.ask("DELETE", f"/{BOT}/versions/2").status == 409
    assert door.ask("DELETE", f"/{BOT}/versions/2?force=true").json["deleted"] is True
    assert door.ask("DELETE", f"/{BOT}?force=perhaps").error["param"] == "force"
    assert door.ask("DELETE", f"/{BOT}?force=true").json == {
        "object": "registry.model",
        "id": BOT,
        "deleted": True,
    }
    assert door.ask("GET", f"/{BOT}").status == 404


def test_nobody_touches_anothers_models(door: Door) -> None:
    door.register()
    for method, path, body in (
        ("GET", f"/{BOT}", None),
        ("GET", f"/{BOT}/aliases", None),
        ("GET", f"/{BOT}/uses", None),
        ("PATCH", f"/{BOT}", {"description": "x"}),
        ("PATCH", f"/{BOT}/versions/1", {"description": "x"}),
        ("PUT", f"/{BOT}/aliases/prod", {"version": "1"}),
        ("DELETE", f"/{BOT}/aliases/prod", None),
        ("POST", f"/{BOT}/archive", None),
        ("POST", f"/{BOT}/versions/1/archive", None),
        ("DELETE", f"/{BOT}/versions/1", None),
        ("DELETE", f"/{BOT}", None),
    ):
        assert door.ask(method, path, body, key="tune@rival").status == 404
        assert door.ask(method, path, body, key="predict").status == 403
    assert door.ask("GET", f"/{BOT}", key="admin@ops").json["owner"] == "acme"
