"""Stories of deployments, told from the start with one thing going wrong at one of their points."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from tests.integration.hosting.points import POSSIBLE, Fault, Points, Socket
from tests.integration.hosting.site import Site
from tests.integration.hosting.truths import agree, no_alias_points_nowhere
from tuneway.tuning.jobs import Job

Tell = Callable[[Site], object]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """``tell`` does it, ``job`` is what it begins with, ``visit`` is what somebody else does at a point.

    Nothing goes wrong in what happens ``before``, nor at the points before the first call whose name ends like
    ``since``: those are the points of another story.
    """

    tell: Tell
    job: Job
    before: Tell = lambda _: None
    visit: Tell = agree
    since: str = ""


@contextmanager
def told(story: Story, folder: Path, points: Points, *, after: Site) -> Iterator[Site]:
    """The site after the story, which agrees with itself and with its providers."""
    with closing(Site(folder, points, after=after)) as site:
        points.watch = lambda: no_alias_points_nowhere(site)
        points.visitor = lambda: story.visit(site)
        story.tell(site)
        site.settle()
        agree(site)
        yield site


def replayed(story: Story, fault: Fault, folder: Path) -> Iterator[tuple[str, Site]]:
    """The site after each telling with this fault at one more of the points, and where that was."""
    dry = Points()
    with closing(Site(folder, Points(), job=story.job)) as before:
        story.before(before)
        with told(story, folder, dry, after=before):
            pass
        for number, (socket, name) in _at_stake(story, dry):
            if fault in POSSIBLE[socket]:
                where = f"{fault}: {socket} {number}, {name}"
                try:
                    with told(story, folder, Points(number, fault), after=before) as site:
                        yield where, site
                except AssertionError as wrong:
                    raise AssertionError(where) from wrong


def _at_stake(story: Story, dry: Points) -> Iterator[tuple[int, tuple[Socket, str]]]:
    """The points with their numbers, from where the story differs from others on."""
    calls = (number for number, (socket, name) in enumerate(dry.passed) if _begins(story, socket, name))
    first = next(calls) if story.since else 0
    return islice(enumerate(dry.passed, 1), first, None)


def _begins(story: Story, socket: Socket, name: str) -> bool:
    return socket is Socket.CALL and name.endswith(story.since)
