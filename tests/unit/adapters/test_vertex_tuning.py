"""How a TuningJob of Vertex AI reads in tuneway's words."""

from datetime import UTC, datetime

import msgspec
import pytest

from tuneway.adapters.vertex_job import from_json
from tuneway.adapters.vertex_tuning import VertexTuning, to_body
from tuneway.errors import BadInput
from tuneway.ports import Checkpoint, ProviderState, TuningRequest

NAME = "projects/p/locations/us-central1/tuningJobs/1"


@pytest.mark.parametrize(
    ("state", "read"),
    [
        ("JOB_STATE_QUEUED", ProviderState.QUEUED),
        ("JOB_STATE_PENDING", ProviderState.QUEUED),
        ("JOB_STATE_RUNNING", ProviderState.RUNNING),
        ("JOB_STATE_CANCELLING", ProviderState.RUNNING),
        ("JOB_STATE_PAUSED", ProviderState.RUNNING),
        ("JOB_STATE_INVENTED_TOMORROW", ProviderState.RUNNING),
        ("JOB_STATE_SUCCEEDED", ProviderState.SUCCEEDED),
        ("JOB_STATE_PARTIALLY_SUCCEEDED", ProviderState.SUCCEEDED),
        ("JOB_STATE_FAILED", ProviderState.FAILED),
        ("JOB_STATE_EXPIRED", ProviderState.FAILED),
        ("JOB_STATE_CANCELLED", ProviderState.CANCELLED),
    ],
)
def test_every_state_has_a_word(state: str, read: ProviderState) -> None:
    assert from_json(msgspec.json.encode({"name": NAME, "state": state})).state == read


def test_integers_may_come_as_strings() -> None:
    body = {
        "name": NAME,
        "state": "JOB_STATE_RUNNING",
        "tuningJobState": "TUNING_JOB_STATE_POST_PROCESSING",
        "tuningJobMetadata": {"completedEpochCount": "2", "completedStepCount": 30},
        "tuningDataStats": {"supervisedTuningDataStats": {"totalBillableTokenCount": "99", "tuningStepCount": "30"}},
    }
    job = from_json(msgspec.json.encode(body))
    assert (job.phase, job.epochs_done, job.steps_done) == ("post_processing", 2, 30)
    assert (job.billable_tokens, job.steps_total) == (99, 30)


def test_results_and_errors_are_read() -> None:
    checkpoint = {"checkpointId": "1", "epoch": "1", "step": "5", "endpoint": "e1"}
    body = {
        "name": NAME,
        "tunedModel": {"model": "m@1", "endpoint": "e2", "checkpoints": [checkpoint]},
        "error": {"code": 3, "message": "bad row"},
        "endTime": "2026-11-21T10:00:00Z",
    }
    job = from_json(msgspec.json.encode(body))
    assert job.tuned is not None
    assert job.tuned.checkpoints == (Checkpoint(id="1", epoch=1, step=5, endpoint="e1"),)
    assert (job.error, job.finished_at) == ("bad row", datetime(2026, 11, 21, 10, tzinfo=UTC))


def test_an_adapter_size_without_a_name_is_bad_input() -> None:
    request = TuningRequest(
        token="t", location="us", base_model="b", training_uri="gs://a/b", display_name="d", adapter_size=3
    )
    with pytest.raises(BadInput) as caught:
        to_body(request)
    assert caught.value.param == "adapter_size"


@pytest.mark.parametrize("name", ["", "tuningJobs/1", f"{NAME}/operations/2", f"{NAME}:cancel", f"../{NAME}"])
def test_what_is_no_job_name_is_bad_input(name: str) -> None:
    with pytest.raises(BadInput, match="no such job"):
        VertexTuning(project="p", timeout=1, vertex_url="http://127.0.0.1:9").get(name)
