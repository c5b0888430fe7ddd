"""Who each function is and what it may, by ``uses`` of the manifest: ``infra/iam.tf`` and ``infra/iam_caller.tf``."""

from collections.abc import Iterator

from tuneway.cli.deploy.environment import named_secrets, secrets
from tuneway.cli.deploy.foundation import NUMBER, account, project_role, watches
from tuneway.cli.deploy.installation import Installation
from tuneway.cli.deploy.steps import Step, gcloud, named
from tuneway.cli.deploy.tables import Tables
from tuneway.local.manifest import Function, Manifest

MODELS = "aiplatform.endpoints.get,aiplatform.endpoints.predict"
PUBSUB_AGENT = f"service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
STORAGE_AGENT = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"


def identities(made: Installation, manifest: Manifest, tables: Tables) -> Iterator[Step]:
    """The steps, in order: they need the APIs, and the database's name, not the database."""
    for function in manifest.functions:
        yield account(made, named(made.name, function), shown=f"The {function} function")
    yield from _caller(made, manifest)
    yield _models_role(made)
    for function, spec in manifest.functions.items():
        yield from _roles(made, function, spec, tables=tables)


def granted_secrets(made: Installation, manifest: Manifest) -> Iterator[Step]:
    """Which function may read which secret; the secrets are there by now."""
    for function, spec in manifest.functions.items():
        own = [f"{made.name}-{name}" for name in secrets(made)] if "secrets" in spec.uses else []
        environment = list(named_secrets(made, spec).values())
        files = [secret for name, secret in made.files.items() if name in spec.settings]
        for secret in dict.fromkeys([*own, *environment, *files]):
            member = f"serviceAccount:{made.account(named(made.name, function))}"
            words = {"member": member, "role": "roles/secretmanager.secretAccessor", "project": made.project}
            make = gcloud("secrets add-iam-policy-binding", secret, **words)
            yield Step(title=f"{function} reads {secret}", make=make, patient=True)


def _roles(made: Installation, function: str, spec: Function, *, tables: Tables) -> Iterator[Step]:
    member = made.account(named(made.name, function))
    database = f'resource.name == "projects/{made.project}/databases/{made.database}"'
    for use in spec.uses:
        if use in tables.project_roles:
            bound = f"title=tuneway-database,expression={database}" if use in tables.of_database else "None"
            yield project_role(made, member, tables.project_roles[use], condition=bound)
    if "models" in spec.uses:
        yield project_role(made, member, f"projects/{made.project}/roles/{_role_id(made)}")


def _models_role(made: Installation) -> Step:
    """Calling a model, and looking once at what an endpoint speaks: nothing that changes anything."""
    said = {"project": made.project, "title": f"Call models ({made.name})", "permissions": MODELS}
    return Step(
        title="the role that calls models",
        look=gcloud("iam roles describe", _role_id(made), project=made.project),
        make=gcloud("iam roles create", _role_id(made), **said),
        change=gcloud("iam roles update", _role_id(made), **said),
    )


def _role_id(made: Installation) -> str:
    return f"{made.name.replace('-', '_')}_models"


def _caller(made: Installation, manifest: Manifest) -> Iterator[Step]:
    """By whom Pub/Sub, Eventarc and Cloud Scheduler call."""
    id_ = f"{made.name}-caller"
    shown = f"Calls the {made.name} functions: topics, objects and the scheduler's beat"
    yield account(made, id_, shown=shown)
    signs = {"member": f"serviceAccount:{PUBSUB_AGENT}", "role": "roles/iam.serviceAccountOpenIdTokenCreator"}
    make = gcloud("iam service-accounts add-iam-policy-binding", made.account(id_), project=made.project, **signs)
    yield Step(title="Pub/Sub signs its calls as the caller", make=make, patient=True)
    if watches(manifest):
        yield project_role(made, made.account(id_), "roles/eventarc.eventReceiver")
        yield project_role(made, STORAGE_AGENT, "roles/pubsub.publisher")
