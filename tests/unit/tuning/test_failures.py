"""Why a job failed: each cause with its code, the field at fault and what to do about it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import Loop
from tuneway.errors import BadInput, NotAllowed
from tuneway.ports import ProviderState
from tuneway.tuning.failures import MOST, explained, rows
from tuneway.tuning.jobs import JobError

GEMINI, OPEN, BEDROCK = "vertex_ai", "vertex_open", "bedrock"
DENIED = (
    "service-7@gcp.iam does not have storage.objects.get access to the Google Cloud Storage object gs://shop/t.jsonl"
)


@pytest.mark.parametrize(
    ("backend", "cause", "words", "code", "param", "remedy"),
    [
        (GEMINI, "INVALID_ARGUMENT", "Invalid training example in row 17: no role", "invalid_training_file",
         "training_file", "Row 17 of the training file"),
        (GEMINI, None, "Validation dataset: line number 4 is no JSON", "invalid_validation_file", "validation_file",
         "Row 4 of the validation file"),
        (BEDROCK, "ValidationException", "Unable to parse record 12 of the file", "invalid_training_file",
         "training_file", "Row 12"),
        (GEMINI, "PERMISSION_DENIED", DENIED, "storage_permission_denied", "training_file",
         "Fine-Tuning service agent the role Storage Object User (roles/storage.objectUser) on the bucket shop."),
        (OPEN, "PERMISSION_DENIED", DENIED, "storage_permission_denied", "training_file",
         "service-PROJECT_NUMBER@gcp-sa-vertex-moss-ft.iam.gserviceaccount.com"),
        ("vertex_custom", None, DENIED, "storage_permission_denied", "training_file", "the training container runs as"),
        (BEDROCK, None, "Access denied: the role could not access s3://shop/t.jsonl", "storage_permission_denied",
         "training_file", "TUNEWAY_BEDROCK_ROLE"),
        (GEMINI, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.actAs' denied", "permission_denied", None,
         "roles/aiplatform.tuningServiceAgent"),
        (GEMINI, "PERMISSION_DENIED", "Permission 'aiplatform.tuningJobs.create' denied", "permission_denied", None,
         "the permission named here"),
        (GEMINI, "RESOURCE_EXHAUSTED", "Quota exceeded.", "quota_exceeded", None, "'Global concurrent tuning jobs'"),
        (OPEN, None, "You exceeded your current quota", "quota_exceeded", None, "managed OSS model fine-tuning jobs"),
        (BEDROCK, "ServiceQuotaExceededException", "Too many jobs", "quota_exceeded", None, "Service Quotas"),
        (GEMINI, "NOT_FOUND", "The dataset file gs://shop/t.jsonl does not exist or cannot be read.", "file_not_found",
         "training_file", "upload it again"),
        (GEMINI, "INVALID_ARGUMENT", "CMEK is not supported", "encryption_not_supported", None, "encryption key"),
        (GEMINI, None, "Tuning is not supported in region mars-east1", "location_not_supported", None,
         "TUNEWAY_LOCATION"),
        (GEMINI, "NOT_FOUND", "Base model gemini-9 is not found", "model_not_tunable", "model", "base_models"),
        (GEMINI, "INVALID_ARGUMENT", "epochCount must be below 5", "invalid_hyperparameters", "hyperparameters",
         "Leave the hyperparameter out"),
        (GEMINI, "INVALID_ARGUMENT", "The validation dataset is larger than the limit", "invalid_validation_file",
         "validation_file", "datasets lint"),
        (GEMINI, "INVALID_ARGUMENT", "The training dataset is too small", "invalid_training_file", "training_file",
         "datasets lint"),
        (GEMINI, "INTERNAL", "Something broke", "provider_fault", None, "create the job again"),
    ],
)  # fmt: skip
def test_a_cause_has_its_code_its_field_and_its_remedy(
    backend: str, cause: str | None, words: str, code: str, param: str | None, remedy: str
) -> None:
    error = explained(words, backend=backend, cause=cause)
    assert (error.code, error.param) == (code, param)
    assert error.message.startswith(words)
    assert remedy in error.message


@pytest.mark.parametrize("words", ["quota of zero", "no", "no such region", "The job was unlucky."])
def test_what_no_row_knows_is_told_in_the_provider_s_own_words(words: str) -> None:
    assert explained(words, backend=GEMINI) == JobError(code="fine_tuning_failed", message=words)


def test_a_remedy_for_one_cloud_is_not_given_for_another() -> None:
    assert "Google" not in explained("Quota exceeded", backend=BEDROCK).message


@given(st.text(max_size=5000), st.none() | st.text(max_size=20), st.sampled_from([GEMINI, OPEN, BEDROCK, "x"]))
def test_any_words_make_an_error_of_bounded_length(words: str, cause: str | None, backend: str) -> None:
    error = explained(words, backend=backend, cause=cause)
    assert error.code
    assert len(error.message) <= MOST + 500


@settings(deadline=30_000)  # a pattern that backtracks takes minutes
@given(
    st.sampled_from([" does not have", "storage. ", "gs://a ", "row ", "model ", "validation "]), st.integers(1, 900)
)
def test_hostile_words_take_no_time(piece: str, times: int) -> None:
    explained(piece * times, backend=GEMINI)


def test_every_row_can_be_reached_and_names_its_source() -> None:
    for row in rows():
        re.compile(row.pattern)
        assert re.search(r"20[0-9]{2}-[0-9]{2}|google\.rpc|botocore", row.source), row.code
        assert row.remedy.endswith(".")


def test_a_failed_job_says_what_to_do(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    job = loop.desk.create(loop.order(), owner="acme")
    loop.settle(train=False, beats=3)
    loop.backend.turn(next(iter(loop.backend.jobs)), ProviderState.FAILED, error=DENIED, cause="PERMISSION_DENIED")
    loop.settle(train=False)
    error = loop.job(job.id).error
    assert error is not None
    assert (error.code, error.param) == ("storage_permission_denied", "training_file")
    told = loop.desk.history(job.id, owner="acme", after=None, limit=1)[0]
    assert (told.level, told.message) == ("error", error.message)


def test_a_refused_submission_says_what_to_do_and_keeps_its_own_field(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.backend.fault = NotAllowed(f"Vertex AI answered 403: {DENIED}")
    denied = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    loop.backend.fault = BadInput("batch_size is not for Gemini", param="batch_size")
    wrong = loop.desk.create(loop.order(), owner="acme")
    loop.settle()
    errors = [loop.job(job.id).error for job in (denied, wrong)]
    assert [(error.code, error.param) for error in errors if error] == [
        ("storage_permission_denied", "training_file"),
        ("invalid_hyperparameters", "batch_size"),
    ]
