"""The ground an installation stands on: APIs, bundles, the repository of images, who builds; ``infra/bundles.tf``."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tuneway.cli.deploy.installation import Installation
from tuneway.cli.deploy.steps import Flag, Part, Step, Words, Written, gcloud, pairs
from tuneway.local.manifest import Manifest, StorageTrigger

APIS = (
    "aiplatform",
    "artifactregistry",
    "cloudbuild",
    "cloudfunctions",
    "cloudscheduler",
    "firestore",
    "iam",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "secretmanager",
    "storage",
)
NUMBER = "${PROJECT_NUMBER}"
KEPT_IMAGES = [
    {"name": "keep-recent", "action": {"type": "Keep"}, "mostRecentVersions": {"keepCount": 5}},
    {"name": "delete-old", "action": {"type": "Delete"}, "condition": {"tagState": "any", "olderThan": "2592000s"}},
]


def labels(made: Installation) -> dict[str, str]:
    """The labels of everything that takes labels."""
    return {**made.labels, "app": made.name}


def watches(manifest: Manifest) -> bool:
    """Whether a function takes what happens to objects, which needs Eventarc."""
    return any(isinstance(function.trigger, StorageTrigger) for function in manifest.functions.values())


def foundation(made: Installation, manifest: Manifest, *, bundles: Path) -> Iterator[Part]:
    """The steps, in order."""
    yield from _apis(made, manifest)
    yield from _bundles(made, manifest, bundles)
    yield from _images(made, bundles)
    yield from _builder(made)


def object_of(made: Installation, function: str, bundles: Path) -> str:
    """Where a function's bundle lies: named by its content, so that equal code has one name."""
    digest = hashlib.sha256((bundles / f"{function}.zip").read_bytes()).hexdigest()
    return f"gs://{made.bundles}/{function}-{digest}.zip"


def account(made: Installation, id_: str, *, shown: str) -> Step:
    """A service account."""
    return Step(
        title=f"identity {id_}",
        look=gcloud("iam service-accounts describe", made.account(id_), project=made.project),
        make=gcloud("iam service-accounts create", id_, project=made.project, display_name=shown),
        change=gcloud("iam service-accounts update", made.account(id_), project=made.project, display_name=shown),
    )


def project_role(made: Installation, member: str, role: str, *, condition: str = "None") -> Step:
    """A role on the project; ``condition`` is ``None`` for none, as gcloud wants to hear it."""
    words = {"member": f"serviceAccount:{member}", "role": role, "condition": condition}
    make = gcloud("projects add-iam-policy-binding", made.project, **words, format="none")
    return Step(title=f"{member.partition('@')[0]} gets {role}", make=make, patient=True)


def bucket(made: Installation, name: str, **flags: Flag) -> Iterator[Step]:
    """A bucket that nobody outside can read; it takes labels only once it is there."""
    said = {"public_access_prevention": True, "uniform_bucket_level_access": True, "project": made.project, **flags}
    url = f"gs://{name}"
    yield Step(
        title=f"bucket {name}",
        look=gcloud("storage buckets describe", url, project=made.project),
        make=gcloud("storage buckets create", url, location=made.region, **said),
    )
    update = gcloud("storage buckets update", url, update_labels=pairs(labels(made)), **said)
    yield Step(title=f"bucket {name} as it should be", make=update)


def _apis(made: Installation, manifest: Manifest) -> Iterator[Step]:
    apis = [*APIS, *(["eventarc"] if watches(manifest) else [])]
    names = [f"{api}.googleapis.com" for api in apis]
    yield Step(title="APIs", make=gcloud("services enable", *names, project=made.project))
    number = gcloud("projects describe", made.project, format="value(projectNumber)")
    yield Step(title="the project's number", make=number, into="PROJECT_NUMBER")
    for agent in ("pubsub", *(("eventarc",) if watches(manifest) else ())):
        create = gcloud("beta services identity create", service=f"{agent}.googleapis.com", project=made.project)
        yield Step(title=f"the service agent of {agent}", make=create)
    yield Step(title="the service agent of storage", make=gcloud("storage service-agent", project=made.project))


def _bundles(made: Installation, manifest: Manifest, folder: Path) -> Iterator[Step]:
    yield from bucket(made, made.bundles, soft_delete_duration="0")
    for function in manifest.functions:
        place = object_of(made, function, folder)
        make: Words = gcloud("storage cp", str(folder / f"{function}.zip"), place, no_clobber=True)
        yield Step(title=f"bundle of {function}", make=make, look=gcloud("storage objects describe", place))


def _images(made: Installation, folder: Path) -> Iterator[Part]:
    where = {"location": made.region, "project": made.project}
    repository = f"{made.name}-functions"
    told = {"description": f"Images of the {made.name} functions, made by Cloud Build.", **where}
    yield Step(
        title=f"repository {repository}",
        look=gcloud("artifacts repositories describe", repository, **where),
        make=gcloud(
            "artifacts repositories create", repository, repository_format="docker", labels=pairs(labels(made)), **told
        ),
        change=gcloud("artifacts repositories update", repository, update_labels=pairs(labels(made)), **told),
    )
    policy = Written(path=str(folder / "images.json"), text=msgspec.json.encode(KEPT_IMAGES).decode())
    yield policy
    clean = gcloud(
        "artifacts repositories set-cleanup-policies", repository, policy=policy.path, no_dry_run=True, **where
    )
    yield Step(title="old images go", make=clean)


def _builder(made: Installation) -> Iterator[Step]:
    id_ = f"{made.name}-build"
    who = made.account(id_)
    yield account(made, id_, shown=f"Builds the {made.name} functions")
    yield project_role(made, who, "roles/logging.logWriter")
    writes = {"member": f"serviceAccount:{who}", "role": "roles/artifactregistry.writer", "location": made.region}
    make = gcloud(
        "artifacts repositories add-iam-policy-binding", f"{made.name}-functions", project=made.project, **writes
    )
    yield Step(title="the builder may keep images", make=make, patient=True)
    starts = " || ".join(
        f'resource.name.startsWith("projects/_/buckets/{prefix}")' for prefix in ("gcf-v2-", made.bundles)
    )
    condition = f"title={made.name}-sources,expression={starts}"
    yield project_role(made, who, "roles/storage.objectViewer", condition=condition)
