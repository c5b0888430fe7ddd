"""The order in which targets are asked: weights over many draws, groups, rests, and nobody lost."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tuneway.routing.routes import Target
from tuneway.routing.select import sequence

TARGETS = st.lists(
    st.builds(
        Target,
        model=st.text("abc", min_size=1, max_size=3),
        weight=st.sampled_from([0.0, 0.5, 1.0, 7.0]),
        order=st.integers(0, 3),
    ),
    max_size=8,
)
DRAWS = st.floats(0, 1, exclude_max=True)


def nobody(_: Target) -> bool:
    return False


@given(TARGETS, DRAWS)
def test_every_target_with_a_weight_is_asked_once_and_no_other(targets: list[Target], draw: float) -> None:
    asked = sequence(targets, cooling=nobody, draw=lambda: draw)
    assert Counter(asked) == Counter(target for target in targets if target.weight > 0)


@given(TARGETS, DRAWS)
def test_a_later_group_comes_later(targets: list[Target], draw: float) -> None:
    orders = [target.order for target in sequence(targets, cooling=nobody, draw=lambda: draw)]
    assert orders == sorted(orders)


@given(TARGETS, DRAWS, st.sets(st.text("abc", min_size=1, max_size=3)))
def test_who_rests_is_passed_over_unless_all_rest(targets: list[Target], draw: float, resting: set[str]) -> None:
    asked = sequence(targets, cooling=lambda target: target.model in resting, draw=lambda: draw)
    known = [target for target in targets if target.weight > 0]
    ready = [target for target in known if target.model not in resting]
    assert Counter(asked) == Counter(ready or known)


def test_a_resting_group_gives_way_to_the_next() -> None:
    first, second = Target(model="a"), Target(model="b", order=1)
    assert sequence([first, second], cooling=lambda target: target is first, draw=lambda: 0.0) == (second,)


def test_weights_are_kept_over_many_draws() -> None:
    heavy, light = Target(model="heavy", weight=9.0), Target(model="light", weight=1.0)
    random = Random(7)
    firsts = Counter(sequence([light, heavy], cooling=nobody, draw=random.random)[0].model for _ in range(20_000))
    assert 0.085 < firsts["light"] / 20_000 < 0.115


def test_the_stand_in_is_chosen_by_weight_too() -> None:
    group = [Target(model=name, weight=weight) for name, weight in (("a", 100.0), ("b", 9.0), ("c", 1.0))]
    random = Random(7)
    seconds = Counter(sequence(group, cooling=nobody, draw=random.random)[1].model for _ in range(5_000))
    assert seconds["b"] > 5 * seconds["c"]
