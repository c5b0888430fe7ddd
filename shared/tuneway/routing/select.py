"""The order in which a route's targets are asked: groups by ``order``, within a group by weight and luck."""

from collections.abc import Callable, Sequence

from tuneway.routing.routes import Target

Draw = Callable[[], float]


def sequence(targets: Sequence[Target], *, cooling: Callable[[Target], bool], draw: Draw) -> tuple[Target, ...]:
    """Every target worth asking, the first choice first; ``draw`` gives random numbers from 0 up to 1.

    A target in cooldown is passed over unless all are; one with the weight 0 is never asked.
    """
    known = [target for target in targets if target.weight > 0]
    ready = [target for target in known if not cooling(target)] or known
    groups: dict[int, list[Target]] = {}
    for target in ready:
        groups.setdefault(target.order, []).append(target)
    return tuple(target for order in sorted(groups) for target in _shuffled(groups[order], draw))


def _shuffled(group: list[Target], draw: Draw) -> list[Target]:
    """A group by repeated weighted choice: who comes first is by weight, and so is who stands in for it."""
    left, chosen = list(group), list[Target]()
    while len(left) > 1:
        chosen.append(left.pop(_chosen(left, draw())))
    return chosen + left


def _chosen(group: list[Target], number: float) -> int:
    """The place of the target whose part of all weights ``number`` falls into."""
    mark = number * sum(target.weight for target in group)
    for place, target in enumerate(group):
        mark -= target.weight
        if mark < 0:
            return place
    return len(group) - 1
