"""The names that LiteLLM's entries may hold and that make no part of a target: what becomes of each, as data.

Source: ``GenericLiteLLMParams``, ``LiteLLM_Params`` and ``ModelInfo`` of LiteLLM 1.106.2, read 2026-11.
"""

from collections.abc import Mapping

from tuneway.routing.routes import Dialect

# What no model of a dialect can be asked for; ``drop_params: true`` names these.
DROPPED: Mapping[Dialect, tuple[str, ...]] = {
    "anthropic": (
        "audio", "frequency_penalty", "logit_bias", "logprobs", "modalities", "moderation", "n", "prediction",
        "presence_penalty", "seed", "service_tier", "store", "top_logprobs", "verbosity", "web_search_options",
    ),
    "bedrock": (
        "audio", "frequency_penalty", "logit_bias", "logprobs", "modalities", "moderation", "n", "parallel_tool_calls",
        "prediction", "presence_penalty", "seed", "store", "top_logprobs", "verbosity", "web_search_options",
    ),
    "gemini": (
        "audio", "logit_bias", "modalities", "moderation", "parallel_tool_calls", "prediction", "service_tier",
        "store", "verbosity", "web_search_options",
    ),
    "instances": (
        "audio", "function_call", "functions", "logit_bias", "logprobs", "modalities", "moderation",
        "parallel_tool_calls", "prediction", "reasoning_effort", "response_format", "service_tier", "store",
        "tool_choice", "tools", "top_logprobs", "verbosity", "web_search_options",
    ),
    "openai": (),
}  # fmt: skip

PRICES = frozenset(
    {
        "input_cost_per_token", "output_cost_per_token", "input_cost_per_second", "output_cost_per_second",
        "input_cost_per_character", "output_cost_per_character", "input_cost_per_pixel", "output_cost_per_pixel",
        "cache_creation_input_token_cost", "cache_read_input_token_cost", "input_cost_per_token_batches",
        "output_cost_per_token_batches", "input_cost_per_audio_token", "output_cost_per_audio_token",
        "input_cost_per_image", "output_cost_per_image", "input_cost_per_query", "output_cost_per_reasoning_token",
        "cost_per_ptu_per_hour", "ptu_count", "input_cost_per_token_above_128k_tokens",
        "output_cost_per_token_above_128k_tokens", "input_cost_per_token_above_200k_tokens",
        "output_cost_per_token_above_200k_tokens", "litellm_provider",
    }
)  # fmt: skip
NO_PART = frozenset(
    {
        "tags", "tag_regex", "use_in_pass_through", "litellm_trace_id", "max_file_size_mb", "model_info",
        "merge_reasoning_content_in_choices", "use_litellm_proxy", "use_chat_completions_api", "organization",
        "max_parallel_requests", "default_api_key_tpm_limit", "default_api_key_rpm_limit", "itpm", "otpm",
        "keepalive_seconds", "allow_client_keepalive_override", "description", "provider_affinity_header",
        "disable_add_transform_inline_image_block", "supports_system_message", "client_ttl",
    }
)  # fmt: skip
# Sent along with every call there; an application sends them itself here.
SENT = frozenset(
    {
        "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "n", "stop", "seed", "stream",
        "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "user", "response_format", "tools",
        "tool_choice", "reasoning_effort", "thinking", "extra_body", "extra_headers", "headers", "default_headers",
        "safety_settings", "system", "service_tier", "guardrailConfig", "performanceConfig", "dimensions",
        "encoding_format", "input_type", "verbosity", "parallel_tool_calls", "modalities", "metadata",
    }
)  # fmt: skip
# Promises that nothing here would keep: to leave them out would change what callers get, or who gets it.
PROMISES: Mapping[str, str] = {
    "max_budget": "Limit spending where it is billed, or leave the entry out.",
    "budget_duration": "Limit spending where it is billed, or leave the entry out.",
    "mock_response": "Leave the entry out: nothing here answers instead of a model.",
    "configurable_clientside_auth_params": "Callers bring no keys of their own: leave it out.",
    "auto_router_config": "Write one entry for each model, and let the application choose.",
    "auto_router_config_path": "Write one entry for each model, and let the application choose.",
    "auto_router_default_model": "Write one entry for each model, and let the application choose.",
    "auto_router_embedding_model": "Write one entry for each model, and let the application choose.",
    "complexity_router_config": "Write one entry for each model, and let the application choose.",
    "ssl_verify": "Give the server a certificate that machines trust.",
    "prompt_id": "Prompts are the application's.",
    "prompt_integration": "Prompts are the application's.",
    "guardrails": "Guardrails are not run here: leave the entry out, or run them before the call.",
    "aws_role_name": "Set TUNEWAY_AWS_ROLE to the role, for the whole installation.",
    "aws_session_name": "Set TUNEWAY_AWS_ROLE to the role, for the whole installation.",
    "aws_profile_name": "Set TUNEWAY_AWS_SECRET to a reference to the keys.",
    "aws_web_identity_token": "Set TUNEWAY_AWS_ROLE: Google's identity token is exchanged for it.",
    "aws_sts_endpoint": "Set TUNEWAY_AWS_REGION to the region of STS.",
    "aws_external_id": "Set TUNEWAY_AWS_ROLE to a role without one.",
}
IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
    "azure": ("azure_ad_token", "tenant_id", "client_id", "client_secret", "azure_username", "azure_password"),
    "vertex_ai": ("vertex_credentials", "vertex_ai_credentials"),
}
PROVEN: Mapping[str, tuple[str, str]] = {
    "bedrock": (
        "calls are signed with the installation's own AWS keys",
        "Set TUNEWAY_AWS_SECRET or TUNEWAY_AWS_ROLE.",
    ),
    "azure": (
        "calls are proven by the installation's own Entra identity",
        "Set TUNEWAY_ENTRA_TENANT, TUNEWAY_ENTRA_CLIENT and TUNEWAY_ENTRA_SECRET.",
    ),
    "vertex_ai": (
        "calls are made by the installation's own service account",
        "Give it the role roles/aiplatform.user in that project.",
    ),
}
MODES = frozenset({"chat", "completion", "embedding", "responses"})
NO_SURFACE = "Only chat, completions and embeddings are answered here: leave the entry out."
TAKEN = frozenset(
    {
        "model", "custom_llm_provider", "api_base", "base_url", "api_key", "api_version", "vertex_project",
        "vertex_location", "vertex_ai_project", "vertex_ai_location", "vertex_credentials", "aws_region_name",
        "region_name", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "model_id",
        "aws_bedrock_runtime_endpoint", "weight", "order", "rpm", "tpm", "timeout", "stream_timeout", "max_retries",
        "num_retries", "cooldown_time", "drop_params", "additional_drop_params", "litellm_credential_name",
        "azure_ad_token", "tenant_id", "client_id", "client_secret", "azure_username", "azure_password",
        "vertex_ai_credentials", "access_groups", "team_id", "mode",
    }
)  # fmt: skip
KNOWN = TAKEN | PRICES | NO_PART | SENT | frozenset(PROMISES)
