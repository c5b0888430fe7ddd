"""Tuning jobs. Their file is read when they are created."""

from tuneway.local.vertex.call import Call, Cloud, Reply
from tuneway.local.vertex.datasets import Reading, Report, read
from tuneway.local.vertex.instants import new_id
from tuneway.local.vertex.job_view import job_body
from tuneway.local.vertex.jobs import Jobs
from tuneway.local.vertex.narrow import items, mapping, text
from tuneway.local.vertex.objects import located
from tuneway.local.vertex.records import TuningRecord, VersionRecord
from tuneway.local.vertex.refusals import invalid
from tuneway.local.vertex.teachers import taught
from tuneway.local.vertex.timeline import Plan, ends, steps_for
from tuneway.local.vertex.tuning_bodies import checked_body, model_source
from tuneway.local.vertex.tuning_specs import AUTO_EPOCHS, Spec, check_family, parser_of, spec_of
from tuneway.local.vertex.versions import model_named, version_named
from tuneway.local.vertex.weights import has_bucket


def create(cloud: Cloud, call: Call) -> Reply:
    """Start a job. Its file is read now and the result revealed when the job would have read it."""
    body = checked_body(call.json(), version=call.version)
    base_model, tuned_name = model_source(body)
    before = version_named(cloud, tuned_name) if tuned_name else None
    if before is not None:
        base_model = before.base_model or ""
        _check_checkpoint(body, before)
    family = check_family(body, base_model, call.parent)
    spec = spec_of(body)
    reading = _reading(cloud, body, spec, base_model=base_model, limit=family.example_tokens)
    record = TuningRecord(
        name=f"{call.parent}/tuningJobs/{new_id()}",
        request=body,
        spec=spec.kind,
        base_model=base_model,
        plan=_plan(cloud, spec, reading.report),
        report=reading.report,
        checkpoints=spec.checkpoints,
        sources=before.sources if before else (),
        continues=before.model if before and _same_name(cloud, before, body) else None,
    )
    with cloud.store.transaction():
        cloud.store.learn(record.name, reading.examples)
        cloud.store.put(record.name, record, due=_due(record))
    return Reply(job_body(record, cloud.now()))


def _same_name(cloud: Cloud, before: VersionRecord, body: dict[str, object]) -> bool:
    """A job that goes on makes a new version of the same model, unless it gives another name."""
    name = text(body.get("tunedModelDisplayName"))
    return name in {"", text(model_named(cloud, before.model).body.get("displayName"))}


def _check_checkpoint(body: dict[str, object], before: VersionRecord) -> None:
    wanted = text(mapping(body.get("preTunedModel")).get("checkpointId"))
    saved = {text(mapping(each).get("checkpointId")) for each in items(before.body.get("checkpoints"))}
    if wanted and wanted not in saved:
        raise invalid("tuning_job.pre_tuned_model.checkpoint_id", f"{before.name} has no checkpoint {wanted}.")


def _reading(cloud: Cloud, body: dict[str, object], spec: Spec, *, base_model: str, limit: int) -> Reading:
    """What the job will find in its file. Weights without a bucket show as soon as it runs, as a fault in the file."""
    output = text(body.get("outputUri"))
    if output and not has_bucket(cloud.settings.objects, output):
        return Reading(Report(error=f"The bucket of output_uri {output} does not exist.", error_code=5))
    path = located(cloud.settings.objects, spec.training_uri)
    found = read(path, spec.training_uri, parser=parser_of(spec, base_model), limit=limit)
    return Reading(found.report, taught(cloud, spec, found.examples))


def _due(record: TuningRecord) -> float | None:
    return None if record.plan.fails else ends(record.plan)


def _plan(cloud: Cloud, spec: Spec, report: Report) -> Plan:
    epochs = spec.epochs or AUTO_EPOCHS
    return Plan(
        created=cloud.now(),
        speed=cloud.settings.speed,
        steps=steps_for(report.rows, epochs),
        epochs=epochs,
        fails=report.error is not None,
    )


RULES = Jobs(TuningRecord, "tuningJobs", job_body).rules(create)
