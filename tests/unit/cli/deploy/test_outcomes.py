"""What a probe finds, and how it is shown."""

import msgspec
import pytest

from tuneway.cli.deploy.outcomes import Finding, LeftOut, Outcome, Unwell, line, probed, summary


def raises(fault: Exception) -> str:
    raise fault


def test_what_a_probe_saw_is_ok() -> None:
    found = probed("p", lambda: "seen")
    assert (found.name, found.status, found.said, found.remedy) == ("p", "ok", "seen", None)


@pytest.mark.parametrize(("finding", "status"), [(Unwell("s", "r"), "failed"), (LeftOut("s", "r"), "skipped")])
def test_a_finding_is_told_with_its_remedy(finding: Finding, status: str) -> None:
    found = probed("p", lambda: raises(finding))
    assert (found.status, found.said, found.remedy) == (status, "s", "r")


@pytest.mark.parametrize("fault", [KeyError("id"), msgspec.ValidationError("Expected `object`")])
def test_an_answer_of_somebody_else_is_a_failure(fault: Exception) -> None:
    found = probed("p", lambda: raises(fault))
    assert (found.status, "not tuneway's" in found.said) == ("failed", True)


def test_a_line_says_how_it_is_and_what_to_do() -> None:
    shown = line(Outcome(name="beat", status="failed", said="no beat", remedy="look", ms=12))
    assert shown.splitlines()[0].split() == ["FAILED", "beat", "12", "ms", "no", "beat"]
    assert shown.splitlines()[1].strip() == "→ look"


def test_the_last_line_counts() -> None:
    outcomes = [Outcome(name="a", status=status, said="") for status in ("ok", "ok", "failed")]
    assert summary(outcomes) == "2 ok, 1 failed"
