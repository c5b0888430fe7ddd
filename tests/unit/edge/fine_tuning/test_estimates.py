"""``POST /v1/fine_tuning/estimates``: prices before there is a job."""

import io
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import BUCKET, Loop
from tests.unit.edge.asking import Asked, Asking
from tests.unit.edge.quoting import quotes_of
from tuneway.edge.fine_tuning.estimates import rules
from tuneway.tuning.catalogue import load
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.installation import Installation

PATH = "/v1/fine_tuning/estimates"
BASE = "gemini-3.5-flash"
GEMMA = "google/gemma3@gemma-3-4b-it"


class Shop:
    """The door over a loop of fakes."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.asking = Asking(rules(self.loop.desk, quotes_of(self.loop)))

    def ask(self, *, key: str = "tune", **body: object) -> Asked:
        return self.asking("POST", PATH, key=key, body={"model": BASE, **body})

    def quote(self, **body: Any) -> Any:
        answer = self.ask(**body)
        assert answer.status == 200, answer.content
        return answer.json

    def refused(self, **body: Any) -> Any:
        answer = self.ask(**body)
        assert answer.status == 400, answer.content
        return answer.error


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_file_is_read_and_priced(shop: Shop) -> None:
    found = shop.quote(training_file=shop.loop.upload(), hyperparameters={"n_epochs": 2})
    assert (found["object"], found["model"], found["method"]) == ("fine_tuning.estimate", BASE, "supervised")
    assert (found["epochs"], found["epochs_basis"]) == (2, "as requested")
    assert (found["dataset"]["rows"], found["dataset"]["verdict"]) == (100, "accepted")
    assert found["tokens_high"] == 2 * found["dataset"]["tokens"]["high"]
    assert 0 < found["usd_low"] <= found["usd_high"] < 0.01
    assert found["amount"] == "< 0.01 USD"
    assert found["duration"] is None


def test_an_unpublished_price_is_said_to_be_a_stand_in(shop: Shop) -> None:
    found = shop.quote(tokens=1_000_000)
    assert found["stand_in"] is True
    assert "no price is published for gemini-3.5-flash" in found["label"]
    assert (found["price_model"], found["price_as_of"], found["price_verified"]) == (
        "gemini-2.5-flash",
        "2026-11-21",
        False,
    )


def test_a_published_price_has_its_source(shop: Shop) -> None:
    found = shop.quote(model=GEMMA, tokens=1_000_000, hyperparameters={"n_epochs": 1})
    assert (found["usd_low"], found["usd_high"], found["amount"]) == (1.14, 1.14, "1.14 USD")
    assert found["stand_in"] is False
    assert found["price_source"]


def test_a_base_billed_by_the_hour_has_no_amount(shop: Shop) -> None:
    found = shop.quote(model="llama-2-7b-chat", tokens=1_000_000)
    assert (found["usd_low"], found["usd_high"], found["amount"]) == (None, None, None)
    assert "by the hour" in found["label"]


def test_a_size_alone_is_a_wide_interval_with_its_basis(shop: Shop) -> None:
    found = shop.quote(training_file_size_mb=10, hyperparameters={"n_epochs": 1})
    assert (found["tokens_low"], found["tokens_high"]) == (500_000, 3_170_000)
    assert "size of a file" in found["tokens_basis"]
    assert found["dataset"] is None


def test_tokens_may_be_an_interval(shop: Shop) -> None:
    found = shop.quote(tokens={"low": 10, "high": 20}, hyperparameters={"n_epochs": 3})
    assert (found["tokens_low"], found["tokens_high"]) == (30, 60)


def test_the_chosen_method_and_hyperparameters_are_shown(shop: Shop) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 4}}}
    found = shop.quote(tokens=10, method=method)
    assert (found["method"], found["epochs"], found["hyperparameters"]["beta"]) == ("dpo", 4, 0.2)


def test_a_validation_file_is_checked_and_not_priced(shop: Shop) -> None:
    training, validation = shop.loop.upload(), shop.loop.upload()
    found = shop.quote(training_file=training, validation_file=validation)
    assert found["validation_dataset"]["rows"] == 100
    assert any("validation rows" in note for note in found["notes"])
    assert found["tokens_high"] == shop.quote(training_file=training)["tokens_high"]


def test_a_past_job_of_the_base_tells_the_duration(shop: Shop) -> None:
    shop.loop.desk.create(shop.loop.order(), owner="acme")
    shop.loop.settle()
    duration = shop.quote(training_file=shop.loop.upload())["duration"]
    assert duration["seconds_low"] <= duration["seconds_likely"] <= duration["seconds_high"]
    assert duration["basis"].startswith("1 past job of gemini-3.5-flash")
    assert shop.ask(key="tune@other", tokens=5).json["duration"] is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "training_file"),
        ({"tokens": 5, "training_file_size_mb": 1}, "tokens"),
        ({"tokens": 5, "training_file": "gs://b/c"}, "tokens"),
        ({"tokens": 0}, "tokens"),
        ({"tokens": -5}, "tokens"),
        ({"tokens": 10**13}, "tokens"),
        ({"tokens": {"low": 5, "high": 4}}, "tokens"),
        ({"tokens": {"low": 0, "high": 4}}, "tokens"),
        ({"tokens": {"low": 1}}, "tokens.high"),
        ({"tokens": "5"}, "tokens"),
        ({"training_file_size_mb": 0}, "training_file_size_mb"),
        ({"training_file_size_mb": -1}, "training_file_size_mb"),
        ({"training_file_size_mb": 1000.1}, "training_file_size_mb"),
        ({"training_file_size_mb": "1"}, "training_file_size_mb"),
        ({"training_file": "file-gone"}, "training_file"),
        ({"training_file": "gs://bucket-one/gone.jsonl"}, "training_file"),
        ({"training_file": "gs://B/x"}, "training_file"),
        ({"training_file": f"gs://{BUCKET}/files/file-1"}, "training_file"),
        ({"tokens": 5, "validation_file": "gs://bucket-one/a.jsonl"}, "validation_file"),
        ({"tokens": 5, "hyperparameters": {"n_epochs": 11}}, "hyperparameters.n_epochs"),
        ({"tokens": 5, "method": {"type": "magic"}}, "method.type"),
        ({"tokens": 5, "model": "gemini-2.5-flash"}, "model"),
        ({"tokens": 5, "model": "mistral-large"}, "model"),
        ({"tokens": 5, "suffix": "x"}, "suffix"),
        ({"tokens": 5, "model": None}, "model"),
    ],
)
def test_what_cannot_be_estimated_names_its_field(shop: Shop, body: dict[str, object], param: str) -> None:
    assert shop.refused(**body)["param"] == param


def test_a_file_that_cannot_be_tuned_on_says_where_it_is_wrong(shop: Shop) -> None:
    uri = shop.loop.upload(b'{"messages":[]}\n')
    error = shop.refused(training_file=uri)
    assert (error["param"], error["code"]) == ("training_file", "invalid_training_file")
    assert "line 1" in error["message"].lower()
    error = shop.refused(training_file=shop.loop.upload(), validation_file=uri)
    assert (error["param"], error["code"]) == ("validation_file", "invalid_validation_file")


def test_a_table_is_read_by_its_name(shop: Shop) -> None:
    content = io.BytesIO(b"prompt,completion\n" + b"".join(b"What is %d?,%d\n" % (n, n) for n in range(120)))
    record = shop.loop.shelf.upload(content, filename="rows.csv", purpose="fine-tune", owner="acme")
    assert shop.quote(training_file=record.id)["dataset"]["rows"] == 120


def test_rows_for_another_method_are_refused(shop: Shop) -> None:
    error = shop.refused(training_file=shop.loop.upload(), method={"type": "dpo"})
    assert (error["param"], error["code"]) == ("training_file", "invalid_training_file")


def test_another_tenants_file_is_not_there(shop: Shop) -> None:
    uri = shop.loop.upload()
    with shop.loop.files.read(uri) as content:
        record = shop.loop.shelf.upload(content, filename="a.jsonl", purpose="fine-tune", owner="acme")
    assert shop.ask(training_file=record.id).status == 200
    answer = shop.ask(key="tune@other", training_file=record.id)
    assert (answer.status, answer.error["code"]) == (400, "file_not_found")


def test_an_allowed_owner_is_warned_of_a_retired_base(shop: Shop) -> None:
    loop = shop.loop
    desk = JobDesk(
        loop.lifecycle,
        loop.shelf,
        catalogue=load().allowing('["acme"]'),
        installation=Installation(location="us-central1"),
        new_id=loop.new_id,
    )
    ask = Asking(rules(desk, quotes_of(loop)))
    body = {"model": "gemini-2.5-flash", "tokens": 1_000_000, "hyperparameters": {"n_epochs": 1}}
    found = ask("POST", PATH, body=body).json
    assert (found["usd_low"], found["stand_in"]) == (5, False)
    assert "retired on 2026-10-20" in found["notes"][0]
    assert ask("POST", PATH, body=body, key="tune@other").error["code"] == "model_retired"


def test_it_takes_a_key_that_may_tune(shop: Shop) -> None:
    assert shop.ask(key="predict", tokens=5).status == 403


def test_columns_that_the_caller_names_are_read(shop: Shop) -> None:
    rows = b"ticket,reply\n" + b"".join(b"Question %d,Answer %d\n" % (n, n) for n in range(100))
    file = shop.loop.shelf.upload(io.BytesIO(rows), filename="rows.csv", purpose="fine-tune", owner="acme").id
    found = shop.quote(training_file=file, columns={"prompt": "ticket", "completion": "reply"})
    assert (found["dataset"]["rows"], found["dataset"]["bytes"]) == (100, len(rows))
    assert shop.refused(training_file=file)["param"] == "training_file"


def test_columns_of_no_file_are_refused(shop: Shop) -> None:
    assert shop.refused(tokens=5, columns={"prompt": "a", "completion": "b"})["param"] == "columns"


def test_columns_of_rows_that_have_none_are_refused_by_name(shop: Shop) -> None:
    error = shop.refused(training_file=shop.loop.upload(), columns={"prompt": "ticket", "completion": "reply"})
    assert (error["param"], error["code"]) == ("columns", "columns_not_found")
