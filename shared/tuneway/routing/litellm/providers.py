"""LiteLLM's names of providers and what they are here: one row each.

Addresses and the names of keys are LiteLLM's own (``get_llm_provider_logic.py`` of 1.106.2, read 2026-11).
"""

import msgspec

from tuneway.routing.vendors import VENDORS


class Prefix(msgspec.Struct, frozen=True, kw_only=True):
    """A provider: the vendor it is here, and what LiteLLM knows of it that the vendor's row does not say.

    ``path`` is put before models named without it.
    """

    vendor: str
    base_url: str | None = None
    key_variable: str | None = None
    profile: str | None = None
    path: str = ""


def _own(**known: str) -> Prefix:
    """A server that speaks OpenAI's language and is no vendor here."""
    return Prefix(vendor="custom_openai", **known)


PREFIXES: dict[str, Prefix] = {
    **{name: Prefix(vendor=name) for name in VENDORS},
    "azure_ai": Prefix(vendor="azure"),
    "azure_text": Prefix(vendor="azure"),
    "bedrock_converse": Prefix(vendor="bedrock"),
    "cerebras": _own(base_url="https://api.cerebras.ai/v1", key_variable="CEREBRAS_API_KEY"),
    "codestral": Prefix(vendor="mistral", base_url="https://codestral.mistral.ai/v1", key_variable="CODESTRAL_API_KEY"),
    "deepinfra": _own(base_url="https://api.deepinfra.com/v1/openai", key_variable="DEEPINFRA_API_KEY"),
    "fireworks_ai": Prefix(vendor="fireworks", path="accounts/fireworks/models/"),
    "gemini": _own(base_url="https://generativelanguage.googleapis.com/v1beta/openai", key_variable="GEMINI_API_KEY"),
    "github": _own(base_url="https://models.inference.ai.azure.com", key_variable="GITHUB_API_KEY"),
    "hosted_vllm": _own(profile="vllm"),
    "huggingface": _own(profile="tgi"),
    "litellm_proxy": _own(),
    "llamafile": _own(base_url="http://127.0.0.1:8080/v1", profile="llama.cpp"),
    "lm_studio": _own(profile="lm-studio"),
    "nvidia_nim": _own(base_url="https://integrate.api.nvidia.com/v1", key_variable="NVIDIA_NIM_API_KEY"),
    "ollama": _own(base_url="http://localhost:11434", profile="ollama"),
    "ollama_chat": _own(base_url="http://localhost:11434", profile="ollama"),
    "openai_like": _own(),
    "perplexity": _own(base_url="https://api.perplexity.ai", key_variable="PERPLEXITYAI_API_KEY"),
    "sambanova": _own(base_url="https://api.sambanova.ai/v1", key_variable="SAMBANOVA_API_KEY"),
    "text-completion-openai": Prefix(vendor="openai"),
    "together_ai": Prefix(vendor="together"),
    "vertex_ai": Prefix(vendor="vertex_ai"),
    "vertex_ai_beta": Prefix(vendor="vertex_ai"),
    "vllm": _own(profile="vllm"),
    "xinference": _own(),
}
# Whose models LiteLLM knows without a prefix.
_BARE = (
    ("claude", "anthropic"),
    ("gpt-oss", ""),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("ft:gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-3", "openai"),
    ("text-embedding-ada", "openai"),
    ("gemini-", "vertex_ai"),
    ("anthropic.", "bedrock"),
    ("amazon.", "bedrock"),
    ("meta.", "bedrock"),
)
# The names that exports write, where they are not the vendor's own.
SPOKEN = {"fireworks": "fireworks_ai", "together": "together_ai"}


def split(model: str, provider: str | None) -> tuple[str, str]:
    """LiteLLM's provider and the model there; the provider is empty where nobody can know it.

    ``provider`` is the entry's ``custom_llm_provider``.
    """
    first, slash, rest = model.partition("/")
    if provider:
        return provider, rest if slash and first == provider else model
    if slash:
        return first, rest
    return next((owner for start, owner in _BARE if model.startswith(start)), ""), model
