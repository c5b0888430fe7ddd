"""What Terraform would make, planned by Terraform itself."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.faults import ROOT
from tests.infra.terraform import BINARY, PROJECT, Refused, Terraform, resources, terraform
from tuneway.edge.telemetry.process import process
from tuneway.local.manifest import HttpTrigger, load
from tuneway.settings import from_env

pytestmark = [
    pytest.mark.skipif(BINARY is None, reason="terraform is not installed"),
    pytest.mark.xdist_group("terraform"),
]
MANIFEST = load()
EXAMPLES = sorted(path.name for path in (ROOT / "infra/examples").iterdir())


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    with terraform(tmp_path_factory.mktemp("terraform")) as found:
        yield found


@pytest.fixture(scope="module")
def plain(planner: Terraform) -> dict[str, dict[str, Any]]:
    return resources(planner.plan(project=PROJECT))


def test_the_files_are_formatted() -> None:
    done = subprocess.run(
        [str(BINARY), "fmt", "-check", "-recursive", ROOT / "infra"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_planned(planner: Terraform, example: str) -> None:
    main = planner.infra / "examples" / example / "main.tf"
    main.write_text(main.read_text().replace('backend "gcs"', 'backend "local"').replace('prefix = "tuneway"', ""))
    made = resources(planner.plan(f"examples/{example}"))
    assert sum(address.startswith("google_cloudfunctions2_function.this[") for address in made) == len(
        MANIFEST.functions
    )


@pytest.mark.parametrize("name", sorted(MANIFEST.functions))
def test_a_function_is_as_the_manifest_says(plain: dict[str, dict[str, Any]], name: str) -> None:
    function = MANIFEST.functions[name]
    made = plain[f'google_cloudfunctions2_function.this["{name}"]']
    (service,), (build,) = made["service_config"], made["build_config"]
    assert (service["available_memory"], service["available_cpu"]) == (function.memory, str(function.cpu))
    assert (service["timeout_seconds"], service["max_instance_request_concurrency"]) == (
        function.timeout,
        function.concurrency,
    )
    assert service["ingress_settings"] == ("ALLOW_ALL" if function.callers == "public" else "ALLOW_INTERNAL_ONLY")
    assert (build["entry_point"], build["runtime"]) == (name, "python313")


@pytest.mark.parametrize("name", sorted(MANIFEST.functions))
def test_a_function_is_told_what_it_reads_and_nothing_else(plain: dict[str, dict[str, Any]], name: str) -> None:
    function = MANIFEST.functions[name]
    told = plain[f'google_cloudfunctions2_function.this["{name}"]']["service_config"][0]["environment_variables"]
    given = {key.removeprefix("TUNEWAY_").lower() for key in told if key.startswith("TUNEWAY_")}
    assert given <= set(function.settings)
    assert {"project", "database"} <= given
    assert told.get("THREADS") == (None if function.is_async else str(function.concurrency))
    settings = from_env(told)
    assert (settings.project, settings.database, settings.state_folder) == (PROJECT, "tuneway", None)


SETTINGS = {
    "max_cost_usd": 12.5,
    "allow_retired": ["*"],
    "private_sources": True,
    "tuning_quotas": {"vertex_ai": 4},
    "entra_tenant": "t",
    "entra_client": "c",
    "entra_secret": True,
    "aws_role": "arn:aws:iam::1:role/r",
    "aws_bucket": "b",
    "bedrock_role": "r",
    "deploy_open_models": "manual",
}


def test_spans_go_where_the_installation_says_and_nowhere_else(
    planner: Terraform, plain: dict[str, dict[str, Any]]
) -> None:
    otlp = {"endpoint": "https://otlp.example:4318", "headers_secret": "otlp-headers", "sampler": "always_on"}
    made = resources(planner.plan(project=PROJECT, otlp=otlp))
    for name in MANIFEST.functions:
        address = f'google_cloudfunctions2_function.this["{name}"]'
        service = made[address]["service_config"][0]
        here = process(from_env(service["environment_variables"]), service["environment_variables"])
        assert (here.spans_url, here.sampler) == ("https://otlp.example:4318/v1/traces", "always_on")
        [secret] = service["secret_environment_variables"]
        assert (secret["key"], secret["secret"]) == ("OTEL_EXPORTER_OTLP_HEADERS", "otlp-headers")
        assert f'google_secret_manager_secret_iam_member.spans["{name}.otlp-headers"]' in made
        told = plain[address]["service_config"][0]
        assert not [key for key in told["environment_variables"] if key.startswith("OTEL_")]
        assert not told["secret_environment_variables"]


def test_a_collector_without_a_scheme_is_refused(planner: Terraform) -> None:
    with pytest.raises(Refused, match="OTLP over HTTP"):
        planner.plan(project=PROJECT, otlp={"endpoint": "collector:4317"})


def test_every_setting_that_can_be_given_arrives_as_the_code_reads_it(planner: Terraform) -> None:
    made = resources(
        planner.plan(
            project=PROJECT,
            vendors={"azure": {"base_url": "https://a.example"}, "custom_openai": {"secret": False}},
            settings=SETTINGS,
            files={"prices_file": "our-prices"},
            secret_environment={"OPENAI_API_KEY": "openai-key"},
        )
    )  # fmt: skip
    told: dict[str, str] = {}
    for name in MANIFEST.functions:
        told |= made[f'google_cloudfunctions2_function.this["{name}"]']["service_config"][0]["environment_variables"]
    settings = from_env(told)
    assert (settings.max_cost_usd, settings.allow_retired, settings.private_sources) == (12.5, '["*"]', True)
    assert json.loads(settings.vendors)["azure"] == {
        "base_url": "https://a.example",
        "secret": f"projects/{PROJECT}/secrets/tuneway-azure/versions/latest",
    }
    assert json.loads(settings.vendors)["custom_openai"] == {}
    assert json.loads(settings.tuning_quotas) == {"vertex_ai": 4}
    assert (settings.deploy_open_models, settings.aws_role) == ("manual", "arn:aws:iam::1:role/r")
    assert settings.entra_secret == f"projects/{PROJECT}/secrets/tuneway-entra/versions/latest"
    assert str(settings.prices_file) == "/etc/tuneway/prices_file/file.json"
    predict = made['google_cloudfunctions2_function.this["predict"]']["service_config"][0]
    assert [volume["secret"] for volume in predict["secret_volumes"]] == ["our-prices"]
    assert [variable["key"] for variable in predict["secret_environment_variables"]] == ["OPENAI_API_KEY"]
    assert 'google_secret_manager_secret_iam_member.own["predict.azure"]' in made
    assert 'google_secret_manager_secret_iam_member.own["tick.azure"]' not in made


def test_every_topic_is_there_and_every_event_function_subscribed(plain: dict[str, dict[str, Any]]) -> None:
    topics = {str(topic) for topic in MANIFEST.subscriptions()}
    assert {address for address in plain if address.startswith("google_pubsub_topic.")} == {
        f'google_pubsub_topic.this["{topic}"]' for topic in topics
    }
    for topic, functions in MANIFEST.subscriptions().items():
        for name in functions:
            made = plain[f'google_pubsub_subscription.this["{topic}.{name}"]']
            assert MANIFEST.functions[name].timeout < made["ack_deadline_seconds"] <= 600
            assert made["retry_policy"] == [{"minimum_backoff": "10s", "maximum_backoff": "600s"}]
            assert bool(made["dead_letter_policy"]) == (topic != "dead-letters")


def test_only_the_platform_calls_what_is_the_platforms(plain: dict[str, dict[str, Any]]) -> None:
    public = {name for name, function in MANIFEST.functions.items() if function.callers == "public"}
    caller = "google_cloud_run_v2_service_iam_member.caller"
    everyone = "google_cloud_run_v2_service_iam_member.public"
    assert {address for address in plain if address.startswith(caller)} == {
        f'{caller}["{name}"]' for name in set(MANIFEST.functions) - public
    }
    assert {address for address in plain if address.startswith(everyone)} == {
        f'{everyone}["{n} allUsers"]' for n in public
    }


def test_only_what_reads_a_bucket_may(planner: Terraform) -> None:
    made = resources(planner.plan(project=PROJECT, dataset_buckets=["rows"], media_buckets=["images"]))
    readers: dict[str, set[str]] = {"rows": set(), "images": set()}
    for address, values in made.items():
        if "iam_member.reads[" in address:
            readers[values["bucket"]].add(address.partition('"')[2].partition(".")[0])
    assert readers == {
        "rows": {name for name, function in MANIFEST.functions.items() if "files" in function.uses},
        "images": {name for name, function in MANIFEST.functions.items() if "media" in function.uses},
    }


def test_without_the_public_only_members_come_in(planner: Terraform) -> None:
    made = resources(planner.plan(project=PROJECT, public=False, internal=True, members=["group:ml@example.com"]))
    members = {values["member"] for address, values in made.items() if "iam_member.public[" in address}
    assert members == {"group:ml@example.com"}
    ingress = {
        v["service_config"][0]["ingress_settings"] for a, v in made.items() if a.startswith("google_cloudfunctions2")
    }
    assert ingress == {"ALLOW_INTERNAL_ONLY"}


def test_one_hostname_leads_to_every_path(planner: Terraform) -> None:
    made = resources(planner.plan(project=PROJECT, hostname="models.example.com"))
    (matcher,) = made['google_compute_url_map.this["models.example.com"]']["path_matcher"]
    paths = {path for rule in matcher["path_rule"] for path in rule["paths"]}
    wanted = {p for f in MANIFEST.functions.values() if isinstance(f.trigger, HttpTrigger) for p in f.trigger.paths}
    assert wanted <= paths
    assert {f"{path}/*" for path in wanted if path != "/"} <= paths
    predict = made['google_cloudfunctions2_function.this["predict"]']["service_config"][0]
    assert predict["ingress_settings"] == "ALLOW_INTERNAL_AND_GCLB"


def test_a_key_encrypts_all_that_is_kept(planner: Terraform) -> None:
    key = f"projects/{PROJECT}/locations/us-central1/keyRings/r/cryptoKeys/k"
    made = resources(planner.plan(project=PROJECT, kms_key=key, vendors={"openai": {}}))
    kept = (
        "google_storage_bucket.",
        "google_pubsub_topic.this",
        "google_firestore_database",
        "google_secret_manager_secret.",
        "google_artifact_registry_repository.",
        "google_cloudfunctions2_function",
    )
    for address, values in made.items():
        if address.startswith(kept):
            assert key in json.dumps(values), address
    assert 'google_kms_crypto_key_iam_member.agents["gcp-sa-pubsub"]' in made


def test_an_idle_installation_has_nothing_that_bills(plain: dict[str, dict[str, Any]]) -> None:
    assert not [address for address in plain if address.startswith(("google_compute", "google_kms", "google_billing"))]
    warm = [
        a
        for a, v in plain.items()
        if a.startswith("google_cloudfunctions2") and v["service_config"][0]["min_instance_count"]
    ]
    assert warm == []


def test_without_protection_nothing_is_kept_back(planner: Terraform) -> None:
    made = resources(planner.plan(project=PROJECT, deletion_protection=False))
    assert made["google_firestore_database.this"]["delete_protection_state"] == "DELETE_PROTECTION_DISABLED"
    assert made["google_storage_bucket.files"]["force_destroy"] is True
    assert made["google_storage_bucket.files"]["soft_delete_policy"] == [{"retention_duration_seconds": 0}]


def test_usage_is_recorded_once_the_manifest_names_its_topic(
    planner: Terraform, plain: dict[str, dict[str, Any]]
) -> None:
    sink = 'google_logging_project_sink.usage["usage-recorded"]'
    manifest = planner.infra.parent / "functions/manifest.yaml"
    before = manifest.read_text()
    assert (sink in plain) == ("usage-recorded" in before)
    if "usage-recorded" not in before:
        manifest.write_text(
            re.sub(r"^topics: \[.*\]$", "topics: [usage-recorded, tuning-events]", before, flags=re.MULTILINE)
        )
    made = resources(planner.plan(project=PROJECT))
    manifest.write_text(before)
    assert 'jsonPayload.message="request"' in made[sink]["filter"]
    assert made['google_pubsub_topic_iam_member.usage["usage-recorded"]']["role"] == "roles/pubsub.publisher"


def test_an_alert_says_its_runbook(planner: Terraform) -> None:
    made = resources(
        planner.plan(project=PROJECT, alerts={"spend_usd_day": 50, "emails": ["a@example.com"], "billing_account": "0"})
    )
    for book in (ROOT / "docs/runbooks").glob("*.md"):
        (documentation,) = made[f'google_monitoring_alert_policy.this["{book.stem}"]']["documentation"]
        assert documentation["content"] == book.read_text()
    assert 'google_billing_budget.this["0"]' in made


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"project": "Shop"}, "6 to 30 small letters"),
        ({"region": "us"}, "Name one region"),
        ({"name": "a-name-that-is-too-long"}, "3 to 15 small letters"),
        ({"database": "A"}, "4 to 63 small letters"),
        ({"hostname": "https://models.example.com"}, "without scheme and path"),
        ({"kms_key": "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"}, "in the region of the installation"),
        ({"bundles": "/nowhere"}, "Run `tuneway package`"),
        ({"instances": {"predict": {"min": 3, "max": 2}}}, "0 <= min <= max"),
        ({"instances": {"predicts": {}}}, "not in functions/manifest.yaml"),
        ({"settings": {"aws_secret": True, "aws_role": "r"}}, "either aws_role"),
        ({"settings": {"entra_tenant": "t"}}, "belong together"),
        ({"settings": {"watch": "/data"}}, "watch is a folder"),
        ({"settings": {"max_cost_usd": -1}}, "0 or more"),
        ({"alerts": {"error_share": 5}}, "a share of the requests"),
        ({"members": ["ml@example.com"]}, "has its kind before it"),
        ({"tuning_agents": ["someone@example.com"]}, "An agent's address"),
        ({"dataset_buckets": ["gs://data"]}, "named without gs://"),
        ({"secret_environment": {"TUNEWAY_PROJECT": "s"}}, "kept for settings"),
        ({"media_buckets": ["gs://images"]}, "named without gs://"),
        ({"files": {"readme": "s"}}, "prices_file, catalogue_file or"),
        ({"vendors": {"Open AI": {}}}, "named as in model names"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_remedy(
    planner: Terraform, variables: dict[str, Any], told: str
) -> None:
    with pytest.raises(Refused) as refused:
        planner.plan(**{"project": PROJECT, **variables})
    assert told in " ".join(str(refused.value).replace("│", " ").split())
