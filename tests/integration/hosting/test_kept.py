"""The state in memory means what SQLite's does, as far as the stories use it."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from tests.integration.hosting.kept import KeptDocuments
from tuneway.adapters.sqlite_documents import SqliteDocuments
from tuneway.errors import TunewayError
from tuneway.ports import Create, Delete, Documents, Key, Put, Query, Replace, Where, Write

KEYS = [Key("jobs", id_) for id_ in ("a", "b")] + [Key("jobs/a/events", "a")]
DEEDS = st.sampled_from(["create", "replace", "stale", "put", "delete"])
STEPS = st.lists(st.tuples(DEEDS, st.sampled_from(KEYS), st.integers(0, 2)), min_size=1, unique_by=lambda step: step[1])
QUERIES = [
    Query(collection="jobs"),
    Query(collection="jobs", where=(Where("n", ">=", 1),), order_by="n", descending=True),
    Query(collection="jobs", where=(Where("n", "==", 1),)),
    Query(collection="jobs", where=(Where("there", "==", value=True), Where("n", "<=", 2)), order_by="n", limit=1),
    Query(collection="jobs", where=(Where("in.n", "<", 2),), order_by="in.n"),
    Query(collection="jobs", order_by="other"),
]


def write(documents: Documents, step: tuple[str, Key, int]) -> Write:
    deed, key, n = step
    fields: dict[str, object] = {"n": n, "in": {"n": n}} | ({"there": True} if n else {})
    there = documents.get(key)
    known = {"replace": there.version if there else "1", "stale": "0"}
    match deed:
        case "create":
            return Create(key, fields)
        case "put":
            return Put(key, fields)
        case "delete":
            return Delete(key)
        case _:
            return Replace(key, fields, known[deed])


def done(documents: Documents, steps: list[tuple[str, Key, int]]) -> object:
    """What came of them, and which documents are others than before."""
    before = [documents.get(key) for key in KEYS]
    try:
        documents.commit(*[write(documents, step) for step in steps])
    except TunewayError as refused:
        return type(refused)
    after = [documents.get(key) for key in KEYS]
    changed = [
        one is None or other is None or one.version != other.version for one, other in zip(before, after, strict=True)
    ]
    return changed, [[(each.key, each.fields) for each in documents.find(query)] for query in QUERIES]


@given(st.lists(STEPS, max_size=6))
def test_the_same_is_done_found_and_refused(commits: list[list[tuple[str, Key, int]]]) -> None:
    kept = KeptDocuments()
    with TemporaryDirectory() as folder, closing(SqliteDocuments(Path(folder) / "state.sqlite")) as sqlite:
        for steps in commits:
            assert done(kept, steps) == done(sqlite, steps)
            kept = KeptDocuments(kept)
