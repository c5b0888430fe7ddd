"""The plain gcloud commands: the installed gcloud takes each, and they make what Terraform makes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.infra import hcl
from tests.infra.faults import ROOT
from tests.infra.gcloud import PROJECT, commands, complaints, environments, flags, planned, steps
from tests.infra.terraform import BINARY, resources, terraform
from tuneway.cli.deploy.installation import TERRAFORM_ALONE, Installation, Spans, Told
from tuneway.cli.deploy.state import LIFECYCLE
from tuneway.cli.deploy.steps import Part
from tuneway.cli.deploy.tables import tables
from tuneway.local.manifest import load

pytestmark = pytest.mark.xdist_group("terraform")
MANIFEST = load()
# Every variable that both ways know, with a value that is not its default.
EVERYTHING: dict[str, Any] = {
    "vendors": {"azure": {"base_url": "https://a.example", "api_version": "v1"}, "custom_openai": {"secret": False}},
    "settings": {
        "max_cost_usd": 12.5,
        "max_deployment_usd_per_hour": 40,
        "allow_retired": ["*"],
        "tuning_quotas": {"vertex_ai": 4},
        "private_sources": True,
        "deploy_open_models": "manual",
        "watch": "incoming/",
        "entra_tenant": "t",
        "entra_client": "c",
        "entra_secret": True,
        "aws_secret": True,
        "webhook_secret": True,
        "aws_region": "eu-west-1",
        "aws_bucket": "b",
        "bedrock_role": "r",
    },
    "instances": {"predict": {"min": 1, "max": 100}},
    "dataset_buckets": ["rows"],
    "media_buckets": ["images"],
    "tuning_agents": ["service-1@gcp-sa-aiplatform.iam.gserviceaccount.com"],
    "secret_environment": {"OPENAI_API_KEY": "openai-key"},
    "files": {"prices_file": "our-prices"},
    "otlp": {"endpoint": "https://c.example:4318", "headers_secret": "otlp-headers", "sampler": "always_on"},
    "labels": {"team": "ml"},
}
Made = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Part]:
    return planned(tmp_path_factory.mktemp("plan"), **EVERYTHING)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    if BINARY is None:
        pytest.skip("terraform is not installed")
    with terraform(tmp_path_factory.mktemp("terraform")) as planner:
        yield resources(planner.plan(project=PROJECT, deletion_protection=False, **EVERYTHING))


@pytest.mark.parametrize(
    "variables",
    [{}, EVERYTHING, {"public": False, "members": ["group:ml@example.com"]}, {"deletion_protection": True}],
)
def test_gcloud_takes_every_command(tmp_path: Path, variables: dict[str, Any]) -> None:
    lines = commands(planned(tmp_path, **variables))
    assert len(lines) > 200
    assert complaints(lines, tmp_path) == {}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("--ack-deadline=", "--ack-deadlin="),
        ("--runtime=python313", "--runtme=python313"),
        ("--type=firestore-native", "--type=firestore-natives"),
        ("--oidc-token-audience=", "--oidc-audience="),
        ("--min-retry-delay=10s", "--min-retry-delay=soon"),
        ("add-iam-policy-binding", "add-iam-binding"),
    ],
)
def test_a_planted_mistake_is_found(tmp_path: Path, parts: list[Part], good: str, bad: str) -> None:
    words = next(words for words in commands(parts) if any(good in word for word in words))
    broken = tuple(word.replace(good, bad) for word in words)
    assert complaints([words], tmp_path) == {}
    assert broken in complaints([broken], tmp_path)


def test_every_variable_of_terraform_is_known() -> None:
    blocks = {block.labels[0]: block for block in hcl.blocks(ROOT / "infra", "variable")}
    known = {*Installation.__struct_fields__, *TERRAFORM_ALONE, "bundles"}
    assert set(blocks) == known, "give shared/tuneway/cli/deploy/installation.py the same variables"
    for name, kind in (("settings", Told), ("otlp", Spans)):
        fields = set(re.findall(r"(\w+)\s*=\s*(?:optional|string)|'(\w+)':", str(blocks[name].body["type"])))
        assert {one or other for one, other in fields} == set(kind.__struct_fields__), name


def test_every_variable_is_told_of() -> None:
    told = (ROOT / "docs/deploy.md").read_text()
    for name in {*Installation.__struct_fields__, *Told.__struct_fields__, *TERRAFORM_ALONE, "bundles"}:
        assert f"`{name}`" in told, f"tell of {name} in docs/deploy.md, Settings"


def test_the_tables_are_read_as_terraform_reads_them() -> None:
    ours, theirs = tables(), hcl.values(ROOT / "infra")
    for name in ("indexes", "unindexed", "expiring", "project_roles", "bucket_roles"):
        read = {key: _plain(value) for key, value in getattr(ours, name).items()}
        assert read == hcl.plain(theirs[name][0]), name
    assert list(ours.of_database) == hcl.plain(theirs["of_database"][0])


@pytest.mark.parametrize("name", sorted(MANIFEST.functions))
def test_a_function_is_as_terraform_makes_it(parts: list[Part], made: Made, name: str) -> None:
    (step,) = steps(parts, f"functions deploy {_cloud(name)} ")
    said, planned_ = flags(step.make), made[f'google_cloudfunctions2_function.this["{name}"]']
    (service,), (build,) = planned_["service_config"], planned_["build_config"]
    assert {
        "available_memory": said["memory"],
        "available_cpu": said["cpu"],
        "timeout_seconds": int(said["timeout"].removesuffix("s")),
        "max_instance_request_concurrency": int(said["concurrency"]),
        "min_instance_count": int(said["min-instances"]),
        "max_instance_count": int(said["max-instances"]),
        "environment_variables": environments(parts)[name],
    }.items() <= service.items()
    ingress = {"all": "ALLOW_ALL", "internal-only": "ALLOW_INTERNAL_ONLY"}
    assert ingress[said["ingress-settings"]] == service["ingress_settings"]
    assert (said["runtime"], said["entry-point"], planned_["name"]) == (
        build["runtime"],
        build["entry_point"],
        _cloud(name),
    )
    assert _secrets(said.get("set-secrets", "")) == _secrets_of(service)
    triggers = [trigger["event_type"] for trigger in planned_["event_trigger"]]
    assert triggers == [word.partition("type=")[2] for word in step.make if "filters=type=" in word]


def test_public_functions_are_public_and_the_rest_are_the_callers(parts: list[Part], made: Made) -> None:
    everyone = 'google_cloud_run_v2_service_iam_member.public["{} allUsers"]'
    caller = 'google_cloud_run_v2_service_iam_member.caller["{}"]'
    for name in MANIFEST.functions:
        (step,) = steps(parts, f"functions deploy {_cloud(name)} ")
        invokers = [
            flags(each.make)["member"] for each in steps(parts, f"run services add-iam-policy-binding {_cloud(name)} ")
        ]
        assert ("--allow-unauthenticated" in step.make) == (everyone.format(name) in made)
        expected = [f"serviceAccount:tuneway-caller@{PROJECT}.iam.gserviceaccount.com"] * (caller.format(name) in made)
        assert invokers == expected


def test_every_role_on_the_project_is_one_of_terraforms(parts: list[Part], made: Made) -> None:
    ours = {
        (flags(step.make)["member"].removeprefix("serviceAccount:").partition("@")[0], flags(step.make)["role"])
        for step in steps(parts, "projects add-iam-policy-binding")
    }
    theirs = {
        (_cloud(address.partition('"')[2].partition(".")[0]), values["role"])
        for address, values in made.items()
        if address.startswith("google_project_iam_member.uses")
    }
    models = {
        (_cloud(address.split('"')[1]), f"projects/{PROJECT}/roles/tuneway_models")
        for address in made
        if address.startswith("google_project_iam_member.models")
    }
    fixed = {
        ("tuneway-build", "roles/logging.logWriter"),
        ("tuneway-build", "roles/storage.objectViewer"),
        ("tuneway-caller", "roles/eventarc.eventReceiver"),
        ("service-${PROJECT_NUMBER}", "roles/pubsub.publisher"),
    }
    assert ours == theirs | models | fixed


def test_roles_on_the_state_hold_for_its_database_alone(parts: list[Part], made: Made) -> None:
    bound = [
        flags(step.make) for step in steps(parts, "projects add-iam-policy-binding") if "datastore" in str(step.make)
    ]
    wanted = f'title=tuneway-database,expression=resource.name == "projects/{PROJECT}/databases/tuneway"'
    assert bound
    assert {said["condition"] for said in bound} == {wanted}


def test_topics_and_their_publishers_are_terraforms(parts: list[Part], made: Made) -> None:
    topics = {step.make[4] for step in steps(parts, "pubsub topics create")}
    assert topics == _keys(made, "google_pubsub_topic.this")
    given = {
        f"{_function(flags(step.make)['member'])}.{step.make[4]}"
        for step in steps(parts, "pubsub topics add-iam-policy-binding")
        if "serviceAccount:tuneway-" in str(step.make)
    }
    assert given == _keys(made, "google_pubsub_topic_iam_member.publishes")


def test_subscriptions_are_terraforms(parts: list[Part], made: Made) -> None:
    found = {step.make[4]: step for step in steps(parts, "pubsub subscriptions create")}
    assert set(found) == _keys(made, "google_pubsub_subscription.this")
    for name, step in found.items():
        said, values = flags(step.make), made[f'google_pubsub_subscription.this["{name}"]']
        assert int(said["ack-deadline"]) == values["ack_deadline_seconds"]
        assert said["message-retention-duration"] == values["message_retention_duration"]
        assert values["expiration_policy"] == [{"ttl": ""}]
        assert said["expiration-period"] == "never"
        backoff = {"minimum_backoff": said["min-retry-delay"], "maximum_backoff": said["max-retry-delay"]}
        assert [backoff] == values["retry_policy"]
        attempts = [policy["max_delivery_attempts"] for policy in values["dead_letter_policy"]]
        assert attempts == ([int(said["max-delivery-attempts"])] if "max-delivery-attempts" in said else [])
        assert said["push-endpoint"].endswith(f"_URL}}/projects/{PROJECT}/topics/{name.partition('.')[0]}")


def test_an_update_says_what_a_creation_says(parts: list[Part]) -> None:
    for start in ("pubsub subscriptions create", "scheduler jobs create http"):
        for step in steps(parts, start):
            made_, changed = flags(step.make), flags(step.change)
            differing = {"topic", "labels", "update-labels"}
            assert {n: v for n, v in made_.items() if n not in differing} == {
                n: v for n, v in changed.items() if n not in differing
            }


def test_the_beat_is_terraforms(parts: list[Part], made: Made) -> None:
    (step,) = steps(parts, "scheduler jobs create http")
    said, values = flags(step.make), made['google_cloud_scheduler_job.this["tick"]']
    assert (said["schedule"], said["time-zone"]) == (values["schedule"], values["time_zone"])
    assert said["attempt-deadline"] == values["attempt_deadline"]
    assert int(said["max-retry-attempts"]) == values["retry_config"][0]["retry_count"]
    assert (said["uri"], said["oidc-token-audience"]) == ("${TICK_URL}/tick", "${TICK_URL}")


def test_the_database_and_its_indexes_are_terraforms(parts: list[Part], made: Made) -> None:
    indexes = {
        (flags(step.make)["collection-group"], *(word.split("=", 1)[1] for word in step.make if "field-config" in word))
        for step in steps(parts, "firestore indexes composite create")
    }
    assert indexes == {
        (
            values["collection"],
            *(f"field-path={field['field_path']},order={field['order'].lower()}" for field in values["fields"][:2]),
        )
        for address, values in made.items()
        if address.startswith("google_firestore_index.")
    }
    unasked = {
        f"{flags(step.make)['collection-group']}.{step.make[5]}"
        for step in steps(parts, "firestore indexes fields update")
    }
    assert unasked == _keys(made, "google_firestore_field.unindexed")


def test_secrets_and_their_readers_are_terraforms(parts: list[Part], made: Made) -> None:
    secrets = {step.make[3] for step in steps(parts, "secrets create")}
    assert secrets == {
        values["secret_id"] for a, values in made.items() if a.startswith("google_secret_manager_secret.")
    }
    readers = {
        (_function(flags(step.make)["member"]), step.make[3]) for step in steps(parts, "secrets add-iam-policy-binding")
    }
    theirs = {
        (address.partition('"')[2].partition(".")[0], values["secret_id"])
        for address, values in made.items()
        if address.startswith("google_secret_manager_secret_iam_member.")
    }
    assert readers == theirs


def test_the_readers_of_buckets_are_terraforms(parts: list[Part], made: Made) -> None:
    ours = {
        (
            flags(step.make)["member"].removeprefix("serviceAccount:").partition("@")[0],
            step.make[4],
            flags(step.make)["role"],
        )
        for step in steps(parts, "storage buckets add-iam-policy-binding")
    }
    bucket = f"gs://{PROJECT}-tuneway"
    uses = {
        (_cloud(key.partition(".")[0]), bucket, made[f'google_storage_bucket_iam_member.uses["{key}"]']["role"])
        for key in _keys(made, "google_storage_bucket_iam_member.uses")
    }
    others = {
        (_cloud(key.partition(".")[0]), f"gs://{key.partition('.')[2]}", "roles/storage.objectViewer")
        for key in _keys(made, "google_storage_bucket_iam_member.reads")
    }
    agents = {("service-1", bucket, "roles/storage.objectUser")}
    assert ours == uses | others | agents


def test_apis_and_identities_are_terraforms(parts: list[Part], made: Made) -> None:
    (apis,) = steps(parts, "services enable")
    ours = {word.removesuffix(".googleapis.com") for word in apis.make if word.endswith(".googleapis.com")}
    assert ours == _keys(made, "google_project_service.this")
    accounts = {step.make[4] for step in steps(parts, "iam service-accounts create")}
    assert accounts == {v["account_id"] for a, v in made.items() if a.startswith("google_service_account.")}


def test_the_role_that_calls_models_is_terraforms(parts: list[Part], made: Made) -> None:
    (step,) = steps(parts, "iam roles create")
    role = made["google_project_iam_custom_role.models"]
    said = flags(step.make)
    assert (step.make[4], said["title"], said["permissions"].split(",")) == (
        role["role_id"],
        role["title"],
        role["permissions"],
    )


def test_the_rules_of_the_bucket_are_terraforms(made: Made) -> None:
    bucket = made["google_storage_bucket.files"]
    theirs = {(r["action"][0]["type"], r["condition"][0]["age"]) for r in bucket["lifecycle_rule"]}
    rules = [msgspec.to_builtins(rule) for rule in LIFECYCLE["rule"]]
    assert {(rule["action"]["type"], rule["condition"]["age"]) for rule in rules} == theirs
    assert bucket["soft_delete_policy"] == [{"retention_duration_seconds": 0}]


def test_the_usage_sink_is_terraforms(parts: list[Part], made: Made) -> None:
    sinks = {step.make[4]: flags(step.make)["log-filter"] for step in steps(parts, "logging sinks create")}
    theirs = {v["name"]: v["filter"] for a, v in made.items() if a.startswith("google_logging_project_sink.")}
    assert sinks == theirs


def _plain(value: object) -> object:
    match value:
        case tuple():
            return list(value)
        case str():
            return value
        case _:
            return {name: getattr(value, name) for name in ("collection", "equal", "order", "direction")}


def _cloud(name: str) -> str:
    return f"tuneway-{name.replace('_', '-')}"


def _function(member: str) -> str:
    return member.removeprefix("serviceAccount:tuneway-").partition("@")[0].replace("-", "_")


def _keys(made: Made, kind: str) -> set[str]:
    return {address.partition('"')[2].removesuffix('"]') for address in made if address.startswith(f"{kind}[")}


def _secrets(text: str) -> set[tuple[str, str]]:
    return {
        (place, secret.removesuffix(":latest"))
        for place, _, secret in (e.rpartition("=") for e in text.split(",") if e)
    }


def _secrets_of(service: dict[str, Any]) -> set[tuple[str, str]]:
    variables = {(each["key"], each["secret"]) for each in service["secret_environment_variables"]}
    return variables | {(f"{each['mount_path']}:/file.json", each["secret"]) for each in service["secret_volumes"]}
