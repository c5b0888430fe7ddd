"""A job's datasets read before a cent is spent: every kind of file, both of its files, every provider's words."""

import csv
import gzip
import io
import json
from pathlib import Path

import msgspec
import pytest

from tests.fakes import BUCKET, CHAT, Loop
from tuneway.ports import Method
from tuneway.tuning.catalogue import load
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.jobs import Job
from tuneway.tuning.validate import Datasets, Means, Verdict


class Checking:
    """Checks jobs whose files lie in a folder."""

    def __init__(self, folder: Path, means: Means = Means()) -> None:  # noqa: B008 - immutable
        self.loop = Loop(folder)
        self.datasets = Datasets(
            self.loop.documents,
            self.loop.files,
            catalogue=load(),
            bucket=BUCKET,
            now=lambda: self.loop.clock,
            means=means,
        )

    def kept(self, content: bytes, name: str) -> str:
        uri = f"gs://{BUCKET}/data/{name}"
        with self.loop.files.write(uri) as file:
            file.write(content)
        return uri

    def read(self, uri: str | None) -> list[bytes]:
        with self.loop.files.read(uri or "") as file:
            return file.read().splitlines()

    def checked(self, **fields: object) -> Verdict:
        job: Job = self.loop.desk.create(self.loop.order(), owner="acme")
        return self.datasets.checked(msgspec.structs.replace(job, **fields))


@pytest.fixture
def checking(tmp_path: Path) -> Checking:
    return Checking(tmp_path)


def pairs(count: int, first: int = 0) -> list[dict[str, str]]:
    return [{"prompt": f"Q{n}", "completion": f"A{n}"} for n in range(first, first + count)]


def table(rows: list[dict[str, str]]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, ["prompt", "completion"])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.json", "rows.jsonl.gz"])
def test_a_file_of_any_kind_is_converted(checking: Checking, name: str) -> None:
    rows = pairs(120)
    body = table(rows) if ".csv" in name else json.dumps(rows).encode()
    body = b"\n".join(json.dumps(row).encode() for row in rows) if ".jsonl" in name else body
    verdict = checking.checked(training_file=checking.kept(gzip.compress(body) if name.endswith("gz") else body, name))
    assert verdict.error is None
    copy = checking.read(verdict.job.training_uri)
    assert (len(copy), json.loads(copy[0])["contents"][1]["parts"]) == (120, [{"text": "A0"}])
    assert verdict.job.dataset is not None
    assert verdict.job.dataset.rows == 120


def test_an_uploaded_files_own_name_tells_its_kind(checking: Checking) -> None:
    content = io.BytesIO(table(pairs(120)).replace(b"prompt,completion", b"completion,prompt"))
    record = checking.loop.shelf.upload(content, filename="rows.csv", purpose="fine-tune", owner="acme")
    verdict = checking.checked(training_file=record.id)
    assert json.loads(checking.read(verdict.job.training_uri)[0])["contents"][0]["parts"] == [{"text": "A0"}]


def test_a_fault_is_named_with_the_line_of_the_users_file(checking: Checking) -> None:
    body = table([*pairs(99), {"prompt": "two\nlines", "completion": "a"}, {"prompt": " ", "completion": "b"}])
    verdict = checking.checked(training_file=checking.kept(body, "rows.csv"))
    assert verdict.error is not None
    assert (verdict.error.code, verdict.error.param) == ("invalid_training_file", "training_file")
    assert verdict.error.message.startswith("Line 103, $.prompt: There is no text.")


def test_an_empty_file_says_so_once(checking: Checking) -> None:
    verdict = checking.checked(training_file=checking.kept(b"\n", "rows.jsonl"))
    assert verdict.error is not None
    assert verdict.error.message.startswith("The file holds no rows. Upload")


def test_a_validation_row_of_the_training_file_is_told(checking: Checking) -> None:
    training = checking.kept(b"".join(CHAT % (n, n) for n in range(100)), "a.jsonl")
    validation = checking.kept(table([{"prompt": "q7.", "completion": "x"}, *pairs(1, 500)]), "b.csv")
    verdict = checking.checked(training_file=training, validation_file=validation)
    assert verdict.error is None
    assert verdict.job.validation_dataset is not None
    assert verdict.job.validation_dataset.by_rule == {"leaked_prompt": 1}


def test_a_validation_file_is_bounded_by_the_training_file(checking: Checking) -> None:
    training = checking.kept(b"".join(CHAT % (n, n) for n in range(100)), "a.jsonl")
    validation = checking.kept(b"".join(CHAT % (n, n) for n in range(200, 1_300)), "b.jsonl")
    verdict = checking.checked(training_file=training, validation_file=validation)
    assert verdict.error is not None
    assert (verdict.error.code, verdict.error.param) == ("invalid_validation_file", "validation_file")


