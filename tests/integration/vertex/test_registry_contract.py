"""The simulation's models, versions, aliases, endpoints, splits and operations, asked for by Google's own clients."""

from types import ModuleType
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.api_core.operation import Operation

from tests.integration.vertex.conftest import PARENT, VERSIONS, Simulated, connected

LATER = 120.0


def result(vertex: Simulated, operation: Operation) -> Any:
    vertex.later(LATER)
    return operation.result(timeout=120)


def uploaded(google: ModuleType, models: Any, vertex: Simulated, **request: Any) -> Any:
    container = google.ModelContainerSpec(image_uri="example/serve:1", predict_route="/predict")
    fields = request.pop("fields", {})
    model = google.Model(**{"display_name": "mine", "container_spec": container, **fields})
    return result(vertex, models.upload_model({"parent": PARENT, "model": model, **request}))


def created(google: ModuleType, endpoints: Any, vertex: Simulated, id_: str = "", **fields: Any) -> str:
    wanted = google.Endpoint(**{"display_name": "here", **fields})
    request = {"parent": PARENT, "endpoint": wanted, "endpoint_id": id_}
    return str(result(vertex, endpoints.create_endpoint(request)).name)


def deployed(google: ModuleType, endpoints: Any, place: str, model: str, **fields: Any) -> Operation:
    machine = google.MachineSpec(machine_type="n1-standard-2")
    resources = google.DedicatedResources(machine_spec=machine, min_replica_count=1, max_replica_count=1)
    wanted = google.DeployedModel(model=model, id=fields.pop("id", ""), dedicated_resources=resources)
    operation: Operation = endpoints.deploy_model({"endpoint": place, "deployed_model": wanted, **fields})
    return operation


@pytest.fixture
def shared(google: ModuleType, models: Any, endpoints: Any, vertex: Simulated) -> str:
    """An endpoint of two models, of which the first has all the traffic."""
    place = created(google, endpoints, vertex, "shared")
    for number in ("1", "2"):
        model = uploaded(google, models, vertex, model_id=f"model-{number}").model
        split = {"traffic_split": {"0": 100}} if number == "1" else {}
        result(vertex, deployed(google, endpoints, place, model, id=number, **split))
    return place


def split_of(endpoints: Any, place: str) -> dict[str, int]:
    """Who has how much; Google leaves out those that have nothing, or says 0."""
    found = endpoints.get_endpoint(name=place).traffic_split
    return {id_: share for id_, share in found.items() if share}


def test_a_model_has_the_id_it_was_given_once(google: ModuleType, models: Any, vertex: Simulated) -> None:
    assert uploaded(google, models, vertex, model_id="mine").model == f"{PARENT}/models/mine"
    with pytest.raises(Conflict):
        uploaded(google, models, vertex, model_id="mine")
    for wrong in ("1mine", "-mine", "Mine", "m" * 64):
        with pytest.raises(BadRequest):
            uploaded(google, models, vertex, model_id=wrong)


def test_a_version_is_got_by_number_by_alias_and_as_the_default(
    google: ModuleType, models: Any, vertex: Simulated
) -> None:
    name = uploaded(google, models, vertex, fields={"version_aliases": ["golden"]}).model
    second = uploaded(google, models, vertex, parent_model=name)
    assert (second.model, second.model_version_id) == (name, "2")
    got = {suffix: models.get_model(name=name + suffix).version_id for suffix in ("", "@2", "@golden", "@default")}
    assert got == {"": "1", "@2": "2", "@golden": "1", "@default": "1"}
    with pytest.raises(NotFound):
        models.get_model(name=f"{name}@silver")


def test_aliases_are_merged_taken_away_and_exactly_one_is_the_default(
    google: ModuleType, models: Any, vertex: Simulated
) -> None:
    name = uploaded(google, models, vertex, fields={"version_aliases": ["golden"]}).model
    uploaded(google, models, vertex, parent_model=name)
    changed = models.merge_version_aliases(name=f"{name}@2", version_aliases=["golden", "newest"])
    assert sorted(changed.version_aliases) == ["golden", "newest"]
    assert list(models.get_model(name=f"{name}@1").version_aliases) == ["default"]
    changed = models.merge_version_aliases(name=f"{name}@2", version_aliases=["-golden", "default"])
    assert sorted(changed.version_aliases) == ["default", "newest"]
    assert models.get_model(name=name).version_id == "2"
    for wrong in (["-default"], ["x"], ["1st"], ["good", "-good"]):
        with pytest.raises(BadRequest):
            models.merge_version_aliases(name=f"{name}@2", version_aliases=wrong)


