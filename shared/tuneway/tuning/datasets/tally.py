"""Count findings by rule and keep the first few of them for the report."""

from collections import Counter

from tuneway.tuning.datasets.report import DatasetIssue, Finding, issue
from tuneway.tuning.datasets.rules import RULES, Severity


class Tally:
    """All findings as counts, the first ``keep`` of each severity as issues, and those of the whole file always."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._issues: dict[Severity, list[DatasetIssue]] = {"error": [], "warning": []}
        self._by_rule: Counter[str] = Counter()

    def add(self, finding: Finding, line: int | None) -> None:
        """Count the finding, and keep it if it is among the first."""
        self._by_rule[finding.rule] += 1
        kept = self._issues[RULES[finding.rule].severity]
        if line is None or len(kept) < self._keep:
            kept.append(issue(finding, line))

    @property
    def by_rule(self) -> dict[str, int]:
        """Findings of each rule."""
        return dict(self._by_rule)

    def issues(self, severity: Severity) -> tuple[DatasetIssue, ...]:
        """The first issues of this severity: those of the whole file before those of lines, which go by line."""
        return tuple(sorted(self._issues[severity], key=lambda kept: kept.line or 0))

    def count(self, severity: Severity) -> int:
        """All findings of this severity."""
        return sum(count for rule, count in self._by_rule.items() if RULES[rule].severity == severity)

    @property
    def clean(self) -> bool:
        """True while there is no error."""
        return not self._issues["error"]