def test_preferences_are_for_their_own_method(checking: Checking) -> None:
    rows = [{"prompt": f"Q{n}", "chosen": f"A{n}", "rejected": "no"} for n in range(100)]
    name = checking.kept(b"\n".join(json.dumps(row).encode() for row in rows), "rows.jsonl")
    verdict = checking.checked(training_file=name, method=Method.PREFERENCE)
    assert verdict.error is None
    assert json.loads(checking.read(verdict.job.training_uri)[0])["completions"][0]["score"] == 1
    verdict = checking.checked(training_file=name, method=Method.SUPERVISED)
    assert verdict.error is not None
    assert "[method_mismatch]" in verdict.error.message


def test_rows_are_written_in_the_words_of_the_base(checking: Checking) -> None:
    base = next(model for model in load().models if model.dataset == "messages" and not model.retired_on)
    name = checking.kept(table(pairs(120)), "rows.csv")
    verdict = checking.checked(training_file=name, base_model=base.name, backend=base.backend)
    assert verdict.error is None
    row = json.loads(checking.read(verdict.job.training_uri)[0])
    assert row in (
        {"prompt": "Q0", "completion": "A0"},
        {"messages": [{"role": "user", "content": "Q0"}, {"role": "assistant", "content": "A0"}]},
    )


def test_a_copy_goes_where_its_backend_reads(tmp_path: Path) -> None:
    checking = Checking(tmp_path, Means(outputs={"vertex_ai": "gs://elsewhere"}))
    verdict = checking.checked()
    assert verdict.job.training_uri == f"gs://elsewhere/jobs/{verdict.job.id}/training.jsonl"


def test_a_price_below_a_cent_is_not_told_as_nothing(checking: Checking) -> None:
    assert "Estimate: < 0.01 USD" in checking.checked().summary


def test_a_dataset_that_needs_no_change_is_used_as_it_is(checking: Checking) -> None:
    row = b'{"contents":[{"role":"user","parts":[{"text":"%d"}]},{"role":"model","parts":[{"text":"a"}]}]}\n'
    name = checking.kept(b"".join(row % n for n in range(100)), "rows.jsonl")
    assert checking.checked(training_file=name).job.training_uri == name


def renamed(rows: list[dict[str, str]]) -> bytes:
    return table(rows).replace(b"prompt,completion", b"ticket,reply")


def test_the_columns_that_a_job_names_are_read_in_both_of_its_files(checking: Checking) -> None:
    columns = Columns(prompt="ticket", completion="reply")
    files = {
        "training_file": checking.kept(renamed(pairs(120)), "rows.csv"),
        "validation_file": checking.kept(renamed(pairs(20, first=120)), "more.csv"),
    }
    verdict = checking.checked(**files, columns=columns)
    assert verdict.error is None
    copies = [checking.read(uri) for uri in (verdict.job.training_uri, verdict.job.validation_uri)]
    assert [json.loads(copy[0])["contents"][0]["parts"][0]["text"] for copy in copies] == ["Q0", "Q120"]


def test_a_table_of_unknown_columns_is_refused_where_nobody_names_them(checking: Checking) -> None:
    verdict = checking.checked(training_file=checking.kept(renamed(pairs(120)), "rows.csv"))
    assert verdict.error is not None
    assert verdict.error.param == "training_file"


def test_a_price_below_a_cent_is_no_nothing(checking: Checking) -> None:
    body = b"\n".join(json.dumps(row).encode() for row in pairs(120))
    summary = checking.checked(training_file=checking.kept(body, "rows.jsonl")).summary
    assert "Estimate: < 0.01 USD (" in summary


def test_rows_of_json_are_read_by_the_columns_that_a_job_names(checking: Checking) -> None:
    rows = [{"ticket": row["prompt"], "reply": row["completion"]} for row in pairs(120)]
    name = checking.kept(json.dumps(rows).encode(), "rows.json")
    verdict = checking.checked(training_file=name, columns=Columns(prompt="ticket", completion="reply"))
    assert verdict.error is None
    copy = checking.read(verdict.job.training_uri)
    assert json.loads(copy[0])["contents"][0]["parts"][0]["text"] == "Q0"


def test_columns_of_rows_that_have_none_fail_the_job_by_name(checking: Checking) -> None:
    body = b"\n".join(json.dumps(row).encode() for row in pairs(120))
    columns = Columns(prompt="ticket", completion="reply")
    error = checking.checked(training_file=checking.kept(body, "rows.jsonl"), columns=columns).error
    assert error is not None
    assert (error.param, error.code) == ("columns", "columns_not_found")
    assert "leave 'columns' out" in error.message
