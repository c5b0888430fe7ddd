"""What Terraform would make of infra/ and the manifest, planned by Terraform itself, as values to run."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.infra.terraform import PROJECT, resources, terraform

HOSTNAME = "models.example.com"
Values = dict[str, Any]
Made = Mapping[str, Values]


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A function on Cloud Run; ``url`` is its own address, ``invokers`` are whom IAM lets through."""

    name: str
    target: str
    url: str
    runtime: str
    memory: str
    timeout: int
    concurrency: int
    environment: dict[str, str]
    ingress: str
    invokers: frozenset[str]
    event: bool


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A push subscription. ``body`` is what Pub/Sub keeps of it; what it pushes, where and as whom is beside it."""

    name: str
    topic: str
    endpoint: str
    account: str
    audience: str
    ack_deadline: int
    body: dict[str, Any]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A job of Cloud Scheduler."""

    uri: str
    method: str
    cron: str
    account: str
    audience: str
    deadline: float


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """An Eventarc trigger on the objects of a bucket."""

    target: str
    bucket: str
    event: str
    account: str


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """The installation; ``paths`` is the load balancer's table of URL paths."""

    project: str
    database: str
    bucket: str
    services: dict[str, Service]
    topics: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    schedules: tuple[Schedule, ...]
    watches: tuple[Watch, ...]
    paths: dict[str, str]


def declared(folder: Path, urls: Mapping[str, str]) -> Declared:
    """Plan an installation with one hostname, whose functions will be at ``urls``."""
    with terraform(folder, answered=_answered(urls)) as planner:
        made = resources(planner.plan(hostname=HOSTNAME))
    services = {service.target: service for service in _services(made)}
    return Declared(
        project=PROJECT,
        database=made["google_firestore_database.this"]["name"],
        bucket=made["google_storage_bucket.files"]["name"],
        services=services,
        topics=tuple(each["id"] for _, each in _all(made, "google_pubsub_topic")),
        subscriptions=tuple(_subscription(each) for _, each in _all(made, "google_pubsub_subscription")),
        schedules=tuple(_schedule(each) for _, each in _all(made, "google_cloud_scheduler_job")),
        watches=tuple(_watches(made)),
        paths=_paths(made, {service.name: service.target for service in services.values()}),
    )


def _answered(urls: Mapping[str, str]) -> Callable[[str, Values], Values]:
    """What Google makes up of each resource, as far as others refer to it."""

    def known(kind: str, values: Values) -> Values:
        match kind:
            case "google_cloudfunctions2_function":
                (service,), (build,) = values["service_config"], values["build_config"]
                return {**values, "service_config": [{**service, "uri": urls[build["entry_point"]]}]}
            case "google_pubsub_topic":
                return {**values, "id": f"projects/{values['project']}/topics/{values['name']}"}
            case "google_service_account":
                email = f"{values['account_id']}@{values['project']}.iam.gserviceaccount.com"
                return {**values, "email": email, "member": f"serviceAccount:{email}"}
            case "google_compute_region_network_endpoint_group" | "google_compute_backend_service":
                return {**values, "id": f"{kind}/{values['name']}"}
            case _:
                return values

    return known


def _all(made: Made, kind: str, name: str = "this") -> Iterator[tuple[str, Values]]:
    """The resources of a kind by their key: of ``google_pubsub_topic.this["a"]`` that is ``a``."""
    start = f'{kind}.{name}["'
    return ((key[len(start) : -2], values) for key, values in made.items() if key.startswith(start))


def _services(made: Made) -> Iterator[Service]:
    invokers: dict[str, set[str]] = {}
    for name in ("caller", "public"):
        for _, grant in _all(made, "google_cloud_run_v2_service_iam_member", name):
            assert grant["role"] == "roles/run.invoker"
            invokers.setdefault(grant["name"], set()).add(grant["member"])
    for target, values in _all(made, "google_cloudfunctions2_function"):
        (service,), (build,) = values["service_config"], values["build_config"]
        yield Service(
            name=values["name"],
            target=target,
            url=service["uri"],
            runtime=build["runtime"],
            memory=service["available_memory"],
            timeout=service["timeout_seconds"],
            concurrency=service["max_instance_request_concurrency"],
            environment=service["environment_variables"],
            ingress=service["ingress_settings"],
            invokers=frozenset(invokers.get(values["name"], ())),
            event=bool(values["event_trigger"]),
        )


def _subscription(values: Values) -> Subscription:
    (push,), (token,) = values["push_config"], values["push_config"][0]["oidc_token"]
    assert not push["no_wrapper"], "the relay sends the wrapped form alone"
    (retry,) = values["retry_policy"]
    body: dict[str, Any] = {
        "topic": values["topic"],
        "ackDeadlineSeconds": values["ack_deadline_seconds"],
        "messageRetentionDuration": values["message_retention_duration"],
        "retryPolicy": {"minimumBackoff": retry["minimum_backoff"], "maximumBackoff": retry["maximum_backoff"]},
    }
    for policy in values["dead_letter_policy"]:
        attempts = policy["max_delivery_attempts"]
        body["deadLetterPolicy"] = {"deadLetterTopic": policy["dead_letter_topic"], "maxDeliveryAttempts": attempts}
    return Subscription(
        name=f"projects/{values['project']}/subscriptions/{values['name']}",
        topic=values["topic"],
        endpoint=push["push_endpoint"],
        account=token["service_account_email"],
        audience=token["audience"],
        ack_deadline=values["ack_deadline_seconds"],
        body=body,
    )


def _schedule(values: Values) -> Schedule:
    (target,), (token,) = values["http_target"], values["http_target"][0]["oidc_token"]
    return Schedule(
        uri=target["uri"],
        method=target["http_method"],
        cron=values["schedule"],
        account=token["service_account_email"],
        audience=token["audience"],
        deadline=float(values["attempt_deadline"].removesuffix("s")),
    )


def _watches(made: Made) -> Iterator[Watch]:
    for target, values in _all(made, "google_cloudfunctions2_function"):
        for trigger in values["event_trigger"]:
            filters = {each["attribute"]: each["value"] for each in trigger["event_filters"]}
            yield Watch(
                target=target,
                bucket=filters["bucket"],
                event=trigger["event_type"],
                account=trigger["service_account_email"],
            )


def _paths(made: Made, targets: Mapping[str, str]) -> dict[str, str]:
    """Every path of the URL map, followed through backends and endpoint groups to its function."""
    groups = {each["id"]: each for _, each in _all(made, "google_compute_region_network_endpoint_group")}
    backends = {each["id"]: each for _, each in _all(made, "google_compute_backend_service")}

    def target(backend: str) -> str:
        group = groups[backends[backend]["backend"][0]["group"]]
        return targets[group["cloud_run"][0]["service"]]

    (matcher,) = made[f'google_compute_url_map.this["{HOSTNAME}"]']["path_matcher"]
    table = {path: target(rule["service"]) for rule in matcher["path_rule"] for path in rule["paths"]}
    return table | {"/*": target(matcher["default_service"])}
