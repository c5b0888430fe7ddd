"""What this process is, in the platform's words, and where its spans go, in OpenTelemetry's."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from tuneway.errors import BadInput
from tuneway.settings import Settings, environment

Sampler = Literal["always_on", "always_off", "parentbased_always_on"]
SAMPLERS: Mapping[str, Sampler] = {
    "always_on": "always_on",
    "always_off": "always_off",
    "parentbased_always_on": "parentbased_always_on",
}


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """What this process is in its platform's words, and where its spans go: nowhere without ``spans_url``.

    ``service`` and ``revision`` are Cloud Run's; the rest are OpenTelemetry's own variables, of which those for traces
    alone go before the general ones: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ (read 2026-11).
    """

    project: str = "local-project"
    service: str = "tuneway"
    revision: str | None = None
    spans_url: str | None = None
    spans_headers: Mapping[str, str] = {}
    sampler: Sampler = "always_on"


def process(settings: Settings, given: Mapping[str, str] | None = None) -> Process:
    """What this process, or one with the given variables, is. Raises BadInput naming the variable."""
    source = environment() if given is None else given
    service = source.get("OTEL_SERVICE_NAME") or source.get("K_SERVICE") or source.get("FUNCTION_TARGET")
    return Process(
        project=settings.project,
        service=service or Process().service,
        revision=source.get("K_REVISION") or None,
        spans_url=_spans_url(source),
        spans_headers=_spans_headers(source),
        sampler=_sampler(source),
    )


def _spans_url(source: Mapping[str, str]) -> str | None:
    name, url = _otlp(source, "ENDPOINT")
    if not url:
        return None
    if not _is_address(url):
        raise BadInput(f"{name} is no address for OTLP over HTTP. Give one such as http://collector:4318.", param=name)
    return url if "TRACES" in name else f"{url.rstrip('/')}/v1/traces"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _spans_headers(source: Mapping[str, str]) -> Mapping[str, str]:
    name, text = _otlp(source, "HEADERS")
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    # The value may be a secret: it is not repeated.
    if any(not (key.strip() and sign) for key, sign, _ in pairs):
        raise BadInput(f"{name} is not of the form key=value,key=value.", param=name)
    return {key.strip().lower(): unquote(value.strip()) for key, _, value in pairs}


def _sampler(source: Mapping[str, str]) -> Sampler:
    name = "OTEL_TRACES_SAMPLER"
    asked = source.get(name) or Process().sampler
    found = SAMPLERS.get(asked)
    if found is None:
        raise BadInput(f"{name} is '{asked}'. Give one of: {', '.join(SAMPLERS)}.", param=name)
    return found


def _otlp(source: Mapping[str, str], what: str) -> tuple[str, str]:
    """The variable that counts, and its value, empty when neither is set."""
    names = (f"OTEL_EXPORTER_OTLP_TRACES_{what}", f"OTEL_EXPORTER_OTLP_{what}")
    name = next((name for name in names if source.get(name)), names[1])
    return name, source.get(name, "").strip()
