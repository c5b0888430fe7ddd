"""A tuning job as the API shows it at one moment."""

from tuneway.local.vertex.instants import rfc3339
from tuneway.local.vertex.narrow import mapping
from tuneway.local.vertex.records import TuningRecord
from tuneway.local.vertex.timeline import Moment, moment

BEFORE_STATS = {"JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_FAILED"}
STATS_KEYS = {
    "supervisedTuningSpec": "supervisedTuningDataStats",
    "preferenceOptimizationSpec": "preferenceOptimizationDataStats",
    "distillationSpec": "distillationDataStats",
}
INDICES_SHOWN = 10


def job_body(record: TuningRecord, now: float) -> dict[str, object]:
    """The TuningJob JSON."""
    at = moment(record.plan, now)
    return {
        **record.request,
        **_spec(record, at),
        "name": record.name,
        **_source(record),
        "state": at.state,
        "experiment": _experiment(record),
        **_times(record, at),
        **_progress(at),
        **_stats(record, at),
        **_error(record, at),
        **({"tunedModel": record.tuned} if record.tuned and at.state == "JOB_STATE_SUCCEEDED" else {}),
    }


def _spec(record: TuningRecord, at: Moment) -> dict[str, object]:
    """The tuning spec; once the job runs, with the number of epochs it chose."""
    spec = mapping(record.request[record.spec])
    if at.started is None:
        return {record.spec: spec}
    chosen = {"epochCount": str(record.plan.epochs), **mapping(spec.get("hyperParameters"))}
    return {record.spec: {**spec, "hyperParameters": chosen}}


def _source(record: TuningRecord) -> dict[str, object]:
    """The base model, or the tuned model that the job goes on from: never both."""
    before = mapping(record.request.get("preTunedModel"))
    if before:
        return {"preTunedModel": {**before, "baseModel": record.base_model}}
    return {"baseModel": record.base_model}


def _experiment(record: TuningRecord) -> str:
    parent, _, job = record.name.partition("/tuningJobs/")
    return f"{parent}/metadataStores/default/contexts/tuning-experiment-{job}"


def _times(record: TuningRecord, at: Moment) -> dict[str, object]:
    times = {
        "createTime": record.plan.created,
        "startTime": at.started,
        "endTime": at.ended,
        "updateTime": at.updated,
    }
    return {key: rfc3339(seconds) for key, seconds in times.items() if seconds is not None}


def _progress(at: Moment) -> dict[str, object]:
    shown: dict[str, object] = {}
    if at.phase:
        shown["tuningJobState"] = f"TUNING_JOB_STATE_{at.phase}"
    if at.steps:
        shown["tuningJobMetadata"] = {"completedEpochCount": str(at.epochs), "completedStepCount": str(at.steps)}
    return shown


def _stats(record: TuningRecord, at: Moment) -> dict[str, object]:
    if record.report.error or at.state in BEFORE_STATS or at.phase == "PROCESSING_DATASET" or at.started is None:
        return {}
    report = record.report
    figures: dict[str, object] = {
        "tuningDatasetExampleCount": str(report.rows),
        "tuningStepCount": str(record.plan.steps),
    }
    if record.spec == "distillationSpec":
        # DatasetStats has no count of billable tokens.
        return {"tuningDataStats": {STATS_KEYS[record.spec]: {"trainingDatasetStats": figures}}}
    figures["totalBillableTokenCount"] = str(report.tokens)
    if record.spec == "supervisedTuningSpec":
        figures |= {
            "totalTuningCharacterCount": str(report.characters),
            "totalBillableCharacterCount": str(report.characters),
            "userDatasetExamples": list(report.samples),
            "totalTruncatedExampleCount": str(len(report.cut)),
            "truncatedExampleIndices": [str(index) for index in report.cut[:INDICES_SHOWN]],
            **report.distributions,
        }
    return {"tuningDataStats": {STATS_KEYS[record.spec]: figures}}


def _error(record: TuningRecord, at: Moment) -> dict[str, object]:
    match at.state:
        case "JOB_STATE_FAILED":
            return {"error": {"code": record.report.error_code, "message": record.report.error}}
        case "JOB_STATE_CANCELLED":
            return {"error": {"code": 1, "message": "The tuning job was cancelled."}}
        case _:
            return {}
