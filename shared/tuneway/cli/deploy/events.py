"""Topics, push subscriptions, dead letters, the beat: ``infra/pubsub.tf``, ``infra/scheduler.tf``, the usage sink."""

from collections.abc import Iterator

from tuneway.cli.deploy.foundation import labels
from tuneway.cli.deploy.identities import PUBSUB_AGENT
from tuneway.cli.deploy.installation import Installation
from tuneway.cli.deploy.steps import Step, Words, gcloud, named, pairs, told, variable
from tuneway.local.manifest import Manifest, PubsubTrigger, ScheduleTrigger
from tuneway.ports import Topic

USAGE = "usage-recorded"
# A push may take this long at most, so that a subscription waits no longer.
LONGEST_PUSH = 600
MONTH, WEEK = "2678400s", "604800s"


def topics(made: Installation, manifest: Manifest) -> Iterator[Step]:
    """Every topic, and who may publish on it."""
    for topic in manifest.subscriptions():
        yield _topic(made, topic)
    for function, spec in manifest.functions.items():
        for topic in spec.publishes:
            yield _publisher(made, topic, made.account(named(made.name, function)))
    yield _publisher(made, Topic.DEAD_LETTERS, PUBSUB_AGENT)


def subscriptions(made: Installation, manifest: Manifest) -> Iterator[Step]:
    """One for each function that takes a topic; Pub/Sub may take from it what it moves to the dead letters."""
    for function, spec in manifest.functions.items():
        if isinstance(spec.trigger, PubsubTrigger):
            name = f"{spec.trigger.topic}.{function}"
            yield _subscription(made, manifest, name, function=function)
            if spec.trigger.topic != Topic.DEAD_LETTERS:
                words = {"member": f"serviceAccount:{PUBSUB_AGENT}", "role": "roles/pubsub.subscriber"}
                make = gcloud("pubsub subscriptions add-iam-policy-binding", name, project=made.project, **words)
                yield Step(title=f"Pub/Sub takes what failed from {name}", make=make, patient=True)


def beats(made: Installation, manifest: Manifest) -> Iterator[Step]:
    """What the manifest puts on a schedule; the next beat is the retry."""
    for function, spec in manifest.functions.items():
        if isinstance(spec.trigger, ScheduleTrigger):
            yield _beat(made, function, spec.trigger, seconds=spec.timeout)


def usage(made: Installation, manifest: Manifest) -> Iterator[Step]:
    """Usage rides on the one line that each request logs: a sink puts it on its topic, once a function takes it."""
    if USAGE not in manifest.subscriptions():
        return
    name = f"{made.name}-{USAGE}"
    where = f"pubsub.googleapis.com/projects/{made.project}/topics/{USAGE}"
    lines = (
        f'resource.type="cloud_run_revision" AND resource.labels.service_name=~"^{made.name}-" '
        'AND jsonPayload.message="request" AND jsonPayload.key:*'
    )
    yield Step(
        title=f"sink {name}",
        look=gcloud("logging sinks describe", name, project=made.project),
        make=gcloud("logging sinks create", name, where, log_filter=lines, project=made.project),
        change=gcloud("logging sinks update", name, where, log_filter=lines, project=made.project),
    )
    writer = gcloud("logging sinks describe", name, format="value(writerIdentity)", project=made.project)
    yield Step(title="who writes the sink", make=writer, into="USAGE_WRITER")
    words = {"member": "${USAGE_WRITER}", "role": "roles/pubsub.publisher", "project": made.project}
    make = gcloud("pubsub topics add-iam-policy-binding", USAGE, **words)
    yield Step(title="the sink may publish", make=make, patient=True)


def _topic(made: Installation, topic: str) -> Step:
    shown = pairs(labels(made))
    kept = {"message_storage_policy_allowed_regions": made.region, "project": made.project}
    return Step(
        title=f"topic {topic}",
        look=gcloud("pubsub topics describe", topic, project=made.project),
        make=gcloud("pubsub topics create", topic, labels=shown, **kept),
        change=gcloud("pubsub topics update", topic, update_labels=shown, **kept),
    )


def _publisher(made: Installation, topic: str, member: str) -> Step:
    words = {"member": f"serviceAccount:{member}", "role": "roles/pubsub.publisher", "project": made.project}
    make = gcloud("pubsub topics add-iam-policy-binding", topic, **words)
    return Step(title=f"{member.partition('@')[0]} publishes on {topic}", make=make, patient=True)


def _subscription(made: Installation, manifest: Manifest, name: str, *, function: str) -> Step:
    topic = name.partition(".")[0]
    words = _delivery(made, manifest, topic, function=function)
    shown = pairs(labels(made))
    return Step(
        title=f"subscription {name}",
        look=gcloud("pubsub subscriptions describe", name, project=made.project),
        make=(*gcloud("pubsub subscriptions create", name, topic=topic, labels=shown, project=made.project), *words),
        change=(*gcloud("pubsub subscriptions update", name, update_labels=shown, project=made.project), *words),
    )


def _delivery(made: Installation, manifest: Manifest, topic: str, *, function: str) -> Words:
    """How messages come; the path tells the functions framework the topic."""
    url, last = f"${{{variable(function)}}}", topic == Topic.DEAD_LETTERS
    seconds = min(LONGEST_PUSH, manifest.functions[function].timeout + 30)
    return told(
        ack_deadline=str(seconds),
        message_retention_duration=MONTH if last else WEEK,
        expiration_period="never",
        push_endpoint=f"{url}/projects/{made.project}/topics/{topic}",
        push_auth_service_account=made.account(f"{made.name}-caller"),
        push_auth_token_audience=url,
        min_retry_delay=f"{manifest.retry.min_backoff:g}s",
        max_retry_delay=f"{manifest.retry.max_backoff:g}s",
        dead_letter_topic=None if last else str(Topic.DEAD_LETTERS),
        dead_letter_topic_project=None if last else made.project,
        max_delivery_attempts=None if last else str(manifest.retry.max_attempts),
    )


def _beat(made: Installation, function: str, trigger: ScheduleTrigger, *, seconds: int) -> Step:
    name, url = named(made.name, function), f"${{{variable(function)}}}"
    where = {"location": made.region, "project": made.project}
    words = told(
        description=f"Calls {function}.",
        schedule=trigger.cron,
        time_zone="Etc/UTC",
        attempt_deadline=f"{max(15, seconds)}s",
        max_retry_attempts="0",
        http_method="post",
        uri=f"{url}{trigger.path}",
        oidc_service_account_email=made.account(f"{made.name}-caller"),
        oidc_token_audience=url,
    )
    return Step(
        title=f"beat {name}",
        look=gcloud("scheduler jobs describe", name, **where),
        make=(*gcloud("scheduler jobs create http", name, **where), *words),
        change=(*gcloud("scheduler jobs update http", name, **where), *words),
    )
