"""What follows from a deployment's rest and use: when it may sleep, how long it drains, what its sleep has saved."""

from typing import Literal, NamedTuple

import msgspec

from tuneway.errors import BadInput
from tuneway.ports import DeployOrder
from tuneway.registry.hosting.windows import closes, opens_after
from tuneway.registry.rest import Nap, News
from tuneway.registry.shelves import Deployment, DeploymentStatus
from tuneway.routing.fragments import Asleep

# A use is noted once in so many seconds: the last one may be later than the note by as much.
NOTED_SECONDS = 60.0
# How long calls that run when it falls asleep may go on: what predict waits for a silent host (Settings), half as long
# again as the longest call that was ever seen here, and never more than what the platform gives a call.
DRAIN_SECONDS = 600.0
LONGEST_CALL = 3600.0
# Whoever puts it to sleep by hand is not kept waiting; the snapshot is everywhere within two seconds.
HAND_SECONDS = 60.0
# What waking takes until it was measured: an assumption, with accelerators and without.
WAKE_SECONDS = {True: 900.0, False: 300.0}
# What it takes until a call that was turned away has cancelled a sleep: usage is recorded within seconds, most times.
STAY_SECONDS = 30.0
FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0
# About a day of tries in vain; then the next call, window or person begins anew.
MOST_FAILURES = 30
HOUR = 3600.0


SILENT = (
    "It stays awake: the feed of usage is silent, and it may be in use without our knowing. See that the log sink and "
    "record_usage work."
)
DEAF = (
    "The feed of usage was silent: a call may not wake it. See that the log sink and record_usage work, or wake it by "
    "hand."
)


class Saved(NamedTuple):
    """How long it has slept and what that would have cost; None where no price is known."""

    seconds: float
    usd: float | None


def may_rest(id_: str, order: DeployOrder | None) -> None:
    """Raises BadInput when sleep would save nothing, or would take others with it."""
    if order is None:
        said = f"Deployment '{id_}' was not made by tuneway, which therefore does not put it to sleep."
        raise BadInput(f"{said} Do it where it was made.", param="deployment_id", code="not_ours")
    if order.machine is None:
        said = f"Deployment '{id_}' is served on demand and costs nothing while nobody asks."
        raise BadInput(f"{said} Leave 'rest' out: there is nothing to save.", param="rest", code="free_when_idle")
    if order.shared or order.endpoint:
        said = f"Deployment '{id_}' shares its endpoint with others, which would have to sleep, too."
        raise BadInput(f"{said} Give it an endpoint of its own.", param="rest", code="endpoint_shared")


def sleeps_at(deployment: Deployment, *, now: float) -> float | None:
    """The first moment at which one that is ready may fall asleep, as far as is known now; None is never."""
    rest, order = deployment.rest, deployment.order
    if rest is None or order is None or order.shared or order.endpoint:
        return None
    since = max(deployment.nap.last_used, deployment.moved_at)
    idle = since + rest.idle_minutes * 60 + NOTED_SECONDS
    return closes(rest.windows, max(idle, now)) or idle


def is_wanted(deployment: Deployment, *, now: float) -> bool:
    """Whether one that is falling asleep is to stay after all: it was asked for or used, or a window has begun."""
    nap, rest = deployment.nap, deployment.rest
    if nap.wanted or nap.hand:
        return nap.wanted
    if rest is None:
        return True
    used = nap.last_used + rest.idle_minutes * 60 + NOTED_SECONDS > now
    return used or closes(rest.windows, now) is not None


def is_untried(draining: Deployment) -> bool:
    """Whether it was put to sleep by hand and calls are to wake it, and the feed that tells of them was not asked."""
    nap, rest = draining.nap, draining.rest
    return nap.hand and not nap.asked_at and not (rest is not None and rest.strict)


