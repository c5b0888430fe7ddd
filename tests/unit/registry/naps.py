"""A deployment that may sleep: its handler, the beat, what is recorded of its use, and a feed that can fall silent."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from typing_extensions import override

from tests.fakes import Crash, Fuse
from tests.unit.registry.rollouts import ALIAS, MAIN, World
from tuneway.errors import TryLater
from tuneway.ports import Message
from tuneway.registry.counts.tallies import Request
from tuneway.registry.hosting.rests.resting import Outward
from tuneway.registry.hosting.rests.resting_desk import RestingDesk
from tuneway.registry.hosting.rests.stirring import Echo, Stirring
from tuneway.registry.hosting.rollout import Rollout
from tuneway.registry.rest import News, Rest
from tuneway.registry.shelves import Deployment
from tuneway.registry.shelves import DeploymentStatus as Status
from tuneway.tuning.cloud_events import Event, announced

PLACE = f"projects/p/locations/us-central1/endpoints/{MAIN}"
IDLE = 900.0


def told(deployment: Deployment, news: News) -> Message:
    data = {"saved_usd": news.saved_usd, "seconds": news.seconds}
    id_ = f"{deployment.id}-{news.what}-{news.at}"
    event = Event(id=id_, type=news.what, source="s", subject=deployment.id, time=news.at, data=data)
    return announced(event)


def call(at: float, *, ms: float = 100.0, asleep: bool = False, target: str = PLACE) -> Request:
    where = {"target": "", "asleep": (target,)} if asleep else {"target": target}
    return msgspec.convert(
        {
            "id": f"req-{at}",
            "at": at,
            "owner": "acme",
            "key": "k",
            "route": ALIAS,
            "status": 503 if asleep else 200,
            "ms": ms,
            **where,
        },
        Request,
    )


class NapWorld(World):
    """``deaf_feed`` swallows what is recorded."""

    def __init__(self, folder: Path, *, fuse: Fuse | None = None, rest: Rest | None = None) -> None:
        super().__init__(folder, fuse=fuse)
        self.deaf_feed = False
        self.echoes: list[Echo] = []
        self.stirring = Stirring(self.deploying)
        self.resting = RestingDesk(self.deploying)
        self.rollout = Rollout(
            self.deploying,
            self,
            outcomes=self.outcomes,
            lease=60,
            decided=self.decided.append,
            outward=Outward(echo=self._echo, announce=told),
        )
        if rest is not None:
            self.begin(rest)

    def begin(self, rest: Rest | None = None) -> None:
        """A deployment that is ready, and may sleep if it has a ``rest``."""
        self.finish()
        self.settle()
        if rest is not None:
            self.resting.set_rest(MAIN, rest, owner=None)
            self.deliver()

    @override
    def deliver(self) -> None:
        super().deliver()
        while self.echoes:
            with suppress(Crash, TryLater):
                self.stirring.heard(self.echoes.pop(0))
            super().deliver()

    def pass_time(self, seconds: float, *, beat: float = 60.0) -> None:
        """Beats of the scheduler until the time is over."""
        end = self.clock + seconds
        while self.clock < end:
            self.clock = min(end, self.clock + beat)
            with suppress(Crash, TryLater):
                self.deploying.tick()
            self.deliver()

    def called(self, *, ms: float = 100.0, asleep: bool = False) -> None:
        """A call that has just ended, recorded; one that finds the place asleep is turned away."""
        self.stirring.used(call(self.clock, ms=ms, asleep=asleep))
        self.deliver()

    def until(self, status: Status, *, seconds: float = 20_000) -> Deployment:
        end = self.clock + seconds
        while self.deployment().status is not status:
            assert self.clock < end, self.deployment().history
            self.pass_time(60)
        return self.deployment()

    @property
    def is_up(self) -> bool:
        return ("deployed", MAIN) in self.provider.there

    @property
    def is_hidden(self) -> bool:
        """Whether calls are kept away from it."""
        return bool(self.snapshot().asleep)

    def news(self) -> list[str]:
        return [
            message.attributes["ce-type"].removeprefix("tuneway.")
            for message in self.events.sent
            if "ce-type" in message.attributes
        ]

    def _echo(self, deployment: str) -> None:
        if not self.deaf_feed:
            self.echoes.append(Echo(deployment=deployment, at=self.clock))


def within(world: NapWorld, deed: Callable[[], object]) -> None:
    """Done by somebody who may die of it, or be told to come again."""
    with suppress(Crash, TryLater):
        deed()
