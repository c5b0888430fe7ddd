"""The functions as the manifest says, their URLs, and who may call them: ``infra/functions.tf``, ``infra/iam.tf``."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tuneway.cli.deploy.environment import environment, volumes
from tuneway.cli.deploy.foundation import labels, object_of
from tuneway.cli.deploy.installation import Installation, Instances
from tuneway.cli.deploy.steps import Part, Step, Words, Written, gcloud, named, pairs, told, variable
from tuneway.local.manifest import Function, Manifest, StorageTrigger

RUNTIME = "python313"
INVOKER = "roles/run.invoker"
DIGITS = 32  # of a digest: a label has 63 letters at most


def doors(made: Installation, manifest: Manifest, *, folder: Path) -> Iterator[Part]:
    """The steps, in order; each function's URL is kept for what calls it."""
    for function, spec in manifest.functions.items():
        yield from _deployed(made, function, spec, folder=folder)
        yield from _invokers(made, function, spec)
        where = {"region": made.region, "project": made.project}
        url = gcloud("functions describe", named(made.name, function), format="value(serviceConfig.uri)", **where)
        yield Step(title=f"the URL of {function}", make=url, into=variable(function))


def _deployed(made: Installation, function: str, spec: Function, *, folder: Path) -> Iterator[Part]:
    environ = Written(
        path=str(folder / f"{function}.env.json"), text=msgspec.json.encode(environment(made, spec)).decode()
    )
    yield environ
    words = _words(made, function, spec, source=object_of(made, function, folder))
    digest = hashlib.sha256("\0".join([*words, environ.text]).encode()).hexdigest()[:DIGITS]
    where = {"region": made.region, "project": made.project}
    yield Step(
        title=f"function {function}",
        look=gcloud(
            "functions describe", named(made.name, function), format="csv[no-heading](state,labels.deployed)", **where
        ),
        same=f"ACTIVE,{digest}",
        make=(
            *words,
            f"--env-vars-file={environ.path}",
            f"--update-labels={pairs({**labels(made), 'deployed': digest})}",
        ),
    )


def _words(made: Installation, function: str, spec: Function, *, source: str) -> Words:
    """The command, but for what differs from one machine to the next, and the label by which it is known again."""
    count = made.instances.get(function, Instances())
    secrets = pairs(volumes(made, spec))
    return (
        *gcloud("functions deploy", named(made.name, function), gen2=True, region=made.region, project=made.project),
        *told(
            runtime=RUNTIME,
            entry_point=function,
            source=source,
            memory=spec.memory,
            cpu=str(spec.cpu),
            timeout=f"{spec.timeout}s",
            concurrency=str(spec.concurrency),
            min_instances=str(count.min),
            max_instances=str(count.max),
            ingress_settings=_ingress(made, spec),
            service_account=made.account(named(made.name, function)),
            build_service_account=f"projects/{made.project}/serviceAccounts/{made.account(f'{made.name}-build')}",
            docker_repository=f"projects/{made.project}/locations/{made.region}/repositories/{made.name}-functions",
            set_secrets=secrets,
            clear_secrets=None if secrets else True,
            allow_unauthenticated=made.public and spec.callers == "public",
            serve_all_traffic_latest_revision=True,
        ),
        *_trigger(made, spec),
    )


def _trigger(made: Installation, spec: Function) -> Words:
    """Eventarc has the only way from an object to a function; topics are pushed, and the scheduler calls by HTTP."""
    match spec.trigger:
        case StorageTrigger(event=event):
            return (
                f"--trigger-event-filters=type={event}",
                f"--trigger-event-filters=bucket={made.bucket}",
                f"--trigger-location={made.region}",
                f"--trigger-service-account={made.account(f'{made.name}-caller')}",
                "--retry",
            )
        case _:
            return ("--trigger-http",)


def _ingress(made: Installation, spec: Function) -> str:
    """Pub/Sub, Eventarc and Cloud Scheduler of the same project count as internal."""
    return "internal-only" if made.internal or spec.callers == "platform" else "all"


def _invokers(made: Installation, function: str, spec: Function) -> Iterator[Step]:
    members = list(made.members) if not made.public else []
    if spec.callers == "platform":
        members = [f"serviceAccount:{made.account(f'{made.name}-caller')}"]
    for member in members:
        where = {"region": made.region, "project": made.project}
        service = named(made.name, function)
        make = gcloud("run services add-iam-policy-binding", service, member=member, role=INVOKER, **where)
        yield Step(title=f"{member} may call {function}", make=make, patient=True)
