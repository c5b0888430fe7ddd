"""What an installation is told: the variables of ``infra/``, with their names and defaults, from ``-var`` texts."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tuneway.errors import BadInput

# Of the variables of infra/, those of what only Terraform makes.
TERRAFORM_ALONE = {"hostname": "a load balancer", "kms_key": "encryption with your own key", "alerts": "alerts"}

Amount = Annotated[float, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]


class Vendor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A vendor of models outside Vertex AI; ``secret`` says whether it gets one for its key."""

    base_url: str | None = None
    region: str | None = None
    api_version: str | None = None
    secret: bool = True


class Instances(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many instances of a function stay warm, and how many there may be."""

    min: Annotated[int, Meta(ge=0, le=1000)] = 0
    max: Annotated[int, Meta(ge=1, le=1000)] = 20


class Spans(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The variable ``otlp``: a collector that takes a span for each request and event."""

    endpoint: Annotated[str, Meta(pattern="^https?://[^/]+")]
    headers_secret: str | None = None
    sampler: Literal["always_on", "always_off", "parentbased_always_on"] | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The variable ``settings``: what tuneway is told beyond its place."""

    max_cost_usd: Amount | None = None
    allow_retired: tuple[str, ...] = ()
    tuning_quotas: dict[str, int] = {}
    private_sources: bool = False
    deploy_open_models: Literal["auto", "manual"] = "auto"
    max_deployment_usd_per_hour: Amount | None = None
    watch: Annotated[str, Meta(pattern="^[^/].*/$")] = "datasets/"
    entra_tenant: str | None = None
    entra_client: str | None = None
    entra_secret: bool = False
    aws_role: str | None = None
    aws_secret: bool = False
    webhook_secret: bool = False
    aws_region: str = "us-east-1"
    aws_bucket: str | None = None
    bedrock_role: str | None = None


class Installation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a plan is made from; protection is off as in infra/examples/minimal."""

    project: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    region: Annotated[str, Meta(pattern="^[a-z]+-[a-z]+[0-9]+$")] = "us-central1"
    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{1,13}[a-z0-9]$")] = "tuneway"
    database: Annotated[str, Meta(pattern=r"^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$")] = "tuneway"
    vendors: dict[str, Vendor] = {}
    settings: Told = Told()
    instances: dict[str, Instances] = {}
    public: bool = True
    members: tuple[Text, ...] = ()
    internal: bool = False
    dataset_buckets: tuple[Text, ...] = ()
    media_buckets: tuple[Text, ...] = ()
    tuning_agents: tuple[Text, ...] = ()
    secret_environment: dict[str, str] = {}
    otlp: Spans | None = None
    files: dict[Literal["prices_file", "catalogue_file", "serving_file"], str] = {}
    deletion_protection: bool = False
    labels: dict[str, str] = {}

    @property
    def bucket(self) -> str:
        """The bucket of files."""
        return f"{self.project}-{self.name}"

    @property
    def bundles(self) -> str:
        """The bucket of zips."""
        return f"{self.project}-{self.name}-bundles"

    def account(self, id_: str) -> str:
        """The address of one of the installation's service accounts."""
        return f"{id_}@{self.project}.iam.gserviceaccount.com"


def variables(texts: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` texts by their names. Raises BadInput."""
    for text in texts:
        if not re.match(r"\w+=", text):
            raise BadInput(f"'{text[:80]}' sets no variable. Write -var name=value.", param="var")
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def installation(project: str, region: str | None, given: Mapping[str, str]) -> Installation:
    """The installation that the variables describe; objects and lists are JSON. Raises BadInput naming the variable."""
    for name, what in TERRAFORM_ALONE.items():
        if name in given:
            raise BadInput(
                f"Plain gcloud commands make no {what}. Leave {name} out, or use --with terraform.", param=name
            )
    place = {"project": project} | ({"region": region} if region else {})
    try:
        made = msgspec.convert({**{name: _value(name, text) for name, text in given.items()}, **place}, Installation)
    except msgspec.ValidationError as fault:
        said = f"A variable does not fit: {fault}. Each stands in infra/variables.tf and infra/variables_operations.tf."
        raise BadInput(said, param="var") from fault
    _check(made)
    return made


def _value(name: str, text: str) -> object:
    if name in {"project", "region", "name", "database"}:
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as fault:
        raise BadInput(f"-var {name}={text[:80]} is no JSON: {fault}.", param=name) from fault


def _check(made: Installation) -> None:
    """What no type says. Raises BadInput."""
    told = made.settings
    if told.aws_secret and told.aws_role is not None:
        raise BadInput("Use either aws_role (no key to keep) or aws_secret.", param="settings")
    if (told.entra_tenant is None) != (told.entra_client is None):
        raise BadInput("entra_tenant and entra_client belong together.", param="settings")
    for function, count in made.instances.items():
        if count.min > count.max:
            raise BadInput(f"instances.{function} keeps more warm (min) than there may be (max).", param="instances")
    for name in made.secret_environment:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name) or name.startswith("TUNEWAY_"):
            raise BadInput(
                "Variables are written in capitals; TUNEWAY_ is kept for settings.", param="secret_environment"
            )
