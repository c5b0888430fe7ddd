"""A route to an endpoint of tuneway's own making knows which model was tuned there."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.edge.registry.test_rules import Registry
from tuneway.prediction.profiles import profile_of
from tuneway.registry.hosting.deployments import Deployments
from tuneway.registry.shelves import Deployment, Model, Version
from tuneway.routing.routes import Target
from tuneway.routing.snapshot import current
from tuneway.state import Collection


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_an_endpoints_number_gets_the_profile_of_its_base(registry: Registry) -> None:
    documents = registry.loop.documents
    [made] = [each.value for each in Collection(documents, "deployments", Deployment).find()]
    registry.speaks[made.id] = Target(dialect="gemini")
    answer = registry.ask("PUT", "/routes/shop", body={"identifier": f"vertex_ai/{made.endpoint}"})
    assert answer.status == 200
    [target] = current(documents).routes["shop"].targets
    theirs = next(route.targets[0] for name, route in current(documents).routes.items() if name != "shop")
    assert target.model == theirs.model
    assert target.model.startswith("gemini-")
    assert profile_of(target) == profile_of(theirs)


def test_the_models_base_stands_in_for_a_version_without_one(registry: Registry) -> None:
    documents = registry.loop.documents
    known = Deployments(documents, now=lambda: 0.0)
    [made] = [each.value for each in Collection(documents, "deployments", Deployment).find()]
    versions = Collection(documents, f"models/{made.model}/versions", Version)
    stored = versions.get(made.version)
    documents.commit(versions.replace(stored, msgspec.structs.replace(stored.value, base_model="")))
    base = Collection(documents, "models", Model).get(made.model).value.base_model
    assert known.named(Target(resource=made.endpoint), made).model == base


@pytest.mark.parametrize("model", ["", "gone"])
def test_what_nobody_tuned_here_has_no_base(registry: Registry, model: str) -> None:
    known = Deployments(registry.loop.documents, now=lambda: 0.0)
    made = Deployment(id="1", owner="acme", endpoint="e", dialect="gemini", created_at=0.0, model=model, version="1")
    assert known.named(Target(resource="e"), made) == Target(resource="e")
    box = Target(resource="e", dialect="openai")
    assert known.named(box, made) == box
