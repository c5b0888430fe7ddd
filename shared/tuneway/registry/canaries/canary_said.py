"""What a canary says of itself, in words and with the numbers."""

from collections.abc import Sequence

from tuneway.registry.canaries.canary_plan import Canary, Finding
from tuneway.registry.canaries.canary_verdict import Verdict


def advanced(before: Canary, after: Canary, found: Verdict) -> str:
    """Why it got a larger share."""
    return f"From {before.share:g} % to {after.share:g} %: it is not found to be worse. {_all(found.findings)}".rstrip()


def rolled_back(canary: Canary, found: Verdict) -> str:
    """Why it was taken back."""
    worse = [finding for finding in found.findings if finding.worse]
    return f"Taken back at {canary.share:g} %, for it is worse. {_all(worse)}"


def given_up(canary: Canary, found: Verdict) -> str:
    """Why nobody waited for more."""
    minutes = f"{canary.plan.max_minutes:g}"
    return (
        f"Taken back at {canary.share:g} %, for nobody knows whether it is worse: the step has not got what it takes "
        f"in {minutes} minutes ('max_minutes'). {found.wants}"
    )


def _all(findings: Sequence[Finding]) -> str:
    return " ".join(map(_one, findings))


def _one(finding: Finding) -> str:
    said = f"{finding.gate}: {finding.why}"
    if finding.p_value is None or finding.level is None:
        return f"{said}."
    how = "below" if finding.p_value <= finding.level else "not below"
    return f"{said}, p = {finding.p_value:.2g}, {how} {finding.level:.2g}."