def afresh(deployment: Deployment) -> Deployment:
    """With all its tries before it again, if it was given up."""
    nap = deployment.nap
    failures = nap.failures if nap.failures < MOST_FAILURES else 0
    return msgspec.structs.replace(deployment, nap=msgspec.structs.replace(nap, failures=failures))


def is_unheard(nap: Nap) -> bool:
    """Whether the feed was asked, and nothing has come of it."""
    return nap.heard_at < nap.asked_at


def drains_for(nap: Nap) -> float:
    """Seconds from when no request is sent there any more until it is taken away."""
    return HAND_SECONDS if nap.hand else min(LONGEST_CALL, max(DRAIN_SECONDS, 1.5 * nap.longest))


def wakes_at(deployment: Deployment, *, now: float) -> float | None:
    """When one that falls asleep now is woken by itself; None leaves it to calls and people."""
    nap, rest = deployment.nap, deployment.rest
    opens = opens_after(rest.windows, now) if rest else None
    if nap.failures >= MOST_FAILURES:
        return opens
    if nap.failures:
        return now + min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (nap.failures - 1))
    return now if nap.wanted or _is_missed(deployment, now=now) else opens


def tried_again_at(nap: Nap) -> float | None:
    """When one that could not be woken is tried again by itself; None for all others, and once that is given up."""
    return nap.wake_at if 0 < nap.failures < MOST_FAILURES else None


def wake_seconds(deployment: Deployment) -> float:
    """About how long it takes from being asked for until it answers."""
    machine = deployment.order.machine if deployment.order else None
    has_accelerators = machine is not None and machine.accelerator_type is not None
    return deployment.nap.wake_seconds or WAKE_SECONDS[has_accelerators]


def asleep(deployment: Deployment, *, now: float) -> Asleep:
    """What callers are told of one that sleeps, or is being woken."""
    seconds, nap = wake_seconds(deployment), deployment.nap
    if deployment.status is DeploymentStatus.WAKING:
        return Asleep(seconds=seconds, ready_at=deployment.moved_at + seconds)
    strict = deployment.rest is not None and deployment.rest.strict
    if deployment.status is DeploymentStatus.DRAINING and not strict:
        return Asleep(seconds=STAY_SECONDS)
    opens = tried_again_at(nap) or (opens_after(deployment.rest.windows, now) if strict and deployment.rest else None)
    return Asleep(seconds=seconds, wakes_at=opens, strict=strict)


def saved(deployment: Deployment, *, now: float) -> Saved:
    """All naps so far, the running one included."""
    nap = deployment.nap
    running = max(0.0, now - nap.since) if nap.since is not None else 0.0
    hourly = deployment.hourly.usd if deployment.hourly else None
    usd = None if hourly is None else round(nap.saved_usd + running / HOUR * hourly, 6)
    return Saved(nap.seconds + running, usd)


def with_news(deployment: Deployment, what: Literal["asleep", "woken"], *, now: float) -> Nap:
    """Its nap with what is to be told of it."""
    sum_ = saved(deployment, now=now)
    news = News(at=now, what=what, seconds=sum_.seconds, saved_usd=sum_.usd)
    return msgspec.structs.replace(deployment.nap, news=(*deployment.nap.news, news))


def over(deployment: Deployment, *, now: float) -> Nap:
    """The nap with the running one added to those before: from here on it costs again."""
    sum_ = saved(deployment, now=now)
    return msgspec.structs.replace(
        deployment.nap, since=None, wake_at=None, seconds=sum_.seconds, saved_usd=sum_.usd or 0.0
    )


def _is_missed(deployment: Deployment, *, now: float) -> bool:
    """Whether hours are open that began while it fell asleep; whoever put it to sleep within them meant that."""
    nap, rest = deployment.nap, deployment.rest
    if rest is None or closes(rest.windows, now) is None:
        return False
    opened = opens_after(rest.windows, deployment.moved_at - drains_for(nap))
    return not nap.hand or (opened is not None and opened <= now)
