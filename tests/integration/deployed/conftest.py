"""One installation for all these tests, and the figures of its functions after them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.deployed.figures import TABLE, lines
from tests.integration.deployed.installation import Installation, installed

SECONDS = 1800  # the first test waits for the whole installation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They share one installation, so they run in one worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS))
            item.add_marker(pytest.mark.xdist_group("deployed"))


@pytest.fixture(scope="session")
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("deployed")) as made:
        yield made
        if request.session.testsfailed:
            for name, instance in made.instances.items():
                sys.stdout.write(f"\n--- {name} ({instance.starts} starts)\n{instance.complaints()}\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures, also where all is well."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    rows = [value for report in reports for name, value in report.user_properties if name == TABLE]
    if rows:
        terminalreporter.section("each function, alone")
        for line in lines(rows):
            terminalreporter.write_line(line)
