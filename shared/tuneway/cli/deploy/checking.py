"""``tuneway deploy --check URL``: every promise of a live installation, tried once."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import click
import msgspec

from tuneway.cli.deploy.live import Live
from tuneway.cli.deploy.outcomes import Outcome, line, probed, summary
from tuneway.cli.deploy.rehearsed import Rehearsal, beating, flowing, priced, uploaded
from tuneway.cli.deploy.routed import admitted, canary, fresh
from tuneway.cli.deploy.strangers import strangers
from tuneway.local import manifest

NEEDS_KEY = ("key", "snapshot", "canary", "dry run of a job", "topics", "beat")


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """How to check: ``patience`` is how many seconds a message, and a beat, is waited for."""

    model: str | None = None
    patience: float = 130.0
    as_json: bool = False


def check(live: Live, proof: Proof) -> Iterator[Outcome]:
    """The outcomes, each as soon as it is known."""
    yield from strangers(live, manifest.load())
    if live.key is None:
        yield from _left_out(NEEDS_KEY, "there is no key", "Give an admin's key: --key, or TUNEWAY_API_KEY.")
        return
    key = probed("key", partial(admitted, live))
    yield key
    if key.status != "ok":
        yield from _left_out(NEEDS_KEY[1:], "the key does not open every door", "See key.")
        return
    yield probed("snapshot", partial(fresh, live))
    yield probed("canary", partial(canary, live, proof.model))
    yield from _rehearsed(live, proof)


def checked(live: Live, proof: Proof) -> int:
    """Check, and print what is found as it is found; the exit code."""
    outcomes: list[Outcome] = []
    for outcome in check(live, proof):
        outcomes.append(outcome)
        if not proof.as_json:
            click.echo(line(outcome))
    well = all(outcome.status != "failed" for outcome in outcomes)
    if proof.as_json:
        told = {"url": live.url, "ok": well, "checks": msgspec.to_builtins(outcomes)}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        click.echo(summary(outcomes))
    return 0 if well else 1


def _rehearsed(live: Live, proof: Proof) -> Iterator[Outcome]:
    """A job that is never trained, as far as it goes."""
    made: list[Rehearsal] = []

    def dry_run(stack: ExitStack) -> str:
        job, said = priced(live, stack.enter_context(uploaded(live)))
        made.append(job)
        return said

    with ExitStack() as stack:
        yield probed("dry run of a job", partial(dry_run, stack))
        if not made:
            yield from _left_out(("topics", "beat"), "there is no job to try them with", "See the dry run.")
            return
        flow = probed("topics", partial(flowing, live, made[0], patience=proof.patience))
        yield flow
        if flow.status == "ok":
            yield probed("beat", partial(beating, live, made[0], patience=proof.patience))
        else:
            yield from _left_out(("beat",), "its message would go the way of the topics", "See topics.")


def _left_out(names: tuple[str, ...], said: str, remedy: str) -> Iterator[Outcome]:
    for name in names:
        yield Outcome(name=name, status="skipped", said=said, remedy=remedy)
