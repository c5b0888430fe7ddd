"""The contract of ``ports.Documents.find``, for both plugs: the same documents in the same order."""

import pytest

from tuneway.errors import BadInput, NotFound
from tuneway.ports import Create, Delete, Documents, Key, Query, Where


def keep(documents: Documents, **fields: dict[str, object]) -> None:
    documents.commit(*(Create(Key("jobs", id_), values) for id_, values in fields.items()))


def ids(documents: Documents, query: Query) -> list[str]:
    return [found.key.id for found in documents.find(query)]


def matching(documents: Documents, condition: Where) -> list[str]:
    return ids(documents, Query(collection="jobs", where=(condition,)))


def mixed(documents: Documents) -> None:
    keep(
        documents,
        absent={},
        null={"n": None},
        false={"n": False},
        true={"n": True},
        minus={"n": -1},
        zero={"n": 0},
        half={"n": 0.5},
        one={"n": 1},
        onefloat={"n": 1.0},
        empty={"n": ""},
        digit={"n": "1"},
        upper={"n": "B"},
        lower={"n": "a"},
        umlaut={"n": "ä"},
        astral={"n": "\U0001f30d"},
        bmp={"n": "\uffff"},
        items={"n": [1]},
        record={"n": {"n": 1}},
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Where("n", "==", 1), {"one", "onefloat"}),
        (Where("n", "==", 1.0), {"one", "onefloat"}),
        (Where("n", "==", "1"), {"digit"}),
        (Where("n", "==", ""), {"empty"}),
        (Where("n", "==", value=True), {"true"}),
        (Where("n", "==", value=False), {"false"}),
        (Where("n", "==", 0), {"zero"}),
        (Where("n", ">", 0), {"half", "one", "onefloat"}),
        (Where("n", ">=", 0), {"zero", "half", "one", "onefloat"}),
        (Where("n", "<", 1), {"minus", "zero", "half"}),
        (Where("n", "<=", 0.5), {"minus", "zero", "half"}),
        (Where("n", ">", "B"), {"lower", "umlaut", "bmp", "astral"}),
        (Where("n", ">=", ""), {"empty", "digit", "upper", "lower", "umlaut", "bmp", "astral"}),
        (Where("n", "<", "a"), {"empty", "digit", "upper"}),
        (Where("n", "<=", value=True), {"false", "true"}),
        (Where("n", ">", value=False), {"true"}),
        (Where("n", "<", value=False), set()),
    ],
)
def test_only_values_of_the_same_type_compare(documents: Documents, condition: Where, expected: set[str]) -> None:
    mixed(documents)
    found = matching(documents, condition)
    assert set(found) == expected
    assert found == sorted(found)


def test_values_of_all_types_have_one_order(documents: Documents) -> None:
    mixed(documents)
    order = ["null", "false", "true", "minus", "zero", "half", "one", "onefloat", "empty", "digit", "upper", "lower"]
    expected = [*order, "umlaut", "bmp", "astral", "items", "record"]
    assert ids(documents, Query(collection="jobs", order_by="n")) == expected
    assert ids(documents, Query(collection="jobs", order_by="n", descending=True)) == expected[::-1]


@pytest.mark.parametrize("descending", [False, True])
def test_pages_of_any_order_join_without_gap_or_double(documents: Documents, *, descending: bool) -> None:
    mixed(documents)
    whole = ids(documents, Query(collection="jobs", order_by="n", descending=descending))
    joined: list[str] = []
    while page := ids(
        documents,
        Query(collection="jobs", order_by="n", descending=descending, limit=2, after=joined[-1] if joined else None),
    ):
        joined += page
    assert joined == whole


def test_without_an_order_ids_decide(documents: Documents) -> None:
    keep(documents, b={"n": 1}, a={"n": 3}, C={"n": 2}, ä={"n": 0})
    assert ids(documents, Query(collection="jobs")) == ["C", "a", "b", "ä"]
    assert ids(documents, Query(collection="jobs", descending=True)) == ["ä", "b", "a", "C"]
    assert ids(documents, Query(collection="jobs", limit=2)) == ["C", "a"]
    assert ids(documents, Query(collection="jobs", limit=2, after="a")) == ["b", "ä"]


@pytest.mark.parametrize("descending", [False, True])
def test_equal_values_are_ordered_by_id_in_the_same_direction(documents: Documents, *, descending: bool) -> None:
    keep(documents, b={"n": 1}, a={"n": 1}, c={"n": 1}, d={"n": 0})
    found = ids(documents, Query(collection="jobs", order_by="n", descending=descending))
    assert found == (["c", "b", "a", "d"] if descending else ["d", "a", "b", "c"])


def test_a_range_without_an_order_comes_by_id(documents: Documents) -> None:
    keep(documents, a={"n": 3}, b={"n": 2}, c={"n": 1}, d={"n": 0})
    assert matching(documents, Where("n", ">", 0)) == ["a", "b", "c"]


