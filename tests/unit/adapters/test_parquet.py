"""Parquet comes out as the rows that went in, and a damaged file as a fault."""

import io
import random
from collections.abc import Iterator

import msgspec
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import infer_json_schema, read_json, write_parquet

from tuneway.adapters import plugs
from tuneway.tuning.datasets.kinds import Columns, Kind
from tuneway.tuning.datasets.reading import Reading, reading

Row = dict[str, object]


def parquet(*rows: Row) -> bytes:
    content = b"\n".join(map(msgspec.json.encode, rows))
    made = io.BytesIO()
    write_parquet(read_json(io.BytesIO(content), infer_json_schema(io.BytesIO(content))), made)
    return made.getvalue()


def read(content: bytes, columns: Columns | None = None) -> Reading:
    pieces: Iterator[bytes] = (content[at : at + 1000] for at in range(0, len(content), 1000))
    return reading(pieces, columns=columns, tables=plugs.tables)


def rows(found: Reading) -> list[object]:
    return [msgspec.json.decode(line) for block in found.blocks for line in block.splitlines()]


def rules(found: Reading) -> list[str]:
    return [finding.rule for finding, _ in found.faults()]


def test_pairs_are_read_in_batches() -> None:
    made: list[Row] = [{"prompt": f"é {number}", "completion": "x" * number} for number in range(2_500)]
    found = read(parquet(*made))
    assert found.kind is Kind.PARQUET
    assert rows(found) == made
    assert found.line_of(2_400) == 2_400


def test_conversations_keep_their_shape_and_nulls_are_no_keys() -> None:
    called = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": called}]
    made: list[Row] = [{"messages": turns}, {"messages": turns[:1]}]
    assert rows(read(parquet(*made))) == made


def test_other_columns_are_told_of() -> None:
    found = read(parquet({"id": 1, "question": "a", "answer": "b"}))
    assert rows(found) == [{"question": "a", "answer": "b"}]
    assert rules(found) == ["column_ignored"]


def test_columns_may_be_named() -> None:
    found = read(parquet({"q": "a", "a": "b", "s": "c"}), Columns(prompt="q", completion="a", system="s"))
    turns = [("system", "c"), ("user", "a"), ("assistant", "b")]
    assert rows(found) == [{"messages": [{"role": role, "content": text} for role, text in turns]}]


def test_a_table_without_a_pair_is_a_fault() -> None:
    found = read(parquet({"a": "b"}))
    assert rows(found) == []
    assert rules(found) == ["missing_column"]


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_a_fault(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(seed)
    made: list[Row] = [{"prompt": f"{number}", "completion": f"{number}" * 9} for number in range(500)]
    whole = parquet(*made)
    damaged = bytearray(whole)
    if seed % 2:
        damaged = damaged[: chance.randrange(4, len(whole))]
    else:
        # Its footer, which says where everything is.
        damaged[-8:-4] = chance.randbytes(4)
    found = read(bytes(damaged))
    rows(found)
    assert rules(found) == ["broken_parquet"]
    capfd.readouterr()  # the library writes of its own panics


def test_bytes_are_text() -> None:
    kind, made = DataType.binary(), io.BytesIO()
    columns = [Array([b"\xc3\xa9"], type=kind), Array([b"x"], type=kind)]
    write_parquet(Table.from_arrays(columns, names=["prompt", "completion"]), made)
    assert rows(read(made.getvalue())) == [{"prompt": "é", "completion": "x"}]


def test_a_file_that_was_cut_off_is_named_so(capfd: pytest.CaptureFixture[str]) -> None:
    found = read(parquet({"prompt": "a", "completion": "b"})[:-3])
    assert not rows(found)
    assert "cut off" in found.faults()[0][0].message
    assert capfd.readouterr().err == ""
