"""Steps taken one after the other, by a gcloud that says what a test wants."""

from pathlib import Path

import pytest

from tuneway.cli.deploy.applying import Ran, StepFailed, apply
from tuneway.cli.deploy.steps import Part, Step, Words, Written

FINE, MISSING = Ran(0, "", ""), Ran(1, "", "NOT_FOUND: there is no such thing")


class FakeGcloud:
    """Answers by the words of a command; what it does not know is fine."""

    def __init__(self, **answers: list[Ran] | Ran) -> None:
        self.answers = answers
        self.heard: list[str] = []
        self.slept: list[float] = []

    def __call__(self, words: Words) -> Ran:
        self.heard.append(" ".join(words))
        found = self.answers.get(words[0], FINE)
        return (found.pop(0) if len(found) > 1 else found[0]) if isinstance(found, list) else found

    def take(self, *parts: Part) -> list[str]:
        told: list[str] = []
        apply(parts, run=self, tell=told.append, sleep=self.slept.append)
        return told


THING = Step(title="thing", look=("look",), make=("make",), change=("change",))


def test_what_is_missing_is_made() -> None:
    gcloud = FakeGcloud(look=MISSING)
    assert gcloud.take(THING) == ["thing"]
    assert gcloud.heard == ["look", "make"]


def test_what_is_there_is_updated() -> None:
    gcloud = FakeGcloud()
    gcloud.take(THING)
    assert gcloud.heard == ["look", "change"]


def test_what_is_there_and_cannot_change_is_left_alone() -> None:
    gcloud = FakeGcloud()
    gcloud.take(Step(title="t", look=("look",), make=("make",)))
    assert gcloud.heard == ["look"]


@pytest.mark.parametrize(("seen", "made"), [("ACTIVE,abc", False), ("FAILED,abc", True), ("ACTIVE,old", True)])
def test_a_function_is_deployed_again_only_when_it_differs(seen: str, *, made: bool) -> None:
    gcloud = FakeGcloud(look=Ran(0, seen, ""))
    gcloud.take(Step(title="f", look=("look",), make=("make",), same="ACTIVE,abc"))
    assert ("make" in gcloud.heard) == made


def test_what_a_step_learns_is_told_to_later_ones() -> None:
    gcloud = FakeGcloud(number=Ran(0, "42", ""))
    gcloud.take(
        Step(title="n", make=("number",), into="PROJECT_NUMBER"),
        Step(title="b", make=("bind", "service-${PROJECT_NUMBER}@x")),
    )
    assert gcloud.heard[-1] == "bind service-42@x"


def test_a_step_that_learns_nothing_fails() -> None:
    with pytest.raises(StepFailed, match="said nothing"):
        FakeGcloud().take(Step(title="n", make=("number",), into="X"))


def test_what_is_done_already_is_done() -> None:
    gcloud = FakeGcloud(index=Ran(1, "", "ERROR: index already exists"))
    gcloud.take(Step(title="i", make=("index",), there="already exists"))
    with pytest.raises(StepFailed):
        gcloud.take(Step(title="i", make=("index",)))


def test_a_patient_step_waits_for_a_fresh_identity() -> None:
    late = Ran(1, "", "Service account tuneway-tick does not exist.")
    gcloud = FakeGcloud(bind=[late, late, FINE])
    gcloud.take(Step(title="b", make=("bind",), patient=True))
    assert (len(gcloud.heard), gcloud.slept) == (3, [10.0, 10.0])


def test_patience_has_an_end() -> None:
    gcloud = FakeGcloud(bind=Ran(1, "", "does not exist"))
    with pytest.raises(StepFailed):
        gcloud.take(Step(title="b", make=("bind",), patient=True))
    assert len(gcloud.heard) == 7


def test_nobody_waits_for_a_missing_permission() -> None:
    gcloud = FakeGcloud(bind=Ran(1, "", "PERMISSION_DENIED: no"))
    with pytest.raises(StepFailed):
        gcloud.take(Step(title="b", make=("bind",), patient=True))
    assert gcloud.slept == []


def test_files_are_written_before_they_are_read(tmp_path: Path) -> None:
    FakeGcloud().take(Written(path=str(tmp_path / "a.json"), text="{}"))
    assert (tmp_path / "a.json").read_text() == "{}\n"


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("PERMISSION_DENIED: Permission 'x' denied", "lacks a role"),
        ("You do not currently have an active account selected", "gcloud auth login"),
        ("Billing account for project is not found", "billing"),
        ("constraints/iam.allowedPolicyMemberDomains: no", "public=false"),
        ("constraints/gcp.resourceLocations", "organization policy"),
        ("Cloud Run API has not been used in project 1 before", "only just switched on"),
        ("RESOURCE_EXHAUSTED: Quota exceeded", "Quotas"),
        ("Build failed with status: FAILURE", "log named above"),
        ("NOT_FOUND: service agent", "Wait a minute"),
        ("UNAVAILABLE: try again", "did not answer"),
        ("something new", "stands above"),
    ],
)
def test_a_failure_tells_the_command_what_it_said_and_the_remedy(said: str, remedy: str) -> None:
    gcloud = FakeGcloud(make=Ran(1, "", said))
    with pytest.raises(StepFailed) as caught:
        gcloud.take(Step(title="thing", make=("make", "a b")))
    assert "make 'a b'" in caught.value.message
    assert said in caught.value.message
    assert remedy in caught.value.message
    assert "again: what is done stays done" in caught.value.message
