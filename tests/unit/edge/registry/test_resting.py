"""``/v1/registry/deployments``: put to sleep, woken, and what that saves."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.edge.asking import Asking
from tests.unit.registry.naps import NapWorld
from tests.unit.registry.rollouts import MAIN
from tuneway.edge.deployment_events import deployment_event
from tuneway.edge.registry.deployments import ROOT, rules
from tuneway.registry.rest import News
from tuneway.registry.shelves import DeploymentStatus as Status

ONE = f"{ROOT}/{MAIN}"
OFFICE = {"days": ["mon", "fri"], "from": "08:00", "to": "18:00", "timezone": "Europe/Berlin"}


class Registry:
    def __init__(self, folder: Path) -> None:
        self.world = NapWorld(folder)
        self.world.begin()
        self.ask = Asking(rules(self.world.desk, self.world.inventory))

    @property
    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", ONE).json
        return found


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_one_that_never_slept_says_nothing_of_sleep(registry: Registry) -> None:
    assert registry.shown["rest"] is None
    assert not {"sleep", "last_used", "nap", "told", "rests"} & set(registry.shown)


def test_sleep_and_wake_answer_the_deployment_as_it_is(registry: Registry) -> None:
    assert registry.ask("POST", f"{ONE}/sleep").json["status"] == "draining"
    registry.world.until(Status.ASLEEP)
    registry.world.clock += 3600
    shown = registry.shown
    assert (shown["status"], shown["sleep"]["saved_usd"], shown["sleep"]["seconds"]) == ("asleep", 1.0, 3600.0)
    assert shown["sleep"]["since"] == registry.world.clock - 3600
    assert shown == registry.ask("GET", ROOT).json["data"][0]
    assert registry.ask("POST", f"{ONE}/wake").json["status"] == "waking"
    assert registry.shown["sleep"]["since"] is None


def test_when_it_sleeps_is_said_and_taken_back(registry: Registry) -> None:
    rest = {"idle_minutes": 30, "windows": [OFFICE], "strict": False}
    assert registry.ask("PATCH", ONE, body={"rest": rest}).json["rest"] == rest
    assert registry.ask("PATCH", ONE, body={"rest": None}).json["rest"] is None


def test_what_is_left_out_of_a_rest_has_its_usual_value(registry: Registry) -> None:
    assert registry.ask("PATCH", ONE, body={"rest": {}}).json["rest"] == {
        "idle_minutes": 15,
        "windows": [],
        "strict": False,
    }


@pytest.mark.parametrize(
    ("rest", "param"),
    [
        ({"idle_minutes": 0}, "idle_minutes"),
        ({"idle_minutes": 10_081}, "idle_minutes"),
        ({"idle": 5}, "idle"),
        ({"windows": [{**OFFICE, "days": ["monday"]}]}, "days"),
        ({"windows": [{**OFFICE, "timezone": "CET+1"}]}, "rest.windows[0].timezone"),
        ({"windows": [OFFICE, OFFICE]}, "rest.windows[1]"),
        ({"strict": True}, "rest.strict"),
    ],
)
def test_a_rest_that_cannot_be_kept_is_refused(registry: Registry, rest: dict[str, Any], param: str) -> None:
    answer = registry.ask("PATCH", ONE, body={"rest": rest})
    assert answer.status == 400
    assert param in str(answer.json["error"])


@pytest.mark.parametrize("body", [{}, {"rest": None, "traffic": {MAIN: 100}}])
def test_a_change_is_of_one_thing(registry: Registry, body: dict[str, Any]) -> None:
    answer = registry.ask("PATCH", ONE, body=body)
    assert (answer.status, answer.json["error"]["param"]) == (400, "rest")


@pytest.mark.parametrize("deed", ["sleep", "wake"])
def test_another_tenant_finds_nothing(registry: Registry, deed: str) -> None:
    assert registry.ask("POST", f"{ONE}/{deed}", key="tune@other").status == 404
    assert registry.ask("POST", f"{ONE}/{deed}", key="predict").status == 403


def test_a_new_one_may_have_a_rest(registry: Registry) -> None:
    body = {"model": "ft-1", "checkpoint": "1", "rest": {"idle_minutes": 5}}
    assert registry.ask("POST", ROOT, body=body).json["rest"]["idle_minutes"] == 5


def test_an_event_tells_the_sum_and_is_the_same_when_told_again(registry: Registry) -> None:
    news = News(at=1_795_000_000.5, what="woken", seconds=3600.0, saved_usd=1.0)
    told = deployment_event(registry.world.deployment(), news)
    assert told == deployment_event(registry.world.deployment(), news)
    assert told.attributes["ce-type"] == "tuneway.deployment.woken"
    assert told.attributes["deployment"] == MAIN
    assert b'"saved_usd":1.0' in told.data


def test_a_rest_is_changed_only_from_what_was_read(registry: Registry) -> None:
    read = {"if-match": registry.ask("GET", ONE).headers["etag"]}
    assert registry.ask("PATCH", ONE, body={"rest": {"idle_minutes": 30}}, sent=read).status == 200
    late = registry.ask("PATCH", ONE, body={"rest": None}, sent=read)
    assert (late.status, late.error["code"], registry.shown["rest"]["idle_minutes"]) == (409, "stale_version", 30)
