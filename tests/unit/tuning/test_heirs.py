"""When a base retires, and which base follows it in the end."""

from datetime import date, timedelta

import msgspec

from tuneway.ports.retirements import Fate
from tuneway.tuning.catalogue import Catalogue, load
from tuneway.tuning.heirs import CatalogueFates, heirs

TODAY = date(2026, 11, 18)
FIRST, SECOND, THIRD = "gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.1-flash-lite"


def catalogue(**ends: tuple[int | None, str | None]) -> Catalogue:
    """The catalogue with these bases ending in so many days, followed by others."""
    names = {"first": FIRST, "second": SECOND, "third": THIRD}
    rows = [
        {
            "name": names[name],
            "retired_on": None if days is None else str(TODAY + timedelta(days=days)),
            "successor": names.get(str(after), after),
        }
        for name, (days, after) in ends.items()
    ]
    return load().merged(msgspec.json.encode({"models": rows}))


def fate(known: Catalogue, name: str = FIRST) -> Fate:
    found = CatalogueFates(known).of(name, today=TODAY)
    assert found is not None
    return found


def test_the_shipped_catalogue_knows_what_has_retired() -> None:
    found = fate(load(), "vertex_ai/gemini-2.5-pro")
    assert (found.retires_on, found.announced, found.successor) == (date(2026, 10, 20), True, FIRST)
    assert found.source


def test_a_promise_is_an_estimate() -> None:
    found = fate(load())
    assert (found.retires_on, found.announced) == (date(2027, 5, 19), False)


def test_a_name_of_another_cloud_or_of_nobody_is_unknown() -> None:
    fates = CatalogueFates(load())
    assert fates.of("bedrock/gemini-2.5-pro", today=TODAY) is None
    assert fates.of("gpt-5", today=TODAY) is None


def test_the_chain_ends_with_the_first_that_stays() -> None:
    found = fate(catalogue(first=(20, "second"), second=(90, "third")))
    assert (found.successor, found.through, found.successor_retires_on) == (THIRD, (SECOND,), date(2027, 5, 7))


def test_one_that_stays_for_more_than_ninety_days_is_not_passed_over() -> None:
    found = fate(catalogue(first=(20, "second"), second=(91, "third")))
    assert (found.successor, found.through) == (SECOND, ())


def test_a_circle_and_an_unknown_name_end_the_chain() -> None:
    circle = catalogue(first=(20, "second"), second=(30, "first"))
    assert [base.name for base in heirs(circle, circle.named(FIRST, today=TODAY), today=TODAY)] == [SECOND]
    unknown = catalogue(first=(20, "nobody-knows-it"))
    assert fate(unknown).successor is None


def test_one_that_is_gone_itself_succeeds_nobody() -> None:
    gone = fate(catalogue(first=(20, "second"), second=(0, None)))
    assert (gone.successor, gone.through, gone.successor_retires_on) == (None, (SECOND,), None)
    last = fate(catalogue(first=(20, "second"), second=(1, None)))
    assert (last.successor, last.through) == (SECOND, ())


def test_the_print_changes_with_every_date_and_successor_and_with_nothing_else() -> None:
    plain = CatalogueFates(load()).edition()
    assert CatalogueFates(catalogue(first=(20, None))).edition() != plain
    assert CatalogueFates(catalogue(first=(None, "second"))).edition() != plain
    priced = load().merged(msgspec.json.encode({"models": [{"name": FIRST, "notes": ["dear"]}]}))
    assert CatalogueFates(priced).edition() == plain
