"""Copies of models: a model of its own, or one more version of another."""

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.instants import rfc3339
from tuneway.local.vertex.models import model_for
from tuneway.local.vertex.narrow import text
from tuneway.local.vertex.operations import begin
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.records import VersionRecord
from tuneway.local.vertex.versions import model_named, version_named


def copy(cloud: Cloud, call: Call) -> Reply:
    """Copy a version, the default one for a bare name: to ``modelId``, or into ``parentModel``."""
    body = canonical("CopyModelRequest", call.json())
    now = rfc3339(cloud.now())
    with cloud.store.transaction():
        source = version_named(cloud, text(body.get("sourceModel")))
        words = model_named(cloud, source.model).body
        model = model_for(cloud, call, {**body, "model": words}, now=now)
        version = VersionRecord(
            name=f"{model.name}@{model.last}",
            version=str(model.last),
            aliases=("default",) if model.last == 1 else (),
            sources=source.sources,
            base_model=source.base_model,
            body={**source.body, "versionCreateTime": now, "versionUpdateTime": now},
        )
        cloud.store.put(version.name, version)
        response: dict[str, object] = {"model": model.name, "modelVersionId": version.version}
        return begin(cloud, call, model.name, verb="CopyModel", response=response)


RULES = (Rule("POST", "projects/{project}/locations/{location}/models:copy", copy),)
