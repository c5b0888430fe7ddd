"""The Python API, with the names, arguments and answers that LiteLLM's users know; never packaged."""

from tuneway.api.answers import FineTuningJob, ModelResponse, ModelResponseStream
from tuneway.api.chat import acompletion, batch_completion, completion
from tuneway.api.errors import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)
from tuneway.api.streams import CompletionStream
from tuneway.api.tuning import (
    cancel_fine_tuning_job,
    create_fine_tuning_job,
    estimate_fine_tuning_cost,
    get_fine_tuning_job,
    list_fine_tuning_jobs,
    retrieve_fine_tuning_job,
)

__all__ = [
    "APIConnectionError",
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "CompletionStream",
    "ConflictError",
    "ContentPolicyViolationError",
    "ContextWindowExceededError",
    "FineTuningJob",
    "InternalServerError",
    "ModelResponse",
    "ModelResponseStream",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServiceUnavailableError",
    "Timeout",
    "acompletion",
    "batch_completion",
    "cancel_fine_tuning_job",
    "completion",
    "create_fine_tuning_job",
    "estimate_fine_tuning_cost",
    "get_fine_tuning_job",
    "list_fine_tuning_jobs",
    "retrieve_fine_tuning_job",
]
