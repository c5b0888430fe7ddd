"""What a LiteLLM configuration says beside its models: retries, timeouts, fallbacks, and much that has no part here.

Source: the parameters of ``Router`` and the documented ``litellm_settings`` of LiteLLM 1.106.2, read 2026-11.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from tuneway.routing.litellm.entry import Entry
from tuneway.routing.litellm.report import below, mapping, meant, sequence

Kind = Literal["fallbacks", "context_fallbacks", "content_fallbacks"]
KINDS: Mapping[str, Kind] = {
    "fallbacks": "fallbacks",
    "context_window_fallbacks": "context_fallbacks",
    "content_policy_fallbacks": "content_fallbacks",
}
SECONDS = 86_400.0
LEAST = 0.001
MOST_RETRIES = 10
ALL = "*"
_STRATEGIES = {
    "least-busy", "usage-based-routing", "usage-based-routing-v2", "latency-based-routing", "cost-based-routing",
    "provider-budget-routing", "lowest-latency", "lowest-cost",
}  # fmt: skip
_REFUSED: Mapping[str, str] = {
    "enable_tag_filtering": "Give each tag a model_name of its own.",
    "provider_budget_config": "Limit spending where it is billed.",
    "guardrails": "Guardrails are not run here: run them before the call.",
    "guardrail_list": "Guardrails are not run here: run them before the call.",
    "default_team_settings": "Give each model the owner who may call it.",
    "custom_provider_map": "Serve the model behind OpenAI's API and write custom_openai/….",
    "default_litellm_params": "Write the parameters in each entry.",
    "max_budget": "Limit spending where it is billed.",
    "budget_duration": "Limit spending where it is billed.",
}
_LEFT: Mapping[str, str] = {
    "routing_strategy_args": "the weights choose",
    "routing_groups": "the weights choose",
    "allowed_fails": "a target rests after three faults in a row",
    "allowed_fails_policy": "a target rests after three faults in a row",
    "retry_policy": "what may pass is tried again, what may not is not",
    "model_group_retry_policy": "what may pass is tried again, what may not is not",
    "retry_after": "pauses grow by themselves and follow what a host asks for",
    "max_fallbacks": "each fallback is asked once",
    "enable_pre_call_checks": "hosts say themselves what is too long for them; context fallbacks follow",
    "optional_pre_call_checks": "nothing is checked before a call",
    "ssl_verify": "certificates are always checked",
    "enable_weighted_failover": "targets of one order stand in for each other by weight",
}
_ROUTER_LEFT = frozenset(
    {
        "redis_url", "redis_host", "redis_port", "redis_password", "redis_db", "cache_responses", "cache_kwargs",
        "caching_groups", "client_ttl", "polling_interval", "default_priority", "default_max_parallel_requests",
        "set_verbose", "debug_level", "alerting_config", "router_general_settings", "tag_filtering_match_any",
        "deployment_affinity_ttl_seconds", "model_group_affinity_config", "ignore_invalid_deployments",
        "enable_health_check_routing", "health_check_staleness_threshold", "health_check_ignore_transient_errors",
        "background_health_check_model_groups", "fallback_access_check", "fallback_budget_check", "plugins",
        "assistants_config", "search_tools", "tag_routing_prefix", "auto_router_capability_limit", "redis_ssl",
        "weights",
    }
)  # fmt: skip
_LITELLM_LEFT = frozenset(
    {
        "set_verbose", "json_logs", "callbacks", "success_callback", "failure_callback", "service_callbacks", "cache",
        "cache_params", "turn_off_message_logging", "redact_user_api_key_info", "telemetry", "modify_params",
        "ssl_certificate", "audit_log_callbacks", "drop_unknown_params", "forward_traceparent_to_llm_provider",
        "langfuse_default_tags", "max_end_user_budget", "internal_user_budget_duration",
        "upperbound_key_generate_params", "default_internal_user_params", "key_generation_settings",
        "public_model_groups", "s3_callback_params",
        "use_chat_completions_url_for_anthropic_messages", "enable_json_schema_validation", "suppress_debug_info",
        "default_in_memory_ttl", "default_redis_ttl", "enable_preview_features", "return_response_headers",
        "prometheus_metrics_config", "custom_prometheus_metadata_labels", "mcp_aliases",
        "datadog_params", "store_audit_logs",
    }
)  # fmt: skip
_READ = frozenset(
    {
        *KINDS, "default_fallbacks", "num_retries", "timeout", "request_timeout", "stream_timeout", "cooldown_time",
        "disable_cooldowns", "model_group_alias", "routing_strategy", "drop_params",
        "vertex_project", "vertex_location",
    }
)  # fmt: skip


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A fallback: whom to ask instead of ``source`` (``*``: of every model), and where that stands."""

    kind: Kind
    source: str
    names: tuple[str, ...]
    path: str


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for every model that does not say otherwise; ``aliases`` are name, model, path."""

    retries: int | None = None
    total: float | None = None
    first: float | None = None
    cooldown: float | None = None
    drop_params: bool | None = None
    project: str | None = None
    location: str | None = None
    links: tuple[Link, ...] = ()
    aliases: tuple[tuple[str, str, str], ...] = ()


def ways_in(router: Entry, litellm: Entry) -> Ways:
    """Both sections; what the router's says stands before what LiteLLM's own says."""
    links = (*_links(router), *_links(litellm))
    cooldown = _seconds((router, litellm), "cooldown_time", "cooldown")
    ways = Ways(
        retries=_retries(router, litellm),
        total=_seconds((router, litellm), "timeout", "timeouts.total", also="request_timeout"),
        first=_seconds((router, litellm), "stream_timeout", "timeouts.first"),
        cooldown=0.0 if _flag(router, "disable_cooldowns", "cooldown 0") else cooldown,
        drop_params=_flag(litellm, "drop_params", "drop_params of each target"),
        project=litellm.text("vertex_project", "project"),
        location=litellm.text("vertex_location", "location"),
        links=links,
        aliases=_aliases(router),
    )
    _strategy(router)
    for section, left in ((router, _ROUTER_LEFT), (litellm, _LITELLM_LEFT)):
        _rest(section, left, strict=section is router)
    return ways


def _rest(section: Entry, left: frozenset[str], *, strict: bool) -> None:
    for name in (one for one in section.unread() if one in _LEFT):
        section.leave((name,), _LEFT[name])
    section.leave(left, "no part of a call")
    for name in section.unread():
        near = meant(name, _READ | left)
        if name in _REFUSED and section.values[name]:
            section.refuse(name, "Nothing here does this.", _REFUSED[name])
        elif name in _REFUSED or not (strict or near.startswith("Did")):
            section.leave((name,), "no part of a call")
        else:
            section.refuse(name, "LiteLLM has no such setting.", near)


def _strategy(router: Entry) -> None:
    strategy = router.raw("routing_strategy")
    if strategy == "simple-shuffle":
        router.notes.took(router.at("routing_strategy"), strategy, "by weight and luck")
    elif isinstance(strategy, str) and strategy in _STRATEGIES:
        router.notes.translated(
            router.at("routing_strategy"), strategy, "by weight and luck", "Give the entries weights."
        )
    elif strategy is not None:
        router.refuse("routing_strategy", "LiteLLM has no such strategy.", "Write simple-shuffle.")


def retries_of(entry: Entry, name: str) -> int | None:
    """Retries, as far as they are kept here."""
    given = entry.number(name, least=0, most=1_000)
    if given is None:
        return None
    kept = min(int(given), MOST_RETRIES)
    remedy = "" if kept == given else f"More than {MOST_RETRIES} rounds are none."
    entry.notes.translated(entry.at(name), entry.values[name], f"retries {kept}", remedy)
    return kept


def seconds_of(entry: Entry, name: str, became: str) -> float | None:
    """Seconds; the line says what they became."""
    least = 0.0 if became == "cooldown" else LEAST
    given = entry.number(name, least=least, most=SECONDS)
    if given is not None:
        entry.notes.translated(entry.at(name), entry.values[name], f"{became} {given:g}")
    return given


def _retries(router: Entry, litellm: Entry) -> int | None:
    found = [retries_of(section, "num_retries") for section in (router, litellm)]
    return next((one for one in found if one is not None), None)


def _seconds(sections: tuple[Entry, Entry], name: str, became: str, *, also: str = "") -> float | None:
    names = (name, also) if also else (name,)
    found = [seconds_of(section, one, became) for section in sections for one in names]
    return next((one for one in found if one is not None), None)


def _flag(section: Entry, name: str, became: str) -> bool | None:
    found = section.flag(name)
    if found is not None:
        section.notes.translated(section.at(name), found, became if found else "as it is anyway")
    return found


def _links(section: Entry) -> list[Link]:
    found = [link for name in KINDS for link in _listed(section, name)]
    everywhere = section.names("default_fallbacks")
    if everywhere:
        at = section.at("default_fallbacks")
        found.append(Link(kind="fallbacks", source=ALL, names=everywhere, path=at))
    return found


def _listed(section: Entry, name: str) -> list[Link]:
    """``[{model: [others]}]``."""
    rows, found = section.raw(name), list[Link]()
    if rows is None:
        return found
    many = sequence(rows)
    for place, row in enumerate(many if many is not None else [rows]):
        pairs = mapping(row) if many is not None else None
        if pairs is None or len(pairs) != 1:
            section.refuse(
                name, f"'{name}' is a list of mappings with one model each.", f"Write {name}: [{{model: [others]}}]."
            )
            return found
        for source, others in pairs.items():
            path = f"{section.at(name)}[{place}].{source}"
            names = sequence(others)
            if names is None or not names or not all(isinstance(one, str) for one in names):
                section.failed = True
                section.notes.refused(path, others, "Fallbacks are a list of names.", "Write the names alone.")
            else:
                found.append(Link(kind=KINDS[name], source=source, names=tuple(map(str, names)), path=path))
    return found


def _aliases(router: Entry) -> tuple[tuple[str, str, str], ...]:
    """``{name: model}`` or ``{name: {model: …, hidden: …}}``."""
    given = router.raw("model_group_alias")
    pairs = below(given)
    if pairs is None:
        router.refuse(
            "model_group_alias", "'model_group_alias' is a mapping.", "Write model_group_alias: {name: model}."
        )
        return ()
    found: list[tuple[str, str, str]] = []
    for name, meaning in pairs.items():
        path = f"{router.at('model_group_alias')}.{name}"
        inside = mapping(meaning)
        model = inside.get("model") if inside is not None else meaning
        if isinstance(model, str):
            found.append((name, model, path))
        else:
            router.failed = True
            router.notes.refused(path, meaning, "The alias names no model.", "Write the model's name.")
    return tuple(found)
