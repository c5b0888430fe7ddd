"""What is sent to Vertex AI's Model Registry, held against Google's own messages."""

from google.cloud import aiplatform_v1

from tests.unit.adapters.test_vertex_serving import parsed
from tuneway.adapters.vertex_models import labelled, merge

NAME = "projects/p/locations/us-central1/models/9@2"


def test_aliases_are_given_and_taken_away() -> None:
    asked = parsed(merge(("prod", "canary"), ("old",)), aiplatform_v1.MergeVersionAliasesRequest)
    assert list(asked.version_aliases) == ["prod", "canary", "-old"]


def test_labels_are_those_of_the_version() -> None:
    asked = parsed(labelled(NAME, {"team": "shop"}), aiplatform_v1.Model)
    assert (asked.name, dict(asked.labels)) == (NAME, {"team": "shop"})