def test_models_are_listed_by_filter_and_order(google: ModuleType, models: Any, vertex: Simulated) -> None:
    for id_, team in (("b", "maths"), ("a", "sums"), ("c", "maths")):
        uploaded(google, models, vertex, model_id=f"m{id_}", fields={"display_name": id_, "labels": {"team": team}})

    def listed(**query: str) -> list[str]:
        return [each.display_name for each in models.list_models({"parent": PARENT, **query})]

    assert listed(filter='display_name="a"') == ["a"]
    assert sorted(listed(filter='display_name!="a"')) == ["b", "c"]
    assert sorted(listed(filter="labels.team=maths")) == ["b", "c"]
    assert len(listed(filter="labels.team:*")) == 3
    assert listed(filter="labels.none:*") == []


def test_models_are_listed_in_an_order(vertex: Simulated) -> None:
    google = VERSIONS["v1"]  # v1beta1 has no order for models
    models: Any = connected(google.ModelServiceClient, vertex.url)
    for id_ in "bac":
        uploaded(google, models, vertex, model_id=f"m{id_}", fields={"display_name": id_})

    def listed(order: str) -> list[str]:
        return [each.display_name for each in models.list_models({"parent": PARENT, "order_by": order})]

    assert listed("display_name") == ["a", "b", "c"]
    assert listed("display_name desc") == ["c", "b", "a"]
    assert listed("create_time") == ["b", "a", "c"]
    pages = models.list_models({"parent": PARENT, "page_size": 2, "order_by": "display_name"})
    assert [[each.display_name for each in page.models] for page in pages.pages] == [["a", "b"], ["c"]]
    with pytest.raises(BadRequest):
        listed("team")


def test_words_of_a_model_and_of_a_version_are_not_changed_together(
    google: ModuleType, models: Any, vertex: Simulated
) -> None:
    name = uploaded(google, models, vertex).model

    def changed(path: str, *mask: str) -> Any:
        words = google.Model(name=path, display_name="new", description="of the model", version_description="of it")
        return models.update_model(model=words, update_mask={"paths": list(mask)})

    assert changed(name, "display_name", "description").description == "of the model"
    assert changed(f"{name}@1", "version_description").version_description == "of it"
    with pytest.raises(BadRequest):
        changed(f"{name}@1", "version_description", "description")


def test_the_default_and_the_only_version_are_not_deleted(google: ModuleType, models: Any, vertex: Simulated) -> None:
    name = uploaded(google, models, vertex).model
    with pytest.raises(BadRequest):
        models.delete_model_version(name=f"{name}@1")
    uploaded(google, models, vertex, parent_model=name)
    result(vertex, models.delete_model_version(name=f"{name}@2"))
    assert [each.version_id for each in models.list_model_versions(name=name)] == ["1"]
    result(vertex, models.delete_model(name=name))
    with pytest.raises(NotFound):
        models.get_model(name=name)


def test_a_copy_is_a_model_or_a_version_of_its_own(google: ModuleType, models: Any, vertex: Simulated) -> None:
    name = uploaded(google, models, vertex, fields={"labels": {"team": "maths"}}).model
    copy = result(vertex, models.copy_model({"parent": PARENT, "source_model": name, "model_id": "copy"}))
    assert (copy.model, copy.model_version_id) == (f"{PARENT}/models/copy", "1")
    assert dict(models.get_model(name=copy.model).labels) == {"team": "maths"}
    beside = result(vertex, models.copy_model({"parent": PARENT, "source_model": copy.model, "parent_model": name}))
    assert (beside.model, beside.model_version_id) == (name, "2")
    with pytest.raises(NotFound):
        models.copy_model({"parent": PARENT, "source_model": f"{PARENT}/models/none"})


def test_an_endpoint_has_the_id_it_was_given_once(google: ModuleType, endpoints: Any, vertex: Simulated) -> None:
    assert created(google, endpoints, vertex, "mine") == f"{PARENT}/endpoints/mine"
    with pytest.raises(Conflict):
        created(google, endpoints, vertex, "mine")
    assert created(google, endpoints, vertex, "123456789").endswith("/123456789")
    for wrong in ("-mine", "Mine", "0123", "1234567890", "m" * 64):
        with pytest.raises(BadRequest):
            created(google, endpoints, vertex, wrong)


def test_endpoints_are_listed_and_changed(google: ModuleType, endpoints: Any, vertex: Simulated) -> None:
    one = created(google, endpoints, vertex, "one", display_name="b", labels={"team": "maths"})
    created(google, endpoints, vertex, "two", display_name="a")

    def listed(**query: str) -> list[str]:
        return [each.display_name for each in endpoints.list_endpoints({"parent": PARENT, **query})]

    assert listed(filter="labels.team=maths") == ["b"]
    assert listed(filter="endpoint=two") == ["a"]
    words = google.Endpoint(name=one, display_name="c", labels={"team": "sums"})
    changed = endpoints.update_endpoint(endpoint=words, update_mask={"paths": ["display_name", "labels"]})
    assert (changed.display_name, dict(changed.labels)) == ("c", {"team": "sums"})
    with pytest.raises(BadRequest):
        endpoints.update_endpoint(endpoint=words, update_mask={"paths": ["deployed_models"]})


