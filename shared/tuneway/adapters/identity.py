"""Who this installation is to each cloud: its credentials, by the settings."""

from collections.abc import Callable, Mapping

from tuneway.adapters import aws_keys, entra_tokens
from tuneway.adapters.aws_keys import KeySource, LentKeys, Role, WrittenKeys
from tuneway.adapters.credentials import CloudCredentials
from tuneway.adapters.entra_tokens import ClientSecret, EntraApplication, EntraTokens, Federated, Proof
from tuneway.adapters.google_tokens import GoogleIdentity
from tuneway.adapters.secrets_environment import EnvironmentSecrets
from tuneway.adapters.secrets_manager import SecretManager
from tuneway.adapters.secrets_referenced import ReferencedSecrets
from tuneway.ports import Secrets, Tokens, Upstream
from tuneway.settings import Settings


def credentials(
    settings: Settings, upstream: Upstream, *, google: Tokens, environment: Mapping[str, str]
) -> CloudCredentials:
    """Google's identity, and those of Azure and AWS that the settings name. For one event loop."""
    secrets = referenced(settings, upstream, google=google, environment=environment)
    return CloudCredentials(
        secrets, google, entra=_entra(settings, upstream, secrets), aws=aws_source(settings, upstream, secrets)
    )


def referenced(
    settings: Settings, upstream: Upstream, *, google: Tokens, environment: Mapping[str, str]
) -> ReferencedSecrets:
    """The secrets behind references of either form."""
    manager = SecretManager(upstream, google, base_url=settings.secrets_url)
    return ReferencedSecrets({"env:": EnvironmentSecrets(environment), "projects/": manager})


def _entra(settings: Settings, upstream: Upstream, secrets: Secrets) -> Callable[[str], Tokens] | None:
    """Tokens for a scope: with the application's own secret, else with Google's word."""
    if settings.entra_tenant is None or settings.entra_client is None:
        return None
    application = EntraApplication(tenant=settings.entra_tenant, client=settings.entra_client)
    proof: Proof = Federated(_identity(settings, upstream, entra_tokens.AUDIENCE))
    if settings.entra_secret is not None:
        proof = ClientSecret(secrets, settings.entra_secret)
    return lambda scope: EntraTokens(upstream, application, proof, scope=scope)


def aws_source(settings: Settings, upstream: Upstream, secrets: Secrets) -> KeySource | None:
    """Where the installation's own AWS keys come from: a secret, else its role, else nowhere. For one event loop."""
    if settings.aws_secret is not None:
        return WrittenKeys(secrets, settings.aws_secret)
    if settings.aws_role is None:
        return None
    role = Role(arn=settings.aws_role, region=settings.aws_region)
    return LentKeys(upstream, _identity(settings, upstream, aws_keys.AUDIENCE), role, base_url=settings.aws_url)


def _identity(settings: Settings, upstream: Upstream, audience: str) -> GoogleIdentity:
    return GoogleIdentity(upstream, metadata_url=settings.metadata_url, audience=audience)
