"""``tuneway deployments`` and the registered models, against a door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.served import Run, served
from tests.unit.registry.rollouts import ALIAS, MAIN, World
from tests.unit.registry.shared_endpoints import GUEST, THIRD, Shared
from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.registry.deployments import rules
from tuneway.registry.hosting.orders import Wish


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, usd_per_hour=6.0)
    made.finish()
    made.settle()
    return made


@pytest.fixture
def run(world: World) -> Iterator[Run]:
    def models(_: Call) -> Body:
        return {"object": "list", "data": world.inventory.models(owner=None)}

    def model(call: Call) -> Body:
        return world.inventory.model(call.path["model"], owner=None)

    def versions(call: Call) -> Body:
        return {"object": "list", "data": world.inventory.versions(call.path["model"], owner=None)}

    root = "/v1/registry/models"
    registered = [
        Rule("GET", root, Scope.TUNE, models),
        Rule("GET", f"{root}/{{model}}", Scope.TUNE, model),
        Rule("GET", f"{root}/{{model}}/versions", Scope.TUNE, versions),
    ]
    with served([*rules(world.desk, world.inventory), *registered]) as command:
        yield command


def said(run: Run, *words: str) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_deployed_is_a_table_with_its_cost(run: Run) -> None:
    head, line = said(run, "deployments", "list").splitlines()
    assert head.split()[:3] == ["DEPLOYMENT", "STATUS", "MODEL"]
    assert line.split()[:4] == [MAIN, "ready", "ft-1@1", ALIAS]
    assert "1 x g2-standard-12" in line
    assert "1 (unverified)" in line


def test_a_checkpoint_that_costs_something_is_never_folded_away(run: Run) -> None:
    said(run, "deployments", "create", "ft-1", "--checkpoint", "1")
    assert len(said(run, "deployments", "list").splitlines()) == 3


def test_checkpoints_at_no_cost_are_folded_into_the_last_of_their_version() -> None:
    points = [{"id": f"e{n}", "status": "ready", "model": "9", "version": "1", "checkpoint": str(n)} for n in (9, 10)]
    rows: list[object] = [*points, {"id": "own", "status": "ready", "model": "8", "version": "1"}]
    listed = [Rule("GET", "/v1/registry/deployments", Scope.TUNE, lambda _: {"object": "list", "data": rows})]
    with served(listed) as command:
        _, *lines, folded = said(command, "deployments", "list").splitlines()
        assert [line.split()[0] for line in lines] == ["e10", "own"]
        assert "1 more" in folded
        every = said(command, "deployments", "list", "--all").splitlines()
    assert [line.split()[0] for line in every[1:]] == ["e9", "e10", "own"]


def test_json_is_for_programs(run: Run) -> None:
    (row,) = json.loads(said(run, "deployments", "list", "--json"))
    assert row == json.loads(said(run, "deployments", "show", MAIN))


def test_one_is_created_and_deleted(run: Run) -> None:
    made = json.loads(said(run, "deployments", "create", "ft-1", "--checkpoint", "1", "--replicas", "2"))
    assert (made["status"], made["machine"]["replicas"]) == ("requested", 2)
    assert "undeploying" in said(run, "deployments", "delete", made["id"])


def test_one_in_use_is_refused_in_plain_words(run: Run) -> None:
    done = run("deployments", "delete", MAIN)
    assert done.exit_code == 1
    assert ALIAS in done.output
    assert "undeploying" in said(run, "deployments", "delete", MAIN, "--force")


def test_registered_models_are_listed_and_shown(run: Run) -> None:
    head, line = said(run, "models", "registered").splitlines()
    assert head.split() == ["MODEL", "BASE", "ALIAS"]
    assert (line.split()[0], line.split()[-1]) == ("ft-1", ALIAS)
    assert json.loads(said(run, "models", "registered", "--json"))[0]["id"] == "ft-1"
    shown = json.loads(said(run, "models", "show", "ft-1"))
    assert [point["id"] for point in shown["versions"][0]["checkpoints"]] == ["1", "2"]


def test_one_that_failed_says_why(run: Run, world: World) -> None:
    world.provider.fails = {"deployed"}
    world.desk.create("ft-1", "1", Wish(name="another"), owner="acme")
    world.settle()
    assert "No quota for L4." in " ".join(said(run, "deployments", "list").split())


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Run]:
    """A registry with two versions behind one endpoint."""
    world = Shared(tmp_path)
    world.shared(v2=20)
    with served(rules(world.desk, world.inventory)) as command:
        yield command


def test_the_table_shows_who_shares_an_endpoint_and_how(sharing: Run) -> None:
    head, first, second = said(sharing, "deployments", "list").splitlines()
    assert "TRAFFIC" in head.split()
    assert f"80 % of {MAIN}" in first
    assert f"20 % of {MAIN}" in second


def test_one_alone_shows_no_share(run: Run) -> None:
    assert "% of" not in said(run, "deployments", "list")


def test_one_is_put_beside_another(sharing: Run) -> None:
    made = said(sharing, "deployments", "create", "ft-1", "--version", "3", "--endpoint", MAIN, "--traffic", "10")
    assert json.loads(made)["id"] == THIRD


def test_the_traffic_is_shared_by_a_command(sharing: Run) -> None:
    assert (
        said(sharing, "deployments", "traffic", f"{GUEST}=65", f"{MAIN}=35") == f"Shared: {MAIN} 35 %, {GUEST} 65 %.\n"
    )


@pytest.mark.parametrize("words", [[MAIN], [f"{MAIN}=x"], ["=5"], [f"{MAIN}=1", f"{MAIN}=99"], [], [f"{MAIN}=-1"]])
def test_what_is_no_share_is_said_before_anything_is_asked(sharing: Run, words: list[str]) -> None:
    assert sharing("deployments", "traffic", *words).exit_code == 2


def test_shares_that_make_no_hundred_are_refused(sharing: Run) -> None:
    done = sharing("deployments", "traffic", f"{MAIN}=80", f"{GUEST}=10")
    assert done.exit_code != 0
    assert "the shares make 90" in done.output
