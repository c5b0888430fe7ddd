"""That Terraform itself hangs together: everything is made, named, told and looked after."""

import re
from collections.abc import Iterator

from tests.infra import hcl
from tests.infra.faults import Fault
from tests.infra.house import House

# Resources that one function or topic more must make more of, and what they must follow.
FOLLOWING = {
    "google_cloudfunctions2_function.this": "local.functions",
    "google_service_account.functions": "local.functions",
    "google_storage_bucket_object.bundles": "local.zips",
    "google_pubsub_topic.this": "local.topics",
    "google_pubsub_subscription.this": "local.subscriptions",
    "google_pubsub_subscription_iam_member.forwards": "local.subscriptions",
    "google_pubsub_topic_iam_member.publishes": "function.publishes",
    "google_cloud_scheduler_job.this": "local.scheduled",
    "google_cloud_run_v2_service_iam_member.caller": "local.platform",
    "google_cloud_run_v2_service_iam_member.public": "local.http",
    "google_project_iam_member.uses": "local.uses",
    "google_project_iam_member.models": "local.uses",
    "google_storage_bucket_iam_member.uses": "local.uses",
    "google_storage_bucket_iam_member.reads": "local.uses",
    "google_project_iam_member.caller_receives": "local.watching",
    "google_project_iam_member.storage_publishes": "local.watching",
    "google_secret_manager_secret.this": "local.secrets",
    "google_secret_manager_secret_iam_member.own": "local.readers",
    "google_secret_manager_secret_iam_member.environment": "local.readers",
    "google_secret_manager_secret_iam_member.files": "local.functions",
    "google_secret_manager_secret_iam_member.spans": "local.functions",
    "google_firestore_index.this": "local.indexes",
    "google_firestore_field.unindexed": "local.unindexed",
    "google_logging_metric.this": "local.metrics",
    "google_monitoring_alert_policy.this": "local.alerts",
}
# And those that stand alone, with what each must say.
SINGLE = {
    "google_pubsub_topic_iam_member.buries": "gcp-sa-pubsub",
    "google_service_account_iam_member.pubsub_signs": "roles/iam.serviceAccountOpenIdTokenCreator",
    "google_service_account.caller": "caller",
    "google_firestore_database.this": "var.database",
}
DLQ_ARGUMENTS = ("dead_letter_policy", "retry_policy", "expiration_policy", "push_config")
REFERENCE = re.compile(r"(?<![\w.\"/])(data\.)?(google_\w+)\.(\w+)|\b(local|var)\.(\w+)")
RUNBOOK_BYTES = 8_000  # Cloud Monitoring takes 8,192 bytes of documentation


def resources_follow(house: House) -> Iterator[Fault]:
    """Everything that there must be one of for each function, topic or secret is made so."""
    resources = {block.name: block for block in hcl.blocks(house.infra, "resource")}
    for name, follows in FOLLOWING.items():
        block = resources.get(name)
        if block is None:
            yield Fault(house.infra / "main.tf", 1, f"there is no {name} (for_each over {follows})")
        elif follows not in str(block.body.get("for_each")):
            yield Fault(
                block.path, hcl.line_of(block.path, "for_each", after=block.line), f"{name} must follow {follows}"
            )
    for name, says in SINGLE.items():
        block = resources.get(name)
        if block is None or says not in str(block.body):
            place = (house.infra / "main.tf", 1) if block is None else (block.path, block.line)
            yield Fault(*place, f"{name} must be there and say {says}")
    subscription = resources["google_pubsub_subscription.this"]
    parts = {*subscription.body, *(label.strip('"') for made in subscription.body["dynamic"] for label in made)}
    for part in (part for part in DLQ_ARGUMENTS if part not in parts):
        yield Fault(subscription.path, subscription.line, f"subscriptions lack their {part}")


def names_lead_somewhere(house: House) -> Iterator[Fault]:
    """Every reference has its definition, and every variable and local is used."""
    blocks = hcl.blocks(house.infra)
    there = {("data." if b.kind == "data" else "") + b.name for b in blocks if b.kind in {"resource", "data"}}
    variables = {b.labels[0]: b for b in blocks if b.kind == "variable"}
    locals_ = {name: path for name, (_, path) in hcl.values(house.infra).items()}
    there |= {f"var.{name}" for name in variables} | {f"local.{name}" for name in locals_}
    used: set[str] = set()
    for path in hcl.files(house.infra):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for match in REFERENCE.finditer(re.sub(r"#.*| \"[^\"$]*\"", "", line)):
                name = f"{match[1] or ''}{match[2]}.{match[3]}" if match[2] else f"{match[4]}.{match[5]}"
                used.add(name)
                if name not in there:
                    yield Fault(path, number, f"{name} is defined nowhere")
    for name in sorted(name for name in there - used if name.startswith(("var.", "local."))):
        path = variables[name[4:]].path if name.startswith("var.") else locals_[name[6:]]
        pattern = rf'^variable "{name[4:]}"' if name.startswith("var.") else rf"^\s+{name[6:]}\s+="
        yield Fault(path, hcl.line_of(path, pattern), f"{name} is used nowhere")


def alerts_have_runbooks(house: House) -> Iterator[Fault]:
    """One runbook for each alert, short enough to be its text, and no other."""
    alerts, file = hcl.values(house.infra)["alerts"]
    books = {path.stem: path for path in (house.root / "docs/runbooks").glob("*.md")}
    for name in sorted(set(alerts) - set(books)):
        yield Fault(file, hcl.line_of(file, rf"^\s+{name} = {{"), f"write docs/runbooks/{name}.md")
    for name, path in sorted(books.items()):
        if name not in alerts:
            yield Fault(path, 1, f"no alert is named {name}")
        if len(path.read_bytes()) > RUNBOOK_BYTES:
            yield Fault(path, 1, f"Cloud Monitoring takes {RUNBOOK_BYTES} bytes at most")


def metrics_count_what_is_logged(house: House) -> Iterator[Fault]:
    """Every text and field that a metric looks for is one that the code writes."""
    metrics, file = hcl.values(house.infra)["metrics"]
    sources = [*(house.root / "functions").glob("*/main.py"), *(house.root / "shared/tuneway").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    lines = (house.root / "shared/tuneway/edge/telemetry/lines.py").read_text()
    for name, metric in metrics.items():
        said = str(metric["filter"]) + str(metric["value"])
        texts = [text for text in re.findall(r'jsonPayload\.message[:=]\\"([^\\]+)\\"', said) if text not in code]
        fields = [
            field
            for field in re.findall(r'jsonPayload\.\\?"?([a-z_.]+[a-z_])', said)
            if f"{field}:" not in lines and f'"{field}"' not in lines
        ]
        for missing in [*texts, *fields]:
            line = hcl.line_of(file, rf"^    {name} = {{")
            yield Fault(file, line, f"the metric {name} looks for {missing!r}, which nothing writes")


def roles_are_told(house: House) -> Iterator[Fault]:
    """Every role and API stands in docs/deploy.md, where a platform team looks first."""
    told = (house.root / "docs/deploy.md").read_text()
    for path in hcl.files(house.infra):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for role in re.findall(r"\"(roles/[\w.]+)\"", line):
                if role not in told:
                    yield Fault(path, number, f"tell of {role} in docs/deploy.md")
