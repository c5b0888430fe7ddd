"""``VertexModels`` against the simulated registry, which Google's own client changes as a console would."""

from typing import Any

import pytest
from google.cloud import aiplatform_v1

from tests.integration.vertex.conftest import PARENT, Simulated, connected
from tuneway.adapters.vertex_models import VertexModels
from tuneway.errors import BadInput, TryLater

UPLOADED_AFTER = 120.0


@pytest.fixture
def console(vertex: Simulated) -> Any:
    return connected(aiplatform_v1.ModelServiceClient, vertex.url)


@pytest.fixture
def listings(vertex: Simulated) -> VertexModels:
    return VertexModels(project="local-project", timeout=60, vertex_url=vertex.url)


def upload(console: Any, vertex: Simulated, *, parent_model: str = "") -> str:
    container = aiplatform_v1.ModelContainerSpec(image_uri="example/serve:1", predict_route="/predict")
    model = aiplatform_v1.Model(display_name="mine", container_spec=container, labels={"team": "maths"})
    request = aiplatform_v1.UploadModelRequest(parent=PARENT, model=model, parent_model=parent_model)
    operation = console.upload_model(request=request)
    vertex.later(UPLOADED_AFTER)
    return str(operation.result(timeout=120).model)


def test_versions_are_listed_with_aliases_and_labels(console: Any, vertex: Simulated, listings: VertexModels) -> None:
    name = upload(console, vertex)
    upload(console, vertex, parent_model=name)
    console.merge_version_aliases(name=f"{name}@2", version_aliases=["golden"])
    one, two = listings.versions(name) or ()
    assert [(each.number, each.aliases) for each in (one, two)] == [("1", ("default",)), ("2", ("golden",))]
    assert (one.labels, one.tuned, two.created_at > 1_790_000_000) == ({"team": "maths"}, False, True)
    assert listings.endpoint(name, "1") is None


def test_what_is_changed_here_is_seen_there(console: Any, vertex: Simulated, listings: VertexModels) -> None:
    name = upload(console, vertex)
    upload(console, vertex, parent_model=name)
    listings.point(name, "2", added=("prod", "canary"))
    listings.point(name, "1", added=("prod",))
    listings.point(name, "2", removed=("canary",))
    listings.label(name, "2", {"stage": "live"})
    aliases = {each.version_id: sorted(each.version_aliases) for each in console.list_model_versions(name=name)}
    assert aliases == {"1": ["default", "prod"], "2": []}
    assert dict(console.get_model(name=f"{name}@2").labels) == {"stage": "live"}
    assert dict(console.get_model(name=f"{name}@1").labels) == {"team": "maths"}


def test_every_page_is_read(
    console: Any, vertex: Simulated, listings: VertexModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = upload(console, vertex)
    for _ in range(4):
        upload(console, vertex, parent_model=name)
    monkeypatch.setattr("tuneway.adapters.vertex_models.PAGE", "2")
    assert [each.number for each in listings.versions(name) or ()] == ["1", "2", "3", "4", "5"]


def test_what_is_not_there_is_none_and_what_is_no_name_is_refused(listings: VertexModels) -> None:
    assert listings.versions(f"{PARENT}/models/404") is None
    assert listings.endpoint(f"{PARENT}/models/404", "1") is None
    with pytest.raises(BadInput):
        listings.versions("models/7")


def test_a_registry_that_is_away_is_told(vertex: Simulated, listings: VertexModels) -> None:
    vertex.fault(fault="status", path="listVersions")
    with pytest.raises(TryLater):
        listings.versions(f"{PARENT}/models/404")
