"""Each kind of omission, planted in a copy, is caught with the file and the line to mend."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from tests.infra import parity
from tests.infra.faults import ROOT, copied, planted
from tests.infra.house import Check, House


class Omission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of omissions.yaml."""

    check: str
    file: str
    old: str
    new: str
    told: str
    here: bool = False


HERE = House(ROOT)
NAMED = {check.__name__: check for check in parity.CHECKS}
OMISSIONS = msgspec.convert(
    yaml.safe_load(Path(__file__).with_name("omissions.yaml").read_bytes()), dict[str, Omission]
)
TEXTS = {".tf", ".yaml", ".md", ".py"}
MANIFEST = "functions/manifest.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("house"))


@pytest.fixture
def house(whole: Path) -> Iterator[House]:
    """A copy whose text files are as they were after each test."""
    files = (path for part in ("functions", "infra", "docs", "shared") for path in (whole / part).rglob("*"))
    before = {path: path.read_bytes() for path in files if path.is_file() and path.suffix in TEXTS}
    yield House(whole)
    for path, content in before.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def _faults(house: House, check: Check) -> list[tuple[str, int, str]]:
    return [(f.path.relative_to(house.root).as_posix(), f.line, f.message) for f in check(house)]


@pytest.mark.parametrize("check", parity.CHECKS, ids=lambda check: check.__name__)
def test_nothing_is_forgotten(check: Check) -> None:
    assert [str(fault) for fault in check(HERE)] == []


def _in_function(house: House, name: str, old: str, new: str) -> int:
    """Change one line of a function's entry; its number."""
    lines = house.file.read_text().splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line == f"  {name}:\n")
    at = next(n for n in range(start, len(lines)) if re.search(old, lines[n]))
    lines[at] = re.sub(old, new, lines[at])
    house.file.write_text("".join(lines))
    return at + 1


@pytest.mark.parametrize(
    ("function", "old", "new", "told"),
    [
        ("tick", r"uses: \[state\]", "uses: []", "add state to uses of tick"),
        ("tick", r"poll-due, ", "", "add poll-due to publishes of tick"),
        ("tick", r"settings: \[project, ", "settings: [", "add project to settings of tick"),
        ("tick", r"uses: \[state\]", "uses: [state, vertex]", "take vertex out of uses of tick"),
        ("tick", r"settings: \[", "settings: [vendors, ", "take vendors out of settings of tick"),
        ("dead_letter", r"publishes: \[", "publishes: [poll-due", "take poll-due out of publishes of dead_letter"),
        ("lint_dataset", r"datasets", "files", "add datasets to uses of lint_dataset"),
    ],
)
def test_a_functions_needs_are_its_codes(house: House, function: str, old: str, new: str, told: str) -> None:
    line = _in_function(house, function, old, new)
    found = _faults(house, lambda house: parity.a_function_says_what_it_uses(house, function))
    assert [(path, at) for path, at, message in found if message.startswith(told)] == [(MANIFEST, line)]


def test_code_that_reads_one_setting_more_is_noticed(house: House) -> None:
    door = house.root / "functions/tick/main.py"
    planted(door, "configure(settings)", "configure(settings)\nprint(settings.vendors)")
    found = _faults(house, lambda house: parity.a_function_says_what_it_uses(house, "tick"))
    line = house.line("tick", "settings")
    assert [(path, at) for path, at, message in found if "add vendors to settings of tick" in message] == [
        (MANIFEST, line)
    ]


@pytest.mark.parametrize("case", OMISSIONS)
def test_an_omission_is_caught_with_its_file_and_line(case: str, house: House) -> None:
    omission = OMISSIONS[case]
    line = planted(house.root / omission.file, omission.old, omission.new)
    found = _faults(house, NAMED[omission.check])
    assert [message for _, _, message in found if omission.told in message], found
    assert all(at >= 1 and (house.root / path).is_file() for path, at, _ in found)
    if omission.here:
        assert (omission.file, line) in [(path, at) for path, at, _ in found]


@pytest.mark.parametrize(
    ("function", "old", "new", "told"),
    [
        ("create_job", "timeout: 540", "timeout: 599", "may take 1 to 570 seconds"),
        ("predict", "concurrency: 1000", "concurrency: 2000", "takes 1 to 1000 requests"),
        ("tick", "callers: platform", "callers: public", "only the platform may call tick"),
    ],
)
def test_a_figure_that_the_platform_refuses_is_named(
    house: House, function: str, old: str, new: str, told: str
) -> None:
    line = _in_function(house, function, old, new)
    assert [(at, told in message) for _, at, message in _faults(house, parity.figures_fit_the_platform)] == [
        (line, True)
    ]


def test_a_new_setting_must_be_given_or_kept(house: House) -> None:
    file = house.root / "shared/tuneway/settings.py"
    line = planted(file, "    max_body: int", "    new_thing: str | None = None\n    max_body: int")
    found = _faults(house, parity.settings_have_values)
    assert [(path, at) for path, at, message in found if "new_thing" in message] == [
        ("shared/tuneway/settings.py", line)
    ]


def test_a_new_question_must_have_its_index(house: House) -> None:
    book = house.root / "shared/tuneway/registry/route_book.py"
    planted(
        book,
        'self._routes.find(order_by="created_at")',
        'self._routes.find(("owner", "==", "a"), order_by="created_at")',
    )
    found = _faults(house, parity.questions_have_indexes)
    assert len(found) == 1
    assert "collection='routes', equal=('owner',), order='created_at'" in found[0][2]


def test_a_message_that_is_logged_in_other_words_is_missed(house: House) -> None:
    planted(house.root / "functions/dead_letter/main.py", "Gave up on a message of", "Buried a message of")
    assert [path for path, _, _ in _faults(house, NAMED["metrics_count_what_is_logged"])] == ["infra/logging.tf"]


def test_a_runbook_of_no_alert_is_named(house: House) -> None:
    path = house.root / "docs/runbooks/stray.md"
    path.write_text("# Stray")
    found = _faults(house, NAMED["alerts_have_runbooks"])
    path.unlink()
    assert found == [("docs/runbooks/stray.md", 1, "no alert is named stray")]


def test_a_runbook_is_no_longer_than_an_alert_can_show(house: House) -> None:
    (house.root / "docs/runbooks/beat.md").write_text("x" * 9000)
    assert [path for path, _, _ in _faults(house, NAMED["alerts_have_runbooks"])] == ["docs/runbooks/beat.md"]


def test_every_check_has_its_omissions() -> None:
    others = {"functions_say_what_they_use", "figures_fit_the_platform"}
    assert {omission.check for omission in OMISSIONS.values()} | others == set(NAMED)