def test_every_condition_must_hold(documents: Documents) -> None:
    keep(documents, a={"s": "open", "n": 1}, b={"s": "open", "n": 5}, c={"s": "done", "n": 5}, d={"n": 5})
    where = (Where("s", "==", "open"), Where("n", ">=", 2), Where("n", "<", 9))
    assert ids(documents, Query(collection="jobs", where=where, order_by="n")) == ["b"]


def test_dots_lead_into_maps(documents: Documents) -> None:
    keep(documents, a={"m": {"n": 2}}, b={"m": {"n": 1}}, c={"m": 1}, d={"m.n": 1}, e={"n": 1}, f={"m": [{"n": 1}]})
    assert ids(documents, Query(collection="jobs", order_by="m.n")) == ["b", "a"]
    assert ids(documents, Query(collection="jobs", where=(Where("m.n", "==", 1),))) == ["b"]


def test_a_document_without_the_order_is_left_out(documents: Documents) -> None:
    keep(documents, a={"n": 1}, b={"m": 1}, c={"n": None})
    assert ids(documents, Query(collection="jobs", order_by="n")) == ["c", "a"]


def test_an_empty_collection_has_nothing(documents: Documents) -> None:
    assert documents.find(Query(collection="jobs", order_by="n", limit=3)) == []


def test_collections_do_not_mix(documents: Documents) -> None:
    keep(documents, a={"n": 1})
    documents.commit(Create(Key("job", "b"), {"n": 1}), Create(Key("jobs/a/events", "c"), {"n": 1}))
    documents.commit(Create(Key("jobs/b/events", "d"), {"n": 1}))
    assert ids(documents, Query(collection="jobs")) == ["a"]
    assert ids(documents, Query(collection="jobs/a/events")) == ["c"]


def test_a_page_goes_on_after_a_document(documents: Documents) -> None:
    keep(documents, a={"n": 3}, b={"n": 2}, c={"n": 2}, d={"n": 1})
    query = Query(collection="jobs", order_by="n", descending=True, limit=2, after="c")
    assert ids(documents, query) == ["b", "d"]


def test_a_page_goes_on_after_a_document_that_no_longer_matches(documents: Documents) -> None:
    keep(documents, a={"s": "x", "n": 1}, b={"s": "y", "n": 2}, c={"s": "x", "n": 3})
    query = Query(collection="jobs", where=(Where("s", "==", "x"),), order_by="n", after="b")
    assert ids(documents, query) == ["c"]


@pytest.mark.parametrize("order_by", [None, "n"])
def test_after_one_that_is_gone_there_is_no_page(documents: Documents, order_by: str | None) -> None:
    keep(documents, a={"n": 1}, b={"n": 2})
    documents.commit(Delete(Key("jobs", "a")))
    for gone in ("a", "never", "not/possible"):
        with pytest.raises(NotFound):
            documents.find(Query(collection="jobs", order_by=order_by, after=gone))


def test_after_one_outside_the_order_there_is_no_page(documents: Documents) -> None:
    keep(documents, a={"n": 1}, b={})
    with pytest.raises(NotFound):
        documents.find(Query(collection="jobs", order_by="n", after="b"))


def test_after_the_last_there_is_nothing(documents: Documents) -> None:
    keep(documents, a={"n": 1})
    assert ids(documents, Query(collection="jobs", order_by="n", after="a")) == []


def test_many_pages_give_every_document_once(documents: Documents) -> None:
    documents.commit(*(Create(Key("rows", f"{n:04}"), {"shard": n % 7}) for n in range(250)))
    seen: list[str] = []
    while page := ids(
        documents, Query(collection="rows", order_by="shard", limit=30, after=seen[-1] if seen else None)
    ):
        seen += page
    assert seen == [f"{n:04}" for n in sorted(range(250), key=lambda n: (n % 7, n))]


def test_what_is_found_carries_the_version_that_guards_it(documents: Documents) -> None:
    keep(documents, a={"n": 1})
    assert documents.find(Query(collection="jobs")) == [documents.get(Key("jobs", "a"))]


@pytest.mark.parametrize(
    "query",
    [
        Query(collection="jobs/a"),
        Query(collection=""),
        Query(collection="jobs", order_by='n"'),
        Query(collection="jobs", order_by="a..b"),
        Query(collection="jobs", where=(Where("n') OR 1=1 --", "==", 1),)),
        Query(collection="jobs", limit=0),
        Query(collection="jobs", descending=True, limit=2),
        Query(collection="jobs", where=(Where("n", ">", 1),), limit=2),
        Query(collection="jobs", where=(Where("n", ">", 1),), order_by="m"),
    ],
)
def test_what_one_plug_could_not_ask_both_refuse(documents: Documents, query: Query) -> None:
    with pytest.raises(BadInput):
        documents.find(query)
