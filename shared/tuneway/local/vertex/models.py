"""The model registry: upload, get, list, patch, delete; versions, their aliases and checkpoints."""

import re

import msgspec

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.listing import page, start
from tuneway.local.vertex.masks import fields_of, patched
from tuneway.local.vertex.narrow import items, mapping, text
from tuneway.local.vertex.operations import begin
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.records import EndpointRecord, ModelRecord, VersionRecord
from tuneway.local.vertex.refusals import Refusal, invalid
from tuneway.local.vertex.versions import model_named, version_body, version_named, versions_of
from tuneway.local.vertex.weights import maker

ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
OF_MODEL = ("displayName", "description", "createTime", "updateTime", "encryptionSpec")
SET_BY_SERVER = {"name", "versionId", "versionAliases", "deployedModels", "etag", *OF_MODEL}
OF_VERSION = ("versionDescription",)
CHANGEABLE = frozenset({"displayName", "description", "labels", "versionDescription", "defaultCheckpointId"})


def upload(cloud: Cloud, call: Call) -> Reply:
    """Register a model, or a version of ``parentModel``."""
    body = canonical("UploadModelRequest", call.json())
    given = mapping(body.get("model"))
    if not text(given.get("displayName")):
        raise invalid("model.display_name", "A display name is required.")
    now = rfc3339(cloud.now())
    with cloud.store.transaction():
        model = model_for(cloud, call, body, now=now)
        version = VersionRecord(
            name=f"{model.name}@{model.last}",
            version=str(model.last),
            aliases=_aliases_of_new(given, first=model.last == 1),
            sources=_learned_by(cloud, text(given.get("artifactUri"))),
            body={
                **{key: value for key, value in given.items() if key not in SET_BY_SERVER},
                "modelSourceInfo": {"sourceType": "CUSTOM"},
                "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
                "versionCreateTime": now,
                "versionUpdateTime": now,
            },
        )
        cloud.store.put(version.name, version)
        response: dict[str, object] = {"model": model.name, "modelVersionId": version.version}
        return begin(cloud, call, model.name, verb="UploadModel", response=response)


def _learned_by(cloud: Cloud, folder: str) -> tuple[str, ...]:
    """The job whose examples a model with these weights answers from."""
    job = maker(cloud.settings.objects, folder) if folder else None
    return (job,) if job else ()


def get(cloud: Cloud, call: Call) -> Reply:
    """One version: the default one for a bare name."""
    name = call.name("models")
    return Reply(_shown(cloud, name))


def list_(cloud: Cloud, call: Call) -> Reply:
    """The location's models, each by its default version."""
    rows = cloud.store.newest_first(ModelRecord, call.parent, before=start(call.query))
    return Reply(page(((seq, _shown(cloud, each.name)) for seq, each in rows), call.query, key="models"))


def list_versions(cloud: Cloud, call: Call) -> Reply:
    """All versions of a model, the newest first."""
    model = model_named(cloud, call.name("models"))
    rows = cloud.store.newest_first(VersionRecord, model.name, before=start(call.query))
    shown = ((seq, version_body(model, version, pinned=True)) for seq, version in rows)
    return Reply(page(shown, call.query, key="models"))


def list_checkpoints(cloud: Cloud, call: Call) -> Reply:
    """The checkpoints of a version."""
    version = version_named(cloud, call.name("models"))
    shown = items(version.body.get("checkpoints"))
    return Reply({"checkpoints": shown} if shown else {})


def patch(cloud: Cloud, call: Call) -> Reply:
    """Change a model's words, labels or default checkpoint."""
    change = canonical("Model", call.json(), path="model")
    fields = fields_of(call.query.get("updateMask", ""), allowed=CHANGEABLE)
    if set(fields) & set(OF_MODEL) and set(fields) & set(OF_VERSION):
        raise Refusal("FAILED_PRECONDITION", "Fields of a model and of a version cannot be updated together.")
    now = rfc3339(cloud.now())
    with cloud.store.transaction():
        version = version_named(cloud, call.name("models"))
        model = model_named(cloud, version.model)
        of_model = [field for field in fields if field in OF_MODEL]
        of_version = [field for field in fields if field not in OF_MODEL]
        body = {**patched(model.body, change, of_model), "updateTime": now}
        cloud.store.put(model.name, msgspec.structs.replace(model, body=body))
        own = {**patched(version.body, change, of_version), "versionUpdateTime": now}
        cloud.store.put(version.name, msgspec.structs.replace(version, body=own))
    return Reply(_shown(cloud, call.name("models")))


