from hypothesis import given
from hypothesis import strategies as st

from tuneway.tuning.datasets.fingerprints import Fingerprints


@given(st.lists(st.binary(max_size=2)))
def test_a_row_was_seen_when_it_came_before(rows: list[bytes]) -> None:
    fingerprints = Fingerprints(slots=4, most=1 << 20)
    assert [fingerprints.seen(row) for row in rows] == [row in rows[:place] for place, row in enumerate(rows)]
    assert fingerprints.count == len(set(rows))


def test_a_full_table_remembers_no_more_and_says_so() -> None:
    fingerprints = Fingerprints(slots=4, most=8)
    rows = [bytes([number]) for number in range(20)]
    assert not any(fingerprints.seen(row) for row in rows)
    assert (fingerprints.count, fingerprints.full) == (6, True)
    assert [fingerprints.seen(row) for row in rows] == [True] * 6 + [False] * 14
