"""Let a deployment that nobody uses sleep, and wake it: its endpoint stays, its machines go and come back.

First the snapshot says that the place is asleep, and no call is sent there any more. What was sent before has time to
end; a use that is noted meanwhile, or a call that is turned away, cancels the sleep. Only then is the model taken off
its machines. What cannot be woken sleeps on, and is tried again with growing pauses.
"""

from collections.abc import Callable

import msgspec

from tuneway.errors import BadInput, Conflict, NotAllowed, NotFound, TryLater
from tuneway.ports import Deployer, Message, Place, Work
from tuneway.registry.hosting.answering import target_of
from tuneway.registry.hosting.claims import Claims, Step, order_of
from tuneway.registry.hosting.deploying import PATIENCE, Deploying, Status, moved
from tuneway.registry.hosting.napping import (
    DEAF,
    SILENT,
    afresh,
    asleep,
    drains_for,
    is_unheard,
    is_untried,
    is_wanted,
    over,
    saved,
    sleeps_at,
    wakes_at,
    with_news,
)
from tuneway.registry.hosting.remedies import trouble
from tuneway.registry.hosting.windows import opens_after
from tuneway.registry.rest import News
from tuneway.registry.shelves import Deployment, Trouble
from tuneway.routing.places import place_of
from tuneway.routing.snapshot import Snapshot, change
from tuneway.state import Stored

# How long a rest that is refused is tried all the same.
REFUSED_SECONDS = 3600.0
# How long the feed of usage may take to be heard from before that is told, and how often it is called meanwhile.
FEED_SECONDS = 900.0
ECHO_SECONDS = 60.0


class Outward(msgspec.Struct, frozen=True, kw_only=True):
    """``echo`` sends a deployment's id through the feed of usage; without it no deployment sleeps by itself.

    ``announce`` makes an event of what happened.
    """

    echo: Callable[[str], None] = lambda _: None
    announce: Callable[[Deployment, News], Message] | None = None


