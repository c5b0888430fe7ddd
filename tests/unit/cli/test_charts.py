"""Losses as pictures."""

from hypothesis import given
from hypothesis import strategies as st

from tuneway.cli.charts import chart, sparkline

LOSS = st.floats(min_value=-1e6, max_value=1e6)


def test_a_sparkline_falls_with_its_values() -> None:
    assert sparkline([8, 7, 6, 5, 4, 3, 2, 1], width=8) == "█▇▆▅▄▃▂▁"
    assert (sparkline([], width=8), sparkline([2, 2], width=8)) == ("", "▁▁")


def test_a_chart_shows_the_extremes_and_the_steps() -> None:
    lines = chart([(1, 2.0), (10, 1.0), (20, 0.5)], width=20, height=4)
    assert len(lines) == 5
    assert (lines[0].split()[0], lines[3].split()[0], lines[4].split()) == ("2", "0.5", ["1", "20"])
    assert lines[0].split("┤")[1][0] != "\u2800" != lines[3].split("┤")[1][-1]


def test_one_loss_is_a_dot_and_none_is_nothing() -> None:
    assert chart([], width=10, height=4) == []
    assert sum(sum(character > "\u2800" for character in line) for line in chart([(1, 1)], width=10, height=4)) == 1


@given(st.lists(st.tuples(st.integers(1, 10_000), LOSS), min_size=1, max_size=50), st.integers(2, 80))
def test_any_losses_fit_in_the_frame(points: list[tuple[float, float]], width: int) -> None:
    lines = chart(sorted(points), width=width, height=6)
    assert len(lines) == 7
    assert {len(line.split("┤")[1]) for line in lines[:6]} == {width}
    assert len(sparkline([loss for _, loss in points], width=width)) <= width
