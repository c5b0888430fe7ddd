"""What each function is told, as ``infra/environment.tf`` and ``infra/secrets.tf`` say it."""

import msgspec

from tuneway.cli.deploy.installation import Installation, Told
from tuneway.local.manifest import Function

FOLDER = "/etc/tuneway"


def secrets(made: Installation) -> list[str]:
    """The names of the installation's own secrets, without its prefix."""
    told = made.settings
    asked = {"entra": told.entra_secret, "aws": told.aws_secret, "webhooks": told.webhook_secret}
    return [name for name, vendor in made.vendors.items() if vendor.secret] + [name for name, on in asked.items() if on]


def environment(made: Installation, function: Function) -> dict[str, str]:
    """The variables of a function: of all settings, those it reads; what is unset is absent."""
    values = _settings(made)
    given = {name: value for name in function.settings if (value := values.get(name)) is not None}
    threads = {} if function.is_async else {"THREADS": str(function.concurrency)}
    return {f"TUNEWAY_{name.upper()}": value for name, value in given.items()} | _spans(made) | threads


def volumes(made: Installation, function: Function) -> dict[str, str]:
    """The secrets that a function is given as files or variables, as gcloud writes them."""
    files = {f"{FOLDER}/{name}:/file.json": secret for name, secret in made.files.items() if name in function.settings}
    return {place: f"{secret}:latest" for place, secret in {**named_secrets(made, function), **files}.items()}


def named_secrets(made: Installation, function: Function) -> dict[str, str]:
    """The secrets that a function is given as variables, by the variable."""
    headers = made.otlp.headers_secret if made.otlp else None
    spans = {"OTEL_EXPORTER_OTLP_HEADERS": headers} if headers else {}
    return (made.secret_environment if "secrets" in function.uses else {}) | spans


def _spans(made: Installation) -> dict[str, str]:
    """OpenTelemetry's own variables, the same for all."""
    if made.otlp is None:
        return {}
    sampler = {"OTEL_TRACES_SAMPLER": made.otlp.sampler} if made.otlp.sampler else {}
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": made.otlp.endpoint} | sampler


def _settings(made: Installation) -> dict[str, str | None]:
    told = made.settings
    return {
        **_as_they_are(told),
        "project": made.project,
        "location": made.region,
        "database": made.database,
        "bucket": made.bucket,
        "watch_prefix": f"gs://{made.bucket}/{told.watch}",
        "vendors": _json(_vendors(made)),
        "allow_retired": _json(told.allow_retired),
        "tuning_quotas": _json(told.tuning_quotas),
        "max_cost_usd": _number(told.max_cost_usd),
        "max_deployment_usd_per_hour": _number(told.max_deployment_usd_per_hour),
        "private_sources": "true" if told.private_sources else None,
        **{name: f"{FOLDER}/{name}/file.json" for name in made.files},
        "entra_secret": _reference(made, "entra"),
        "aws_secret": _reference(made, "aws"),
        "webhook_secret": _reference(made, "webhooks"),
    }


def _as_they_are(told: Told) -> dict[str, str | None]:
    """The settings that are texts."""
    names = (
        "deploy_open_models",
        "entra_tenant",
        "entra_client",
        "aws_role",
        "aws_region",
        "aws_bucket",
        "bedrock_role",
    )
    return {name: getattr(told, name) for name in names}


def _vendors(made: Installation) -> dict[str, dict[str, object]]:
    """The secret of a vendor is named, never given."""
    rows: dict[str, dict[str, object]] = {}
    for name, vendor in sorted(made.vendors.items()):
        places = {"api_version": vendor.api_version, "base_url": vendor.base_url, "region": vendor.region}
        fields = {**places, "secret": _reference(made, name)}
        rows[name] = {field: value for field, value in fields.items() if value is not None}
    return rows


def _reference(made: Installation, name: str) -> str | None:
    known = name in secrets(made)
    return f"projects/{made.project}/secrets/{made.name}-{name}/versions/latest" if known else None


def _json(value: object) -> str | None:
    return msgspec.json.encode(value).decode() if value else None


def _number(value: float | None) -> str | None:
    """As Terraform writes it: without a fraction where there is none."""
    return None if value is None else f"{value:.15g}"