def merge_aliases(cloud: Cloud, call: Call) -> Reply:
    """Give aliases to a version (taking them from the others), or take them away (``-name``)."""
    body = canonical("MergeVersionAliasesRequest", call.json())
    wanted = [text(alias) for alias in items(body.get("versionAliases"))]
    added = [alias for alias in wanted if not alias.startswith("-")]
    removed = [alias[1:] for alias in wanted if alias.startswith("-")]
    for alias in (*added, *removed):
        if ALIAS.fullmatch(alias) is None:
            raise invalid("version_aliases", f"Invalid version alias: '{alias}'.")
    if "default" in removed or set(added) & set(removed):
        raise invalid("version_aliases", "Exactly one version is the default, and an alias is added or removed.")
    with cloud.store.transaction():
        version = version_named(cloud, call.name("models"))
        for each in versions_of(cloud, version.model):
            lost = {*removed, *added} if each.name == version.name else set(added)
            kept = [alias for alias in each.aliases if alias not in lost]
            aliases = (*kept, *added) if each.name == version.name else tuple(kept)
            cloud.store.put(each.name, msgspec.structs.replace(each, aliases=aliases))
        if "default" in added:
            model = model_named(cloud, version.model)
            cloud.store.put(model.name, msgspec.structs.replace(model, default=version.version))
    return Reply(_shown(cloud, call.name("models")))


def delete_version(cloud: Cloud, call: Call) -> Reply:
    """Remove one version that is neither the default one nor deployed."""
    with cloud.store.transaction():
        version = version_named(cloud, call.name("models"))
        if version.version == model_named(cloud, version.model).default:
            raise Refusal("FAILED_PRECONDITION", "The default version cannot be deleted; delete the model instead.")
        _check_idle(cloud, version.model, version.version)
        cloud.store.delete(VersionRecord, version.name)
        return begin(cloud, call, version.model, verb="Delete")


def delete(cloud: Cloud, call: Call) -> Reply:
    """Remove a model with all its versions."""
    with cloud.store.transaction():
        model = model_named(cloud, call.name("models"))
        _check_idle(cloud, model.name, None)
        for version in versions_of(cloud, model.name):
            cloud.store.delete(VersionRecord, version.name)
        cloud.store.delete(ModelRecord, model.name)
        return begin(cloud, call, model.name, verb="Delete")


def _shown(cloud: Cloud, name: str) -> dict[str, object]:
    version = version_named(cloud, name)
    body = version_body(model_named(cloud, name), version, pinned="@" in name)
    uses = [
        {"endpoint": endpoint.name, "deployedModelId": each.id}
        for endpoint in cloud.store.every(EndpointRecord)
        for each in endpoint.deployed
        if (each.model, each.version) == (version.model, version.version)
    ]
    return {**body, "deployedModels": uses} if uses else body


def model_for(cloud: Cloud, call: Call, body: dict[str, object], *, now: str) -> ModelRecord:
    """The model that a new version goes into: ``parentModel``, or a new one, called ``modelId`` if it is given."""
    given = mapping(body.get("model"))
    parent = text(body.get("parentModel"))
    if parent:
        found = model_named(cloud, parent)
        model = msgspec.structs.replace(found, last=found.last + 1)
    else:
        own = {key: given[key] for key in OF_MODEL if key in given}
        name = _new_name(cloud, call, text(body.get("modelId")))
        model = ModelRecord(name=name, default="1", last=1, body={**own, "createTime": now, "updateTime": now})
    cloud.store.put(model.name, model)
    return model


def _new_name(cloud: Cloud, call: Call, wanted: str) -> str:
    if wanted and MODEL_ID.fullmatch(wanted) is None:
        raise invalid("model_id", f"Invalid model id: '{wanted}'.")
    name = f"{call.parent}/models/{wanted or new_id()}"
    if cloud.store.get(ModelRecord, name) is not None:
        raise Refusal("ALREADY_EXISTS", f"Resource {name} already exists.")
    return name


def _aliases_of_new(given: dict[str, object], *, first: bool) -> tuple[str, ...]:
    named = [text(alias) for alias in items(given.get("versionAliases"))]
    wanted = [alias for alias in named if alias != "default"]
    return ("default", *wanted) if first else tuple(wanted)


def _check_idle(cloud: Cloud, model: str, version: str | None) -> None:
    for endpoint in cloud.store.every(EndpointRecord):
        if any(each.model == model and version in {None, each.version} for each in endpoint.deployed):
            message = f"The model is deployed at {endpoint.name}. Undeploy it first."
            raise Refusal("FAILED_PRECONDITION", message)


_MODELS = "projects/{project}/locations/{location}/models"
RULES = (
    Rule("POST", _MODELS + ":upload", upload),
    Rule("GET", _MODELS, list_),
    Rule("GET", _MODELS + "/{id}", get),
    Rule("PATCH", _MODELS + "/{id}", patch),
    Rule("DELETE", _MODELS + "/{id}", delete),
    Rule("GET", _MODELS + "/{id}:listVersions", list_versions),
    Rule("GET", _MODELS + "/{id}:listCheckpoints", list_checkpoints),
    Rule("POST", _MODELS + "/{id}:mergeVersionAliases", merge_aliases),
    Rule("DELETE", _MODELS + "/{id}:deleteVersion", delete_version),
)
