"""Managed tuning of Gemini on Vertex AI: supervised, on preferences, by distillation, or on from a tuned model."""

import msgspec

from tuneway.adapters.vertex_job import from_json
from tuneway.adapters.vertex_jobs import JobKind, VertexJobs
from tuneway.adapters.vertex_rest import VertexRest
from tuneway.adapters.vertex_specs import check_teacher, refuse, tuning_job
from tuneway.errors import BadInput
from tuneway.ports import Method, TuningRequest

# The API has these fields for open models alone, or not at all.
UNFIT = ("learning_rate", "batch_size", "warmup_steps", "weight_decay", "container")


class VertexTuning(VertexJobs):
    """``ports.TuningBackend`` for one project. ``timeout`` is in seconds, for each call.

    ``vertex_url`` (``http://127.0.0.1:1234``) puts the simulation in the place of Google, with no credentials.
    """

    def __init__(self, *, project: str, timeout: float, vertex_url: str | None = None) -> None:
        # v1beta1 shows a job's phase and progress, and takes distillation.
        rest = VertexRest("tuningJobs", "v1beta1", project=project, timeout=timeout, vertex_url=vertex_url)
        super().__init__(rest, GEMINI)


def to_body(request: TuningRequest) -> dict[str, object]:
    """The TuningJob to create: its output URI stays away, for Gemini's models lie with Google. Raises BadInput."""
    refuse(request, UNFIT, where="Managed tuning of Gemini")
    if request.tuning_mode == "full":
        raise BadInput("Gemini is tuned by adapters alone. Leave tuning_mode out.", param="tuning_mode")
    if request.method is not Method.PREFERENCE:
        refuse(request, ("beta",), where=f"The method {request.method}")
    check_teacher(request)
    # What Gemini does anyway has no field.
    return tuning_job(msgspec.structs.replace(request, tuning_mode=None))


GEMINI = JobKind(to_body=to_body, from_json=from_json, takes=lambda job: not job.output_uri)
