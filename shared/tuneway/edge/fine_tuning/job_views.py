"""Tuning jobs, their events and checkpoints as OpenAI shows them, with ours under ``tuneway``."""

import msgspec

from tuneway.ports import Checkpoint, Method
from tuneway.tuning import gate, losses, outlook
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning.jobs import ENDED, Job, JobEvent, Status, checkpoint_id

PUBLIC: dict[Status, str] = {
    Status.REQUESTED: "validating_files",
    Status.VALIDATING: "validating_files",
    Status.HELD: "queued",
    Status.SUBMITTING: "queued",
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.CANCELLING: "running",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
# OpenAI knows no distillation; ``tuneway.method`` tells.
METHODS: dict[Method, str] = {
    Method.SUPERVISED: "supervised",
    Method.PREFERENCE: "dpo",
    Method.DISTILLATION: "supervised",
}


def rendered(job: Job) -> dict[str, object]:
    """The job as OpenAI shows it; ``succeeded`` once the model answers, so that its name can be used at once.

    One that is closed without an answering model has succeeded, too: nobody shall wait for what does not come.
    """
    answering = job.status is not Status.SUCCEEDED or job.fine_tuned_model is not None or not job.open
    hyperparameters = msgspec.to_builtins(hyper.rendered(job.hyperparameters))
    method = METHODS[job.method]
    finish = outlook.finish(job)
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "model": job.base_model,
        "created_at": int(job.created_at),
        "finished_at": int(job.finished_at) if job.finished_at and answering else None,
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": job.owner,
        "result_files": [],
        "status": PUBLIC[job.status] if answering else "running",
        "validation_file": job.validation_file,
        "training_file": job.training_file,
        "hyperparameters": hyperparameters,
        "method": {"type": method, method: {"hyperparameters": hyperparameters}},
        "trained_tokens": job.trained_tokens if answering else None,
        "error": msgspec.to_builtins(job.error) if job.status in ENDED else None,
        "seed": 0,
        "estimated_finish": None if finish is None else int(finish),
        "integrations": [],
        "metadata": job.metadata,
        "progress": outlook.share(job),
        "tuneway": _ours(job),
    }


def rendered_event(happened: JobEvent) -> dict[str, object]:
    """The event as OpenAI shows it; a metrics event's data are the figures alone."""
    return {
        "object": "fine_tuning.job.event",
        "id": happened.id,
        "created_at": int(happened.created_at),
        "level": happened.level,
        "message": happened.message,
        "type": happened.type,
        "data": happened.data if happened.type == "metrics" else {"status": happened.status},
    }


def rendered_checkpoint(job: Job, point: Checkpoint) -> dict[str, object]:
    """The checkpoint as OpenAI shows it; its model's name is callable where the checkpoint has an endpoint.

    Before the registry routes it by name, that is the endpoint itself.
    """
    going_on = f"{job.alias}@{point.id}"
    loss = next((each for each in job.checkpoint_losses if each.step == point.step), None)
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": checkpoint_id(job, point),
        "created_at": int(job.finished_at or job.moved_at),
        "fine_tuned_model_checkpoint": _callable(job, point) or going_on,
        "fine_tuning_job_id": job.id,
        "step_number": point.step,
        "metrics": {"step": point.step} if loss is None else losses.figures(loss),
        "tuneway": {
            "checkpoint": point.id,
            "epoch": point.epoch,
            "endpoint": point.endpoint,
            "weights": point.weights,
            "continue_from": going_on,
        },
    }


def _callable(job: Job, point: Checkpoint) -> str | None:
    if point.endpoint is None:
        return None
    return f"{job.alias}@cp-{point.id}" if job.fine_tuned_model is not None else f"vertex_ai/{point.endpoint}"


def _ours(job: Job) -> dict[str, object]:
    return {
        "status": job.status,
        "backend": job.backend,
        "location": job.location,
        "method": job.method,
        "tuning_mode": job.tuning_mode,
        "columns": msgspec.to_builtins(job.columns),
        "estimate": msgspec.to_builtins(job.estimate),
        "actual_cost": msgspec.to_builtins(job.actual_cost),
        "allowance": msgspec.to_builtins(job.allowance),
        "ceiling_usd": gate.ceiling(job),
        "held_because": gate.reason_to_hold(job) if job.status is Status.HELD else None,
        "approval": msgspec.to_builtins(job.approval),
        "dataset": msgspec.to_builtins(job.dataset),
        "validation_dataset": msgspec.to_builtins(job.validation_dataset),
        "progress": msgspec.to_builtins(job.progress),
        "provider_job": job.provider_job,
        "continues": job.continues,
        "sweep": job.sweep,
        "final_loss": None if job.final_loss is None else losses.figures(job.final_loss),
        "promotion": msgspec.to_builtins(job.promotion),
        "pre_tuned": msgspec.to_builtins(job.pre_tuned),
        "tuned": msgspec.to_builtins(job.tuned),
    }
