"""Find a model's version by number, alias or default, and show it."""

from tuneway.local.vertex.call import Cloud
from tuneway.local.vertex.records import ModelRecord, VersionRecord
from tuneway.local.vertex.refusals import not_found


def model_named(cloud: Cloud, name: str) -> ModelRecord:
    """The model behind a name with or without ``@``. Raises Refusal (404)."""
    record = cloud.store.get(ModelRecord, name.partition("@")[0])
    if record is None:
        raise not_found(name)
    return record


def version_named(cloud: Cloud, name: str) -> VersionRecord:
    """``…/models/{id}``, ``…@{number}`` or ``…@{alias}``. Raises Refusal (404)."""
    model = model_named(cloud, name)
    wanted = name.partition("@")[2] or model.default
    for version in versions_of(cloud, model.name):
        if wanted == version.version or wanted in version.aliases:
            return version
    raise not_found(name)


def versions_of(cloud: Cloud, model: str) -> list[VersionRecord]:
    """The versions of a model, the newest first."""
    return [version for _, version in cloud.store.newest_first(VersionRecord, model)]


def version_body(model: ModelRecord, version: VersionRecord, *, pinned: bool) -> dict[str, object]:
    """The Model JSON of one version; ``pinned`` puts the version into the name."""
    return {
        **model.body,
        **version.body,
        "name": version.name if pinned else version.model,
        "versionId": version.version,
        "versionAliases": list(version.aliases),
    }
