"""The environment, read once: what an installation is told about itself. Every variable begins with ``TUNEWAY_``."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

PREFIX = "TUNEWAY_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field is one variable: ``vertex_url`` is ``TUNEWAY_VERTEX_URL``. Times are seconds.

    With ``state_folder`` the plugs are a laptop's: SQLite, the local bus, and ``objects_folder`` as ``gs://``. Without
    it they are Google's. ``vertex_url`` replaces the host of every call to Vertex AI, and then no real token is sent.
    ``local_subscriptions`` is JSON for the local bus: the functions by topic.

    ``vendors`` is JSON, by the vendors of model names: ``{"azure": {"base_url": …, "secret": …}}``. ``entra_*`` and
    ``aws_role`` are who the installation is in Azure and AWS; without ``entra_secret`` Google's identity token is the
    proof. ``aws_secret`` refers to AWS keys (a JSON object) and goes before ``aws_role``. Datasets for Bedrock lie in
    the S3 bucket ``aws_bucket``, which ``bedrock_role`` (the ARN of a role that Bedrock takes on) may read and write;
    ``aws_url`` replaces the host of every call to S3, STS and Bedrock's control plane, and then keys may be missing.
    ``allow_retired`` is a JSON list of the owners who may tune retired base models, or ``*``.
    ``max_cost_usd`` is what one tuning job may cost before somebody has to approve it. ``tuning_quotas`` is JSON, by
    backends: how many jobs each trains at once for this project (``{"vertex_ai": 4}``); sweeps start no more.
    ``deploy_open_models`` says whether tuned open models, whose machines cost by the hour, are deployed by themselves
    (``auto``) or when somebody asks for it (``manual``); ``max_deployment_usd_per_hour`` is what one deployment may
    cost an hour before only an admin can ask for it; ``serving_file`` holds an installation's own machines,
    containers and prices for them.
    ``private_sources`` lets datasets and pictures come from https:// addresses in private networks. What is put under
    ``watch_prefix`` (``gs://bucket/path/``) is linted by itself.
    ``prices_file`` holds an installation's own prices. ``secrets_url`` replaces Secret Manager's address.
    ``webhook_secret`` refers to the secret that those of webhooks are made from; a laptop makes its own.
    """

    project: str = "local-project"
    location: str = "us-central1"
    database: str = "(default)"
    bucket: str = "tuneway-local"
    local_subscriptions: str = "{}"
    state_folder: Path | None = None
    objects_folder: Path | None = None
    vertex_url: str | None = None
    firestore_url: str = "https://firestore.googleapis.com"
    firestore_emulator: str | None = None
    pubsub_emulator: str | None = None
    metadata_url: str = "http://metadata.google.internal"
    secrets_url: str | None = None
    webhook_secret: str | None = None
    vendors: str = "{}"
    entra_tenant: str | None = None
    entra_client: str | None = None
    entra_secret: str | None = None
    aws_role: str | None = None
    aws_secret: str | None = None
    aws_region: str = "us-east-1"
    aws_bucket: str | None = None
    aws_url: str | None = None
    bedrock_role: str | None = None
    private_sources: bool = False
    watch_prefix: str | None = None
    prices_file: Path | None = None
    log_file: Path | None = None
    catalogue_file: Path | None = None
    allow_retired: str = "[]"
    max_cost_usd: float | None = None
    tuning_quotas: str = "{}"
    deploy_open_models: Literal["auto", "manual"] = "auto"
    max_deployment_usd_per_hour: float | None = None
    serving_file: Path | None = None
    submit_timeout: float = 30.0
    call_timeout: float = 20.0
    upstream_connect_timeout: float = 5.0
    upstream_read_timeout: float = 600.0
    snapshot_refresh: float = 1.0
    snapshot_stale: float = 10.0
    max_body: int = 32 * 1024 * 1024

    @property
    def submit_lease(self) -> float:
        """How long a submission may be under way: its look-up and its call, and a margin for a slow clock."""
        return 2 * self.submit_timeout + 5

    @property
    def deploy_lease(self) -> float:
        """How long one step of a deployment may be under way: it looks at up to five things before it acts."""
        return 6 * max(self.call_timeout, self.submit_timeout / 2) + 5

    def to_env(self) -> dict[str, str]:
        """The variables that make these settings; what is unset is absent."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}


def from_env(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, or of the given variables. Raises msgspec.ValidationError naming the variable."""
    source = os.environ if environment is None else environment
    given = {
        name.removeprefix(PREFIX).lower(): value for name, value in source.items() if name.startswith(PREFIX) and value
    }
    return msgspec.convert(given, Settings, strict=False, dec_hook=_path)


def environment() -> Mapping[str, str]:
    """The variables of this process, for references of the form ``env:NAME``."""
    return os.environ


def export(settings: Settings) -> None:
    """Make this process's environment say ``settings``, for functions that are loaded into it."""
    os.environ.update(settings.to_env())
    # Google's own clients look for these names.
    for name, value in (
        ("FIRESTORE_EMULATOR_HOST", settings.firestore_emulator),
        ("PUBSUB_EMULATOR_HOST", settings.pubsub_emulator),
    ):
        if value is not None:
            os.environ[name] = value


def _path(kind: type, value: object) -> object:
    return Path(str(value)) if kind is Path else value