def test_a_long_update_is_an_operation(google: ModuleType, endpoints: Any, vertex: Simulated) -> None:
    one = created(google, endpoints, vertex, "one")
    wanted = google.Endpoint(name=one, client_connection_config={"inference_timeout": {"seconds": 1200}})
    found = result(vertex, endpoints.update_endpoint_long_running({"endpoint": wanted}))
    assert found.client_connection_config.inference_timeout.total_seconds() == 1200


def test_a_model_that_joins_without_a_split_gets_no_traffic(endpoints: Any, shared: str) -> None:
    assert len(endpoints.get_endpoint(name=shared).deployed_models) == 2
    assert split_of(endpoints, shared) == {"1": 100}


def test_a_split_is_changed_at_once_and_shares_all(google: ModuleType, endpoints: Any, shared: str) -> None:
    def changed(split: dict[str, int]) -> None:
        wanted = google.Endpoint(name=shared, traffic_split=split)
        endpoints.update_endpoint(endpoint=wanted, update_mask={"paths": ["traffic_split"]})

    changed({"1": 70, "2": 30})
    assert split_of(endpoints, shared) == {"1": 70, "2": 30}
    for wrong in ({"1": 70}, {"1": 60, "2": 60}, {"1": 50, "9": 50}, {"1": 150, "2": -50}):
        with pytest.raises(BadRequest):
            changed(wrong)
    assert split_of(endpoints, shared) == {"1": 70, "2": 30}


def test_who_carries_traffic_is_undeployed_with_another_split_alone(
    endpoints: Any, shared: str, vertex: Simulated
) -> None:
    with pytest.raises(BadRequest):
        endpoints.undeploy_model(endpoint=shared, deployed_model_id="1")
    gone = endpoints.undeploy_model({"endpoint": shared, "deployed_model_id": "1", "traffic_split": {"2": 100}})
    result(vertex, gone)
    assert split_of(endpoints, shared) == {"2": 100}
    result(vertex, endpoints.undeploy_model(endpoint=shared, deployed_model_id="2"))
    assert not endpoints.get_endpoint(name=shared).deployed_models
    with pytest.raises(NotFound):
        endpoints.undeploy_model(endpoint=shared, deployed_model_id="2")


def test_an_id_is_deployed_once_and_is_digits(
    google: ModuleType, endpoints: Any, models: Any, shared: str, vertex: Simulated
) -> None:
    model = uploaded(google, models, vertex).model
    with pytest.raises(Conflict):
        deployed(google, endpoints, shared, model, id="1")
    for wrong in ("one", "12345678901"):
        with pytest.raises(BadRequest):
            deployed(google, endpoints, shared, model, id=wrong)
    with pytest.raises(NotFound):
        deployed(google, endpoints, shared, f"{PARENT}/models/none")


def test_replicas_are_changed_where_it_is_deployed(
    google: ModuleType, endpoints: Any, shared: str, vertex: Simulated
) -> None:
    resources = google.DedicatedResources(min_replica_count=2, max_replica_count=4)
    wanted = google.DeployedModel(id="2", dedicated_resources=resources)
    mask = {"paths": ["dedicated_resources.min_replica_count", "dedicated_resources.max_replica_count"]}
    result(vertex, endpoints.mutate_deployed_model(endpoint=shared, deployed_model=wanted, update_mask=mask))
    found = {each.id: each.dedicated_resources for each in endpoints.get_endpoint(name=shared).deployed_models}
    assert (found["2"].min_replica_count, found["2"].max_replica_count) == (2, 4)
    assert (found["2"].machine_spec.machine_type, found["1"].min_replica_count) == ("n1-standard-2", 1)
    with pytest.raises(BadRequest):
        endpoints.mutate_deployed_model(
            endpoint=shared, deployed_model=wanted, update_mask={"paths": ["dedicated_resources.machine_spec"]}
        )


def test_an_operation_is_got_listed_waited_for_and_cancelled(
    google: ModuleType, endpoints: Any, models: Any, shared: str, vertex: Simulated
) -> None:
    begun = deployed(google, endpoints, shared, uploaded(google, models, vertex).model).operation
    assert not endpoints.get_operation({"name": begun.name}).done
    assert begun.name in {each.name for each in endpoints.list_operations({"name": shared}).operations}
    endpoints.cancel_operation({"name": begun.name})
    vertex.later(LATER)
    assert endpoints.wait_operation({"name": begun.name}).done
    with pytest.raises(NotFound):
        endpoints.get_operation({"name": f"{shared}/operations/1"})