class Resting:
    """The steps between ``ready`` and ``asleep``."""

    def __init__(self, claims: Claims, outward: Outward) -> None:
        self._claims = claims
        self._deploying = claims.deploying
        self._outward = outward

    def look(self, stored: Stored[Deployment], settled: Deployment) -> Stored[Deployment]:
        """One that is ready, as it is ``settled`` now: falls asleep when it may, else is looked at again then."""
        now = self._deploying.now()
        kept = self._told(settled)
        due = sleeps_at(kept, now=now)
        if due is not None and due <= now:
            return self._tired(stored, kept)
        kept = _asking(kept, 0.0)
        if due is None:
            return self._kept(stored, msgspec.structs.replace(kept, open=False))
        return self._kept(stored, msgspec.structs.replace(kept, deadline=due))

    def _tired(self, stored: Stored[Deployment], kept: Deployment) -> Stored[Deployment]:
        """Nobody is known to use it: it falls asleep once the feed has shown that this would be known.

        As long as it is silent, calls go on being sent there.
        """
        now, nap = self._deploying.now(), kept.nap
        if nap.asked_at and nap.heard_at >= nap.asked_at:
            quiet = msgspec.structs.replace(nap, hand=False, wanted=False, asked_at=0.0)
            return fallen(self._deploying, stored, msgspec.structs.replace(kept, nap=quiet, stage=None))
        asked = _asking(kept, nap.asked_at or now)
        silent = now - asked.nap.asked_at >= FEED_SECONDS
        after = self._kept(
            stored,
            msgspec.structs.replace(asked, deadline=now + ECHO_SECONDS, stage=SILENT if silent else kept.stage),
        )
        self._outward.echo(stored.id)
        return after

    def drain(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """Time for the calls that run; whoever wants it meanwhile, has it."""
        deployment, now = stored.value, self._deploying.now()
        if is_wanted(deployment, now=now):
            return stirred(self._deploying, stored, "It is wanted after all.")
        ends = deployment.moved_at + drains_for(deployment.nap)
        if now < ends:
            opens = opens_after(deployment.rest.windows, now) if deployment.rest else None
            kept = msgspec.structs.replace(deployment, deadline=min(ends, opens or ends))
            return self._tried(stored, kept) if is_untried(deployment) else self._kept(stored, kept)
        after = moved(deployment, Status.FALLING_ASLEEP, "Taking it off its machines.", now=now)
        return published(
            self._deploying, stored, after, said=lambda place, s: s.with_sleep(place, asleep(after, now=now))
        )

    def _tried(self, stored: Stored[Deployment], kept: Deployment) -> Stored[Deployment]:
        """The feed is tried for who was put to sleep by hand, too: without it no call wakes anybody."""
        after = self._kept(stored, _asking(kept, self._deploying.now()))
        self._outward.echo(stored.id)
        return after

    def fall(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """The model off its machines; one that stays on them is awake."""
        return self._claimed(stored, self._fallen_off)

    def _claimed(self, stored: Stored[Deployment], step: Step) -> Stored[Deployment]:
        """A step that calls the provider. Whoever wants it meanwhile need not wait for the claim's end."""
        claimed = self._claims.claim(stored)
        try:
            return step(claimed)
        except Conflict:
            self._claims.release(claimed)
            raise

    def _fallen_off(self, claimed: Stored[Deployment]) -> Stored[Deployment]:
        try:
            work = self._claims.cleared(claimed.value, _rested)
        except TryLater as fault:
            return self._waits(claimed, said=fault.message)
        except (BadInput, NotAllowed, NotFound) as fault:
            return self._refused(claimed, fault.message)
        if not work.done and not self._claims.overdue(claimed.value):
            return self._waits(claimed, work)
        if not work.done:
            return self._refused(claimed, "It could not be taken off its machines in a day.")
        return self._asleep(claimed)

    def sleep(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """Told, and then left alone until it is to be woken."""
        now = self._deploying.now()
        kept = self._told(stored.value)
        at = kept.nap.wake_at
        if at is not None and at <= now:
            return roused(self._deploying, stored, afresh(kept))
        return self._kept(stored, msgspec.structs.replace(kept, open=at is not None, deadline=at or now))

    def wake(self, stored: Stored[Deployment]) -> Stored[Deployment]:
        """The model back on its endpoint."""
        deployment = stored.value
        if self._claims.overdue(deployment):
            said = f"It did not answer again in {PATIENCE[Status.WAKING] / 3600:g} hours."
            return self._in_vain(stored, Trouble(code="deployment_stalled", message=said))
        return self._claimed(stored, self._brought_back)

    def _brought_back(self, claimed: Stored[Deployment]) -> Stored[Deployment]:
        try:
            work = self._woken(claimed.value)
        except TryLater as fault:
            return self._waits(claimed, said=fault.message)
        except (BadInput, NotAllowed, NotFound) as fault:
            return self._in_vain(claimed, trouble(fault.message, code=fault.code))
        if work.error is not None:
            return self._in_vain(claimed, trouble(work.error, cause=work.cause))
        if not work.done or work.place is None:
            return self._waits(claimed, work)
        return self._answers_again(claimed, work.place)

    def _woken(self, deployment: Deployment) -> Work:
        under_way = self._claims.operation(deployment)
        return under_way or self._claims.deployer(deployment).deploy(order_of(deployment))

    def _asleep(self, claimed: Stored[Deployment]) -> Stored[Deployment]:
        deployment, now = claimed.value, self._deploying.now()
        nap = msgspec.structs.replace(
            deployment.nap, since=now, hand=False, asked_at=0.0, wake_at=wakes_at(deployment, now=now)
        )
        stage = DEAF if is_unheard(deployment.nap) else None
        after = moved(deployment, Status.ASLEEP, _said(deployment), now=now, nap=nap, lease_until=0.0, stage=stage)
        if not nap.failures:  # one that was not woken is no news
            after = msgspec.structs.replace(after, nap=with_news(after, "asleep", now=now))
        return published(
            self._deploying, claimed, after, said=lambda place, s: s.with_sleep(place, asleep(after, now=now))
        )

    def _answers_again(self, claimed: Stored[Deployment], place: Place) -> Stored[Deployment]:
        deployment, now = claimed.value, self._deploying.now()
        slept = _had_slept(deployment)
        seconds = now - deployment.moved_at if slept else deployment.nap.wake_seconds
        nap = msgspec.structs.replace(deployment.nap, wake_seconds=seconds, failures=0, wanted=False, hand=False)
        after = moved(
            deployment,
            Status.READY,
            "It answers again.",
            now=now,
            nap=nap,
            host=place.host or deployment.host,
            error=None,
            lease_until=0.0,
        )
        if slept:
            after = msgspec.structs.replace(after, nap=with_news(after, "woken", now=now))
        return published(self._deploying, claimed, after, said=lambda place, s: s.without_sleep(place))

    def _in_vain(self, stored: Stored[Deployment], error: Trouble) -> Stored[Deployment]:
        """Whatever of it is there after all would cost: it falls asleep again, and is tried again later."""
        nap = msgspec.structs.replace(stored.value.nap, failures=stored.value.nap.failures + 1)
        said = f"It could not be woken: {error.message}"
        return self._deploying.move(stored, Status.FALLING_ASLEEP, said, error=error, nap=nap, lease_until=0.0)

    def _refused(self, claimed: Stored[Deployment], said: str) -> Stored[Deployment]:
        """It cannot be taken off its machines: after an hour, or for whoever wants it, it is looked for there.

        One that could not be woken either has been looked for already.
        """
        nap = claimed.value.nap
        lasting = self._deploying.now() - claimed.value.moved_at >= REFUSED_SECONDS
        if nap.failures or not (lasting or nap.wanted):
            return self._waits(claimed, said=said)
        return self._deploying.move(claimed, Status.WAKING, said, lease_until=0.0)

    def _waits(
        self, claimed: Stored[Deployment], work: Work | None = None, *, said: str | None = None
    ) -> Stored[Deployment]:
        found = work or Work()
        try:
            return self._claims.waits(claimed, operation=found.operation, stage=found.stage, said=said)
        except Conflict:
            # Somebody wants it, or has it taken away: what was begun must be known to whoever goes on.
            self._claims.hand_over(claimed, found)
            self._claims.release(claimed, operation=found.operation)
            raise

    def _told(self, deployment: Deployment) -> Deployment:
        """The same with its news told. Raises TryLater when the bus is away."""
        if not deployment.nap.news:
            return deployment
        if (announce := self._outward.announce) is not None:
            self._deploying.announce(*(announce(deployment, news) for news in deployment.nap.news))
        return msgspec.structs.replace(deployment, nap=msgspec.structs.replace(deployment.nap, news=()))

    def _kept(self, stored: Stored[Deployment], after: Deployment) -> Stored[Deployment]:
        return stored if after == stored.value else self._deploying.note(stored, after)


def fallen(deploying: Deploying, stored: Stored[Deployment], kept: Deployment) -> Stored[Deployment]:
    """On its way to sleep: from here on the snapshot sends no call there. Raises Conflict."""
    now = deploying.now()
    why = "It was asked to sleep." if kept.nap.hand else "Nobody has used it for a while."
    after = moved(kept, Status.DRAINING, f"{why} Calls that run have time to end.", now=now)
    return published(deploying, stored, after, said=lambda place, s: s.with_sleep(place, asleep(after, now=now)))


def stirred(deploying: Deploying, stored: Stored[Deployment], said: str) -> Stored[Deployment]:
    """Ready again, before anything was taken away. Raises Conflict."""
    nap = msgspec.structs.replace(stored.value.nap, wanted=False, hand=False, asked_at=0.0)
    after = moved(stored.value, Status.READY, said, now=deploying.now(), nap=nap)
    return published(deploying, stored, after, said=lambda place, s: s.without_sleep(place))


def roused(deploying: Deploying, stored: Stored[Deployment], kept: Deployment) -> Stored[Deployment]:
    """On its way back: from here on it costs again, and callers are told when it will answer. Raises Conflict."""
    now = deploying.now()
    after = moved(kept, Status.WAKING, "Waking it.", now=now, nap=over(kept, now=now))
    return published(deploying, stored, after, said=lambda place, s: s.with_sleep(place, asleep(after, now=now)))


def published(
    deploying: Deploying, stored: Stored[Deployment], after: Deployment, *, said: Callable[[str, Snapshot], Snapshot]
) -> Stored[Deployment]:
    """The deployment and the snapshot in one commit."""
    place = place_of(target_of(after))
    change(deploying.documents, lambda snapshot: said(place, snapshot), deploying.shelf.replace(stored, after))
    return deploying.shelf.get(stored.id)


def _asking(deployment: Deployment, at: float) -> Deployment:
    return msgspec.structs.replace(deployment, nap=msgspec.structs.replace(deployment.nap, asked_at=at))


def _had_slept(waking: Deployment) -> bool:
    """Whether it was off its machines; one that could not be taken off them is only looked for."""
    return [moment.status for moment in waking.history[-2:]] == [Status.ASLEEP, Status.WAKING]


def _rested(deployment: Deployment, deployer: Deployer) -> Work:
    return deployer.rest(order_of(deployment))


def _said(deployment: Deployment) -> str:
    usd = saved(deployment, now=deployment.moved_at).usd
    sum_ = f" Sleep has saved {usd:.2f} USD so far." if usd else ""
    return f"It sleeps; its endpoint stays.{sum_}"
