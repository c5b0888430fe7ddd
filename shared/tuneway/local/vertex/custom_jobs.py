"""Custom jobs. The simulated container reads the file it is told to, and leaves weights."""

import re
from collections.abc import Iterator

from tuneway.local.vertex.bases import bases
from tuneway.local.vertex.call import Call, Cloud, Reply
from tuneway.local.vertex.datasets import Reading, read
from tuneway.local.vertex.instants import new_id, rfc3339
from tuneway.local.vertex.jobs import Jobs
from tuneway.local.vertex.narrow import items, mapping, text
from tuneway.local.vertex.objects import located
from tuneway.local.vertex.protos import canonical
from tuneway.local.vertex.records import CustomRecord
from tuneway.local.vertex.refusals import invalid
from tuneway.local.vertex.rows import open_model
from tuneway.local.vertex.timeline import Plan, ends, moment, steps_for
from tuneway.local.vertex.tuning_bodies import check_names
from tuneway.local.vertex.tuning_specs import CONTAINER_EPOCHS
from tuneway.local.vertex.weights import has_bucket

ROOT = "custom_job"
SET_BY_SERVER = {"name", "state", "createTime", "startTime", "endTime", "updateTime", "error"}
OBJECT = re.compile(r"gs://[^\s,'\"]+")
REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+")


def create(cloud: Cloud, call: Call) -> Reply:
    """Start a job. What its container reads is read now, and the result revealed when it would have read it."""
    given = canonical("CustomJob", call.json(), path=ROOT)
    check_names(given, root=ROOT)
    pool = _checked(given, call.ids["location"])
    spec = mapping(given.get("jobSpec"))
    output = text(mapping(spec.get("baseOutputDirectory")).get("outputUriPrefix"))
    reading = _read(cloud, pool, output)
    trouble = _trouble(cloud, output) or reading.report.error
    record = CustomRecord(
        name=f"{call.parent}/customJobs/{new_id()}",
        request={key: value for key, value in given.items() if key not in SET_BY_SERVER},
        plan=_plan(cloud, rows=reading.report.rows, fails=trouble is not None),
        output=output or None,
        trouble=trouble,
    )
    with cloud.store.transaction():
        cloud.store.learn(record.name, reading.examples)
        cloud.store.put(record.name, record, due=None if trouble else ends(record.plan))
    return Reply(custom_body(record, cloud.now()))


def custom_body(record: CustomRecord, now: float) -> dict[str, object]:
    """The CustomJob JSON."""
    at = moment(record.plan, now)
    times = {
        "createTime": record.plan.created,
        "startTime": at.started,
        "endTime": at.ended,
        "updateTime": at.updated,
    }
    shown = {key: rfc3339(seconds) for key, seconds in times.items() if seconds is not None}
    return {**record.request, "name": record.name, "state": at.state, **shown, **_error(record, at.state)}


def _error(record: CustomRecord, state: str) -> dict[str, object]:
    match state:
        case "JOB_STATE_FAILED":
            # A container tells its reasons to the log alone; the simulation has none, so it tells them here.
            words = f"The replica workerpool0-0 exited with a non-zero status of 1. Its log says: {record.trouble}"
            return {"error": {"code": 3, "message": words}}
        case "JOB_STATE_CANCELLED":
            return {"error": {"code": 1, "message": "CANCELED"}}
        case _:
            return {}


def _checked(given: dict[str, object], location: str) -> dict[str, object]:
    """The first worker pool. Raises Refusal for what the proto allows and the service does not."""
    if REGION.fullmatch(location) is None:
        raise invalid("parent", f"Custom jobs run in a region, not in {location}.")
    if not text(given.get("displayName")):
        raise invalid(f"{ROOT}.display_name", "A display name is required.")
    pools = items(mapping(given.get("jobSpec")).get("workerPoolSpecs"))
    if not pools:
        raise invalid(f"{ROOT}.job_spec.worker_pool_specs", "At least one worker pool is required.")
    pool, where = mapping(pools[0]), f"{ROOT}.job_spec.worker_pool_specs[0]"
    machine = mapping(pool.get("machineSpec"))
    if not text(machine.get("machineType")):
        raise invalid(f"{where}.machine_spec.machine_type", "A machine type is required.")
    if ("acceleratorType" in machine) != ("acceleratorCount" in machine):
        raise invalid(f"{where}.machine_spec", "accelerator_type and accelerator_count are set together.")
    if not text(mapping(pool.get("containerSpec")).get("imageUri")) and "pythonPackageSpec" not in pool:
        raise invalid(f"{where}.task", "A container image or a Python package is required.")
    return pool


def _read(cloud: Cloud, pool: dict[str, object], output: str) -> Reading:
    """The first file among the arguments: by every convention the one to train on."""
    for uri in _uris(pool):
        if output and uri.startswith(output.rstrip("/")):
            continue
        return read(located(cloud.settings.objects, uri), uri, parser=open_model, limit=bases().open.example_tokens)
    return Reading()


def _uris(pool: dict[str, object]) -> Iterator[str]:
    for kind in ("containerSpec", "pythonPackageSpec"):
        task = mapping(pool.get(kind))
        variables = [mapping(each).get("value") for each in items(task.get("env"))]
        for said in (*items(task.get("args")), *items(task.get("command")), *variables):
            yield from OBJECT.findall(text(said))


def _trouble(cloud: Cloud, output: str) -> str | None:
    """Why nothing can be written, if so."""
    if output and not has_bucket(cloud.settings.objects, output):
        return f"The bucket of {output} does not exist."
    return None


def _plan(cloud: Cloud, *, rows: int, fails: bool) -> Plan:
    steps = max(1, steps_for(rows, CONTAINER_EPOCHS))
    speed = cloud.settings.speed
    return Plan(created=cloud.now(), speed=speed, steps=steps, epochs=CONTAINER_EPOCHS, fails=fails, custom=True)


RULES = Jobs(CustomRecord, "customJobs", custom_body).rules(create)
