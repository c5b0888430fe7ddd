"""What a training job leaves behind when it succeeds: a model that answers, or weights in Cloud Storage."""

import msgspec

from tuneway.local.vertex.bases import bases, is_open, short
from tuneway.local.vertex.call import Cloud
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.narrow import strings, text
from tuneway.local.vertex.records import (
    CustomRecord,
    Deployed,
    EndpointRecord,
    ModelRecord,
    TuningRecord,
    VersionRecord,
)
from tuneway.local.vertex.timeline import checkpoint_epochs, ends
from tuneway.local.vertex.weights import write

GLOBAL_REGION = "us-central1"
# Source: Google Cloud documentation on tuning open models, 2026-09-25.
SAVED = "postprocess/node-0/checkpoints"


def settle(cloud: Cloud) -> None:
    """Finish every job whose time has come; called before each answer, so nothing has to run in between."""
    now = cloud.now()
    if not any((cloud.store.due(TuningRecord, now), cloud.store.due(CustomRecord, now))):
        return
    with cloud.store.transaction():
        for record in cloud.store.due(TuningRecord, now):
            tuned = _saved(cloud, record) if is_open(record.base_model) else _published(cloud, record)
            cloud.store.put(record.name, msgspec.structs.replace(record, tuned=tuned))
        for custom in cloud.store.due(CustomRecord, now):
            if custom.output:
                write(cloud.settings.objects, custom.output, job=custom.name, base_model="custom")
            cloud.store.put(custom.name, custom)


def _saved(cloud: Cloud, record: TuningRecord) -> dict[str, object]:
    """The ``tunedModel`` of an open model: weights, and a model in the registry that nobody has deployed."""
    folder = f"{text(record.request.get('outputUri')).rstrip('/')}/{SAVED}"
    for name in ("final", *(f"checkpoint-{step}" for _, step in _steps(record))):
        write(cloud.settings.objects, f"{folder}/{name}", job=record.name, base_model=record.base_model)
    model, when = _model(cloud, record), rfc3339(ends(record.plan))
    version = VersionRecord(
        name=f"{model.name}@{model.last}",
        version=str(model.last),
        aliases=("default",),
        sources=(record.name,),
        body={
            "versionCreateTime": when,
            "versionUpdateTime": when,
            "artifactUri": f"{folder}/final",
            "modelSourceInfo": {"sourceType": "MODEL_GARDEN"},
            "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
            "labels": _labels(record),
        },
    )
    cloud.store.put(version.name, version)
    return {"model": version.name}


def _steps(record: TuningRecord) -> list[tuple[int, int]]:
    """The epochs and steps at which a checkpoint is kept."""
    plan = record.plan
    return [(epoch, plan.steps * epoch // plan.epochs) for epoch in checkpoint_epochs(plan.epochs)]


def _published(cloud: Cloud, record: TuningRecord) -> dict[str, object]:
    """The job's ``tunedModel``."""
    version = _version(cloud, record)
    steps = _steps(record)
    kept = steps if record.checkpoints else steps[-1:]
    endpoints = [_endpoint(cloud, record, version, checkpoint=str(place)) for place, _ in enumerate(kept, start=1)]
    checkpoints = [
        {"checkpointId": str(place), "epoch": str(epoch), "step": str(step), "endpoint": endpoint}
        for place, ((epoch, step), endpoint) in enumerate(zip(kept, endpoints, strict=True), start=1)
    ]
    shown = [{key: each[key] for key in ("checkpointId", "epoch", "step")} for each in checkpoints]
    body = {**version.body, "checkpoints": shown, "defaultCheckpointId": str(len(kept))}
    cloud.store.put(version.name, msgspec.structs.replace(version, body=body))
    tuned: dict[str, object] = {"model": version.name, "endpoint": endpoints[-1]}
    return {**tuned, "checkpoints": checkpoints} if record.checkpoints else tuned


def _version(cloud: Cloud, record: TuningRecord) -> VersionRecord:
    model = _model(cloud, record)
    when = rfc3339(ends(record.plan))
    version = VersionRecord(
        name=f"{model.name}@{model.last}",
        version=str(model.last),
        aliases=("default",) if model.last == 1 else (),
        sources=(*record.sources, record.name),
        base_model=record.base_model,
        body={
            "versionCreateTime": when,
            "versionUpdateTime": when,
            "modelSourceInfo": {"sourceType": "GENIE"},
            "baseModelSource": {
                "genieSource": {"baseModelUri": f"publishers/google/models/{short(record.base_model)}"}
            },
            "supportedDeploymentResourcesTypes": ["SHARED_RESOURCES"],
            "labels": _labels(record),
        },
    )
    cloud.store.put(version.name, version)
    return version


def _model(cloud: Cloud, record: TuningRecord) -> ModelRecord:
    """The model the job's version goes into: the one it goes on from, else a new one."""
    found = cloud.store.get(ModelRecord, record.continues) if record.continues else None
    if found is not None:
        model = msgspec.structs.replace(found, last=found.last + 1)
    else:
        when = rfc3339(ends(record.plan))
        body: dict[str, object] = {"displayName": _display_name(record), "createTime": when, "updateTime": when}
        model = ModelRecord(name=f"{_home(record)}/models/{new_id()}", default="1", last=1, body=body)
    cloud.store.put(model.name, model)
    return model


def _endpoint(cloud: Cloud, record: TuningRecord, version: VersionRecord, *, checkpoint: str) -> str:
    home, now = _home(record), ends(record.plan)
    project, _, location = home.partition("/locations/")
    serving = bases().gemini.serving.get(location, location)
    deployed = Deployed(
        id=new_id(),
        model=version.model,
        version=version.version,
        ready=now,
        body={"displayName": _display_name(record), "createTime": rfc3339(now), "checkpointId": checkpoint},
    )
    endpoint = EndpointRecord(
        name=f"{project}/locations/{serving}/endpoints/{new_id()}",
        body={
            "displayName": _display_name(record),
            "labels": _labels(record),
            "createTime": rfc3339(now),
            "updateTime": rfc3339(now),
        },
        deployed=(deployed,),
        traffic={deployed.id: 100},
    )
    cloud.store.put(endpoint.name, endpoint)
    return endpoint.name


def _home(record: TuningRecord) -> str:
    """Where the model lies: a ``global`` job has a regional twin."""
    home = record.name.partition("/tuningJobs/")[0]
    return home.removesuffix("/global") + f"/{GLOBAL_REGION}" if home.endswith("/global") else home


def _display_name(record: TuningRecord) -> str:
    return text(record.request.get("tunedModelDisplayName")) or f"tuned-{short(record.base_model)}"


def _labels(record: TuningRecord) -> dict[str, str]:
    base = short(record.base_model).replace(".", "-").replace("/", "-").replace("@", "-")
    job = record.name.rpartition("/")[2]
    return {
        **strings(record.request.get("labels")),
        "google-vertex-llm-tuning-base-model-id": base,
        "google-vertex-llm-tuning-job-id": job,
        "tune-type": "sft",
    }
