"""Tuning jobs: create, get, list, cancel."""

import msgspec

from tuneway.local.vertex.call import Call, Cloud, Reply, Rule
from tuneway.local.vertex.datasets import Report, read
from tuneway.local.vertex.instants import new_id
from tuneway.local.vertex.job_view import job_body
from tuneway.local.vertex.listing import page, start
from tuneway.local.vertex.objects import located
from tuneway.local.vertex.records import TuningRecord
from tuneway.local.vertex.refusals import not_found
from tuneway.local.vertex.timeline import Plan, ends, moment, steps_for
from tuneway.local.vertex.tuning_specs import (
    Spec,
    automatic_epochs,
    check_family,
    checked_body,
    model_source,
    parser_of,
    spec_of,
)
from tuneway.local.vertex.versions import version_named

ENDED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_CANCELLING"}


def create(cloud: Cloud, call: Call) -> Reply:
    """Start a job. Its file is read now and the result revealed when the job would have read it."""
    body = checked_body(call.json())
    base_model, tuned_name = model_source(body)
    before = version_named(cloud, tuned_name) if tuned_name else None
    if before is not None:
        base_model = before.base_model or ""
    family = check_family(body, base_model, call.parent)
    spec = spec_of(body)
    path = located(cloud.settings.objects, spec.training_uri)
    reading = read(path, spec.training_uri, parser=parser_of(spec, base_model), limit=family.example_tokens)
    record = TuningRecord(
        name=f"{call.parent}/tuningJobs/{new_id()}",
        request=body,
        spec=spec.kind,
        base_model=base_model,
        plan=_plan(cloud, spec, reading.report),
        report=reading.report,
        checkpoints=spec.checkpoints,
        sources=before.sources if before else (),
        continues=before.model if before and "tunedModelDisplayName" not in body else None,
    )
    with cloud.store.transaction():
        cloud.store.learn(record.name, reading.examples)
        cloud.store.put(record.name, record, due=_due(record))
    return Reply(job_body(record, cloud.now()))


def get(cloud: Cloud, call: Call) -> Reply:
    """The job now."""
    return Reply(job_body(_job(cloud, call), cloud.now()))


def list_(cloud: Cloud, call: Call) -> Reply:
    """The location's jobs, the newest first."""
    now = cloud.now()
    rows = cloud.store.newest_first(TuningRecord, call.parent, before=start(call.query))
    return Reply(page(((seq, job_body(record, now)) for seq, record in rows), call.query, key="tuningJobs"))


def cancel(cloud: Cloud, call: Call) -> Reply:
    """Ask for the end; asking again, or after it, changes nothing."""
    with cloud.store.transaction():
        record, now = _job(cloud, call), cloud.now()
        if moment(record.plan, now).state not in ENDED:
            plan = msgspec.structs.replace(record.plan, cancelled=now)
            cloud.store.put(record.name, msgspec.structs.replace(record, plan=plan))
    return Reply({})


def _job(cloud: Cloud, call: Call) -> TuningRecord:
    name = call.name("tuningJobs")
    record = cloud.store.get(TuningRecord, name)
    if record is None:
        raise not_found(name)
    return record


def _due(record: TuningRecord) -> float | None:
    return None if record.plan.fails else ends(record.plan)


def _plan(cloud: Cloud, spec: Spec, report: Report) -> Plan:
    epochs = spec.epochs or automatic_epochs(report.rows)
    return Plan(
        created=cloud.now(),
        speed=cloud.settings.speed,
        steps=steps_for(report.rows, epochs),
        epochs=epochs,
        fails=report.error is not None,
    )


RULES = (
    Rule("POST", "projects/{project}/locations/{location}/tuningJobs", create),
    Rule("GET", "projects/{project}/locations/{location}/tuningJobs", list_),
    Rule("GET", "projects/{project}/locations/{location}/tuningJobs/{id}", get),
    Rule("POST", "projects/{project}/locations/{location}/tuningJobs/{id}:cancel", cancel),
)
