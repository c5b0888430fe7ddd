"""Each function alone: it answers what the platform sends, within its memory; its figures stand in the summary."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.deployed.figures import MIB, TABLE, Asked, figures, pushed
from tests.integration.deployed.installation import Installation
from tests.integration.stack.running import BASE, ENDED, dataset
from tests.waiting import wait_until
from tuneway.local.manifest import HttpTrigger, PubsubTrigger, ScheduleTrigger, StorageTrigger, load

MANIFEST = load()
PATHS = {"predict": "/v1/models", "tuning": "/v1/files", "registry": "/v1/registry/models"}
UNITS = {"Mi": MIB, "Gi": 1024 * MIB}
# References to what is not there, and a request of nobody's: each handler reads its own part and has nothing to do.
REFERENCES = {
    "deployment_id": "none",
    "sweep_id": "none",
    "since": 9,
    "insertId": "figures",
    "timestamp": "2026-11-22T00:00:00Z",
    "jsonPayload": {"status": 200, "ms": 1, "owner": "figures", "key": "figures"},
}


@pytest.mark.parametrize("name", sorted(MANIFEST.functions))
def test_a_function_answers_within_its_memory(
    installation: Installation, name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    row = figures(installation.instances[name], asked(installation, name), folder=tmp_path)
    record_property(TABLE, row)
    assert row["pss_mb"] * MIB < memory(row["memory"])


def memory(said: str) -> int:
    return int(said[:-2]) * UNITS[said[-2:]]


def asked(installation: Installation, name: str) -> Asked:
    """What the platform would send, and what is answered."""
    match MANIFEST.functions[name].trigger:
        case HttpTrigger():
            return Asked(method="GET", path=PATHS[name], status=401)
        case ScheduleTrigger(path=path):
            return Asked(path=path)
        case PubsubTrigger(topic=topic):
            path = f"/projects/{installation.declared.project}/topics/{topic}"
            body = pushed({"job_id": ended_job(installation), **REFERENCES}, subscription=f"{topic}.{name}")
            return Asked(path=path, headers={"content-type": "application/json"}, body=body)
        case StorageTrigger(event=kind):
            headers = {
                "content-type": "application/json",
                "ce-id": "1",
                "ce-type": kind,
                "ce-source": "//storage.googleapis.com/projects/_/buckets/b",
                "ce-subject": "objects/rows.jsonl",
                "ce-specversion": "1.0",
            }
            body = json.dumps({"bucket": "b", "name": "rows.jsonl", "generation": "1"}).encode()
            return Asked(headers=headers, body=body)


def ended_job(installation: Installation) -> str:
    """A job that no event moves any more."""
    with installation.sdk() as client:
        for job in client.fine_tuning.jobs.list():
            if job.status in ENDED:
                return job.id
        file = client.files.create(file=("train.jsonl", dataset()), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
        client.fine_tuning.jobs.cancel(job.id)
        wait_until(lambda: client.fine_tuning.jobs.retrieve(job.id).status in ENDED)
        return job.id
