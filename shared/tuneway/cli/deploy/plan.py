"""A whole installation as ``gcloud`` commands, in order: from the manifest and the tables of ``infra/``."""

from pathlib import Path

from tuneway.cli.deploy.doors import doors
from tuneway.cli.deploy.events import beats, subscriptions, topics, usage
from tuneway.cli.deploy.foundation import foundation
from tuneway.cli.deploy.identities import granted_secrets, identities
from tuneway.cli.deploy.installation import Installation
from tuneway.cli.deploy.state import state
from tuneway.cli.deploy.steps import Part
from tuneway.cli.deploy.tables import Tables
from tuneway.errors import BadInput
from tuneway.local.manifest import Manifest


def plan(made: Installation, manifest: Manifest, *, tables: Tables, folder: Path) -> list[Part]:
    """Every step; ``folder`` holds the bundles, and takes the files that commands read. Raises BadInput."""
    for name in sorted(set(made.instances) - set(manifest.functions)):
        raise BadInput(f"instances names {name}, which is not in functions/manifest.yaml.", param="instances")
    return [
        *foundation(made, manifest, bundles=folder),
        *identities(made, manifest, tables),
        *state(made, manifest, tables=tables, folder=folder),
        *granted_secrets(made, manifest),
        *topics(made, manifest),
        *doors(made, manifest, folder=folder),
        *subscriptions(made, manifest),
        *beats(made, manifest),
        *usage(made, manifest),
    ]
