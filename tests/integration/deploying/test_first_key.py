"""The first key, written to Firestore's emulator and known to the doors that read it."""

import json
import subprocess
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client

from tests.integration.stack.running import command
from tuneway import settings
from tuneway.access.keys import Scope
from tuneway.adapters.firestore_documents import FirestoreDocuments
from tuneway.registry.keyring import Keyring
from tuneway.routing.snapshot import current


def first(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    line = [command(), "keys", "first", "--project", "first-keys-1", *words]
    known = {**settings.environment(), **environment}
    return subprocess.run(line, env=known, capture_output=True, text=True, timeout=300, check=False)


def test_one_command_makes_a_key_that_opens_everything(
    firestore_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = first({"FIRESTORE_EMULATOR_HOST": firestore_emulator}, "--database", "(default)", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    documents = FirestoreDocuments(Client(project="first-keys-1", credentials=AnonymousCredentials()))
    grant = Keyring(documents, now=float, randomness=bytes).grant(made["key"])
    assert grant is not None
    assert (grant.owner, grant.scopes) == ("platform", tuple(Scope))
    assert grant in current(documents).keys.values()


def test_the_key_stands_alone_on_a_line(firestore_emulator: str) -> None:
    done = first({"FIRESTORE_EMULATOR_HOST": firestore_emulator}, "--database", "(default)", "--owner", "ml")
    assert done.stdout.startswith("tw-")
    assert len(done.stdout.split()) == 1
    assert "not stored" in done.stderr


def test_without_a_login_it_says_how_to_get_one(tmp_path: Path) -> None:
    nobody = {
        "CLOUDSDK_CONFIG": str(tmp_path),
        "HOME": str(tmp_path),
        "NO_GCE_CHECK": "true",
        "GOOGLE_APPLICATION_CREDENTIALS": "",
    }
    done = first(nobody)
    assert done.returncode == 1
    assert "gcloud auth login" in done.stderr
    assert "Traceback" not in done.stderr
