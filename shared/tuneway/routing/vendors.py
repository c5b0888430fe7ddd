"""Vendors whose models are named ``{vendor}/{model}``: one row each.

An OpenAI-compatible vendor needs its row and nothing else: the prefix, where its API begins, the reference to its key.
A caller's name never chooses the host or the key; the row does, or the installation's own settings over it.
The addresses are the vendors' published ones as generally known in 2026-11, not read anew: check one before use.
"""

import msgspec

from tuneway.routing.routes import Dialect, Provider


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """``base_url`` is where the API begins, None where each account has its own; ``key_variable`` holds the key."""

    provider: Provider = "openai"
    dialect: Dialect = "openai"
    base_url: str | None = None
    key_variable: str | None = None
    fim_path: str = "completions"

    @property
    def secret(self) -> str | None:
        """The reference to its key."""
        return self.key_variable and f"env:{self.key_variable}"


VENDORS: dict[str, Vendor] = {
    "anthropic": Vendor(
        provider="anthropic",
        dialect="anthropic",
        base_url="https://api.anthropic.com",
        key_variable="ANTHROPIC_API_KEY",
    ),
    "azure": Vendor(provider="azure"),
    "bedrock": Vendor(provider="bedrock", dialect="bedrock"),
    "custom_openai": Vendor(provider="custom_openai"),
    "deepseek": Vendor(base_url="https://api.deepseek.com/v1", key_variable="DEEPSEEK_API_KEY"),
    "fireworks": Vendor(base_url="https://api.fireworks.ai/inference/v1", key_variable="FIREWORKS_API_KEY"),
    "groq": Vendor(base_url="https://api.groq.com/openai/v1", key_variable="GROQ_API_KEY"),
    "mistral": Vendor(base_url="https://api.mistral.ai/v1", key_variable="MISTRAL_API_KEY", fim_path="fim/completions"),
    "openai": Vendor(base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY"),
    "openrouter": Vendor(base_url="https://openrouter.ai/api/v1", key_variable="OPENROUTER_API_KEY"),
    "together": Vendor(base_url="https://api.together.xyz/v1", key_variable="TOGETHER_API_KEY"),
    "xai": Vendor(base_url="https://api.x.ai/v1", key_variable="XAI_API_KEY"),
}
