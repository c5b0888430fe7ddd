"""tuneway: a model platform of functions and events, inside your own cloud account.

``tuneway.completion`` and its sisters are loaded when they are first used: the functions import this package too.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuneway.api import (
        APIConnectionError,
        APIError,
        AuthenticationError,
        BadRequestError,
        CompletionStream,
        ConflictError,
        ContentPolicyViolationError,
        ContextWindowExceededError,
        CostEstimate,
        EmbeddingResponse,
        FineTuningJob,
        FineTuningJobs,
        InternalServerError,
        ModelResponse,
        ModelResponseStream,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        ServiceUnavailableError,
        Timeout,
        acancel_fine_tuning_job,
        acompletion,
        acreate_fine_tuning_job,
        aembedding,
        aestimate_fine_tuning_cost,
        aget_fine_tuning_job,
        alist_fine_tuning_jobs,
        aretrieve_fine_tuning_job,
        batch_completion,
        cancel_fine_tuning_job,
        completion,
        create_fine_tuning_job,
        embedding,
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
    "CostEstimate",
    "EmbeddingResponse",
    "FineTuningJob",
    "FineTuningJobs",
    "InternalServerError",
    "ModelResponse",
    "ModelResponseStream",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServiceUnavailableError",
    "Timeout",
    "acancel_fine_tuning_job",
    "acompletion",
    "acreate_fine_tuning_job",
    "aembedding",
    "aestimate_fine_tuning_cost",
    "aget_fine_tuning_job",
    "alist_fine_tuning_jobs",
    "aretrieve_fine_tuning_job",
    "batch_completion",
    "cancel_fine_tuning_job",
    "completion",
    "create_fine_tuning_job",
    "embedding",
    "estimate_fine_tuning_cost",
    "get_fine_tuning_job",
    "list_fine_tuning_jobs",
    "retrieve_fine_tuning_job",
]


def __getattr__(name: str) -> object:
    """A name of the Python API. Raises AttributeError."""
    if name in __all__:
        return getattr(import_module("tuneway.api"), name)
    raise AttributeError(f"module 'tuneway' has no attribute '{name}'")
