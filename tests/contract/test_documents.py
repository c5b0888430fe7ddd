"""The contract of ``ports.Documents``, for both plugs: guarded, atomic writes of JSON values."""

import pytest

from tuneway.errors import AlreadyExists, BadInput, Conflict
from tuneway.ports import Create, Delete, Document, Documents, Key, Put, Replace

JOB = Key("jobs", "ftjob-1")
OTHER = Key("jobs", "ftjob-2")


def stored(documents: Documents, key: Key = JOB) -> Document:
    found = documents.get(key)
    assert found is not None
    return found


def test_what_was_created_is_read_back(documents: Documents) -> None:
    documents.commit(Create(JOB, {"status": "queued"}))
    found = stored(documents)
    assert (found.key, found.fields) == (JOB, {"status": "queued"})
    assert found.version


def test_what_was_never_written_is_none(documents: Documents) -> None:
    assert documents.get(JOB) is None


def test_a_commit_of_nothing_is_done_at_once(documents: Documents) -> None:
    documents.commit()


def test_a_document_under_another_lies_in_its_own_collection(documents: Documents) -> None:
    event = Key("jobs/ftjob-1/events", "000001")
    documents.commit(Create(event, {"message": "started"}))
    assert stored(documents, event).fields == {"message": "started"}
    assert documents.get(JOB) is None


def test_the_second_create_is_refused_and_changes_nothing(documents: Documents) -> None:
    documents.commit(Create(JOB, {"by": "first"}))
    with pytest.raises(AlreadyExists):
        documents.commit(Create(JOB, {"by": "second"}))
    assert stored(documents).fields == {"by": "first"}


def test_a_replacement_takes_the_whole_place(documents: Documents) -> None:
    documents.commit(Create(JOB, {"status": "queued", "lease": {"by": "a", "until": 3}, "a.b": 1}))
    documents.commit(Replace(JOB, {"lease": {"by": "b"}, "c.d": 2}, stored(documents).version))
    assert stored(documents).fields == {"lease": {"by": "b"}, "c.d": 2}


def test_a_replacement_by_nothing_leaves_an_empty_document(documents: Documents) -> None:
    documents.commit(Create(JOB, {"status": "queued"}))
    documents.commit(Replace(JOB, {}, stored(documents).version))
    assert stored(documents).fields == {}


