"""What the prediction door answers: every path, and how each surface's clients are told of a fault."""

from collections.abc import Mapping

from tuneway.edge.asgi import Refusal, Rules
from tuneway.edge.surfaces.answering import Answering
from tuneway.edge.surfaces.chat import CHAT, Chat
from tuneway.edge.surfaces.completions import COMPLETIONS, Completions
from tuneway.edge.surfaces.count_tokens import COUNT_TOKENS, CountTokens
from tuneway.edge.surfaces.embeddings import EMBEDDINGS, Embeddings
from tuneway.edge.surfaces.messages import MESSAGES, Messages, refusal
from tuneway.edge.surfaces.models import MODELS, model, models
from tuneway.prediction.surfaces.messages.headers import VERSION_HEADER

REFUSALS: Mapping[str, Refusal] = {MESSAGES: refusal, VERSION_HEADER: refusal}


def rules(answering: Answering, *, max_body: int) -> Rules:
    """Who answers what; no request may be larger than ``max_body`` bytes."""
    return {
        CHAT: {"POST": Chat(answering, max_body=max_body).completions},
        COMPLETIONS: {"POST": Completions(answering, max_body=max_body).create},
        COUNT_TOKENS: {"POST": CountTokens(answering, max_body=max_body).create},
        EMBEDDINGS: {"POST": Embeddings(answering, max_body=max_body).create},
        MESSAGES: {"POST": Messages(answering, max_body=max_body).create},
        MODELS: {"GET": models},
        f"{MODELS}/": {"GET": model},
    }
