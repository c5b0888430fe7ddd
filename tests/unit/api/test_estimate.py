import json
import subprocess
import sys
from pathlib import Path

import pytest

import tuneway


def rows(path: Path, count: int) -> str:
    turns = [{"role": "user", "content": "What is one plus one?"}, {"role": "assistant", "content": "Two."}]
    path.write_text((json.dumps({"messages": turns}) + "\n") * count)
    return str(path)


def test_an_estimate_says_its_price_and_what_the_file_holds(tmp_path: Path) -> None:
    priced = tuneway.estimate_fine_tuning_cost(
        "vertex_ai/gemini-3.5-flash", rows(tmp_path / "a.jsonl", 20), hyperparameters={"n_epochs": 2}
    )
    assert priced.dataset is not None
    assert (priced.epochs, priced.dataset["rows"], priced.currency) == (2, 20, "USD")
    assert (priced.model, priced.duration) == ("gemini-3.5-flash", None)
    assert 0 < priced.tokens_low <= priced.tokens_high
    assert priced.label


@pytest.mark.parametrize("name", ["missing.jsonl", "broken.jsonl"])
def test_a_file_that_cannot_be_tuned_on_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.jsonl").write_text("no json\n")
    with pytest.raises(tuneway.BadRequestError) as fault:
        tuneway.estimate_fine_tuning_cost("gemini-3.5-flash", str(tmp_path / name))
    assert fault.value.param == "training_file"


def test_rows_are_read_by_the_columns_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"ticket": "Where is it?", "reply": "In box 4."}\n' * 20)
    columns = {"prompt": "ticket", "completion": "reply"}
    priced = tuneway.estimate_fine_tuning_cost("gemini-3.5-flash", str(tmp_path / "a.jsonl"), columns=columns)
    assert priced.dataset is not None
    assert priced.dataset["rows"] == 20


def test_columns_of_rows_that_have_none_are_refused_by_name(tmp_path: Path) -> None:
    columns = {"prompt": "ticket", "completion": "reply"}
    with pytest.raises(tuneway.BadRequestError, match="has no 'ticket'") as fault:
        tuneway.estimate_fine_tuning_cost("gemini-3.5-flash", rows(tmp_path / "a.jsonl", 20), columns=columns)
    assert (fault.value.param, fault.value.code) == ("columns", "columns_not_found")


def test_an_unknown_base_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tuneway.BadRequestError, match="no base model"):
        tuneway.estimate_fine_tuning_cost("gpt-2", rows(tmp_path / "a.jsonl", 20))


def test_importing_the_package_loads_nothing_of_the_api() -> None:
    probe = "import sys, tuneway; sys.exit(bool({'tuneway.api', 'msgspec', 'httpx'} & set(sys.modules)))"
    environment = {"PYTHONPATH": str(Path(tuneway.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", probe], env=environment, check=False).returncode == 0


def test_what_is_not_in_the_api_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        tuneway.nosuch  # noqa: B018