def test_a_change_gives_a_new_version(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    first = stored(documents).version
    documents.commit(Replace(JOB, {"n": 2}, first))
    assert stored(documents).version != first


def test_a_change_elsewhere_keeps_the_version(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    first = stored(documents).version
    documents.commit(Create(OTHER, {"n": 1}))
    assert stored(documents).version == first


def test_writing_what_is_there_already_keeps_the_version(documents: Documents) -> None:
    documents.commit(Create(JOB, {"a": 1, "b": {"c": 2}}))
    first = stored(documents).version
    documents.commit(Put(JOB, {"b": {"c": 2}, "a": 1}))
    assert stored(documents).version == first


def test_a_stale_writer_loses(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    seen = stored(documents).version
    documents.commit(Replace(JOB, {"n": 2}, seen))
    with pytest.raises(Conflict):
        documents.commit(Replace(JOB, {"n": 3}, seen))
    assert stored(documents).fields == {"n": 2}


def test_a_stale_writer_of_the_same_change_loses_too(documents: Documents) -> None:
    documents.commit(Create(JOB, {"taken": False}))
    seen = stored(documents).version
    documents.commit(Replace(JOB, {"taken": True}, seen))
    with pytest.raises(Conflict):
        documents.commit(Replace(JOB, {"taken": True}, seen))


def test_what_is_gone_cannot_be_replaced(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    seen = stored(documents).version
    documents.commit(Delete(JOB))
    with pytest.raises(Conflict):
        documents.commit(Replace(JOB, {"n": 2}, seen))
    assert documents.get(JOB) is None


def test_what_was_removed_and_made_again_is_another_document(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    seen = stored(documents).version
    documents.commit(Delete(JOB))
    documents.commit(Create(JOB, {"n": 1}))
    with pytest.raises(Conflict):
        documents.commit(Replace(JOB, {"n": 2}, seen))


@pytest.mark.parametrize("version", ["", "nonsense", "2020-01-01T00:00:00Z", "987654321"])
def test_a_version_that_never_was_is_a_conflict(documents: Documents, version: str) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    with pytest.raises(Conflict):
        documents.commit(Replace(JOB, {"n": 2}, version))


def test_put_writes_whatever_is_there(documents: Documents) -> None:
    documents.commit(Put(JOB, {"n": 1, "old": True}))
    documents.commit(Put(JOB, {"n": 2}))
    assert stored(documents).fields == {"n": 2}


def test_removing_twice_is_removing_once(documents: Documents) -> None:
    documents.commit(Create(JOB, {}))
    documents.commit(Delete(JOB))
    documents.commit(Delete(JOB))
    assert documents.get(JOB) is None


def test_a_removed_parent_leaves_what_lies_under_it(documents: Documents) -> None:
    event = Key("jobs/ftjob-1/events", "1")
    documents.commit(Create(JOB, {}), Create(event, {}))
    documents.commit(Delete(JOB))
    assert documents.get(event) is not None


def test_one_stale_write_undoes_the_whole_commit(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    seen = stored(documents).version
    documents.commit(Put(JOB, {"n": 2}))
    with pytest.raises(Conflict):
        documents.commit(Create(OTHER, {}), Put(Key("jobs", "x"), {}), Replace(JOB, {"n": 3}, seen))
    assert documents.get(OTHER) is None
    assert documents.get(Key("jobs", "x")) is None
    assert stored(documents).fields == {"n": 2}


def test_one_refused_create_undoes_the_whole_commit(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    with pytest.raises(AlreadyExists):
        documents.commit(Put(OTHER, {"n": 1}), Create(JOB, {"n": 2}))
    assert documents.get(OTHER) is None


def test_after_a_refusal_the_state_works_on(documents: Documents) -> None:
    documents.commit(Create(JOB, {"n": 1}))
    with pytest.raises(AlreadyExists):
        documents.commit(Create(JOB, {"n": 2}))
    documents.commit(Replace(JOB, {"n": 3}, stored(documents).version), Create(OTHER, {}))
    assert stored(documents).fields == {"n": 3}


def test_a_document_is_written_once_in_a_commit(documents: Documents) -> None:
    with pytest.raises(BadInput):
        documents.commit(Create(JOB, {"n": 1}), Put(JOB, {"n": 2}))
    assert documents.get(JOB) is None


def test_two_hundred_writes_are_one_commit(documents: Documents) -> None:
    documents.commit(*(Create(Key("rows", f"{n:03}"), {"n": n}) for n in range(200)))
    assert stored(documents, Key("rows", "199")).fields == {"n": 199}


def test_every_json_value_comes_back_as_it_went(documents: Documents) -> None:
    fields: dict[str, object] = {
        "none": None,
        "yes": True,
        "no": False,
        "int": -3,
        "largest": 2**63 - 1,
        "smallest": -(2**63),
        "float": 0.1,
        "whole float": 2.0,
        "tiny": 5e-324,
        "text": "",
        "list": [1, "two", None, {"list": [3.5]}],
        "empty list": [],
        "map": {"a": {"b": {"c": []}}, "empty": {}},
    }
    documents.commit(Create(JOB, fields))
    found = stored(documents).fields
    assert found == fields
    assert isinstance(found["whole float"], float)
    assert isinstance(found["int"], int)
    assert found["yes"] is True


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 世界 🌍",
        "a\u0000b",
        "\u2028\u0085\r\n\t",
        '"\\/ {}[]',
        "e\u0301 is not \u00e9",
        "\U0010ffff\ufffe",
        "$ne",
    ],
)
def test_any_unicode_comes_back_as_it_went(documents: Documents, text: str) -> None:
    key = Key("tëxts", text.replace("/", "|").replace("\u0000", "0"))
    documents.commit(Create(key, {"text": text, f"ñ {text}": [text]}))
    assert stored(documents, key).fields == {"text": text, f"ñ {text}": [text]}


def test_values_to_a_megabyte_are_kept(documents: Documents) -> None:
    body = "ü" * 500_000
    documents.commit(Create(JOB, {"body": body}))
    assert stored(documents).fields["body"] == body


def deep(levels: int) -> dict[str, object]:
    return {"deeper": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "fields",
    [
        {"nested": [[1]]},
        {"nested": {"in": [{"a": [[]]}]}},
        {"huge": 2**63},
        {"nan": float("nan")},
        {"infinite": float("inf")},
        {"bytes": b"x"},
        {"set": {1}},
        {"": 1},
        {"__reserved__": 1},
        {"half": "\ud800"},
        {"body": "x" * 1_048_488},
        {"one": "x" * 600_000, "two": "x" * 600_000},
        {"deep": deep(21)},
    ],
    ids=lambda fields: next(iter(fields)) or "nameless",
)
def test_what_one_plug_could_not_keep_both_refuse(documents: Documents, fields: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        documents.commit(Create(OTHER, {}), Put(JOB, fields))
    assert documents.get(OTHER) is None


@pytest.mark.parametrize("id_", ["", ".", "..", "a/b", "a/events/1", "__x__", "x" * 1_501, "\ud800"])
def test_an_impossible_id_is_never_found_and_never_written(documents: Documents, id_: str) -> None:
    documents.commit(Create(Key("jobs/a/events", "1"), {}))
    assert documents.get(Key("jobs", id_)) is None
    with pytest.raises(BadInput):
        documents.commit(Put(Key("jobs", id_), {}))


def test_twenty_levels_are_kept(documents: Documents) -> None:
    documents.commit(Create(JOB, deep(20)))
    assert stored(documents).fields == deep(20)
