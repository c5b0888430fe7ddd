"""What is kept: the database with its indexes, the bucket of files, secrets without values."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tuneway.cli.deploy.environment import secrets
from tuneway.cli.deploy.foundation import bucket, labels
from tuneway.cli.deploy.installation import Installation
from tuneway.cli.deploy.steps import Part, Step, Written, gcloud, pairs
from tuneway.cli.deploy.tables import Tables
from tuneway.local.manifest import Manifest

WEEK = "604800s"
# infra/storage.tf: datasets are read for a few weeks, then kept for lineage; an upload that was cut off bills, unseen.
LIFECYCLE = {
    "rule": [
        {
            "action": {"type": "SetStorageClass", "storageClass": "NEARLINE"},
            "condition": {"age": 60, "matchesPrefix": ["files/"], "matchesStorageClass": ["STANDARD"]},
        },
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
    ]
}


def state(made: Installation, manifest: Manifest, *, tables: Tables, folder: Path) -> Iterator[Part]:
    """The steps, in order."""
    yield _database(made)
    yield from _indexes(made, tables)
    yield from _files(made, manifest, tables=tables, folder=folder)
    yield from _secrets(made)


def _database(made: Installation) -> Step:
    where = {"database": made.database, "project": made.project}
    on = {"delete_protection": True, "enable_pitr": True} if made.deletion_protection else {}
    return Step(
        title=f"database {made.database}",
        look=gcloud("firestore databases describe", **where),
        make=gcloud("firestore databases create", location=made.region, type="firestore-native", **where, **on),
        # Protection that is there already, however it came, is never taken away by a run that does not name it.
        change=gcloud("firestore databases update", **where, **on) if on else (),
    )


def _indexes(made: Installation, tables: Tables) -> Iterator[Step]:
    where = {"database": made.database, "project": made.project}
    for name, index in tables.indexes.items():
        fields = (
            f"--field-config=field-path={index.equal},order=ascending",
            f"--field-config=field-path={index.order},order={index.direction.lower()}",
        )
        make = gcloud(
            "firestore indexes composite create",
            *fields,
            collection_group=index.collection,
            query_scope="collection",
            **where,
        )
        yield Step(title=f"index {name}", make=make, there="already exists")
    # Each takes a minute of the database's own time; nothing waits for it.
    for collection, unasked in tables.unindexed.items():
        for field in unasked:
            where_ = {"collection_group": collection, **where}
            make = gcloud("firestore indexes fields update", field, disable_indexes=True, **{"async": True}, **where_)
            yield Step(title=f"no index of {collection}.{field}", make=make)
    for collection, field in tables.expiring.items():
        make = gcloud(
            "firestore fields ttls update",
            field,
            collection_group=collection,
            enable_ttl=True,
            **{"async": True},
            **where,
        )
        yield Step(title=f"{collection} go by {field}", make=make)


def _files(made: Installation, manifest: Manifest, *, tables: Tables, folder: Path) -> Iterator[Part]:
    rules = Written(path=str(folder / "lifecycle.json"), text=msgspec.json.encode(LIFECYCLE).decode())
    yield rules
    protected = WEEK if made.deletion_protection else "0"
    yield from bucket(made, made.bucket, soft_delete_duration=protected, lifecycle_file=rules.path)
    for function, spec in manifest.functions.items():
        member = made.account(f"{made.name}-{function.replace('_', '-')}")
        for role in (tables.bucket_roles[use] for use in spec.uses if use in tables.bucket_roles):
            yield _reader(made, made.bucket, member, role=role)
        others = {"files": made.dataset_buckets, "media": made.media_buckets}
        for name in (name for use in spec.uses for name in others.get(use, ())):
            yield _reader(made, name, member, role="roles/storage.objectViewer")
    for agent in made.tuning_agents:
        yield _reader(made, made.bucket, agent, role="roles/storage.objectUser")


def _reader(made: Installation, name: str, member: str, *, role: str) -> Step:
    words = {"member": f"serviceAccount:{member}", "role": role, "project": made.project}
    make = gcloud("storage buckets add-iam-policy-binding", f"gs://{name}", **words)
    return Step(title=f"{member.partition('@')[0]} gets {role} on {name}", make=make, patient=True)


def _secrets(made: Installation) -> Iterator[Step]:
    for name in secrets(made):
        secret = f"{made.name}-{name}"
        shown = pairs(labels(made))
        yield Step(
            title=f"secret {secret}",
            look=gcloud("secrets describe", secret, project=made.project),
            make=gcloud(
                "secrets create",
                secret,
                project=made.project,
                replication_policy="user-managed",
                locations=made.region,
                labels=shown,
            ),
            change=gcloud("secrets update", secret, project=made.project, update_labels=shown),
        )
