"""What to do with a canary, by what was measured: wait, go on, or take it back and say why."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from tuneway.registry.canaries import evidence
from tuneway.registry.canaries.canary_plan import Canary, Finding, State
from tuneway.registry.canaries.evidence import FEWEST_FOR_MEANS, Mean
from tuneway.registry.counts.tallies import Tally, quantile

SHARE = 0.95
# Fewer requests are not looked at; then at every tenth more, so that looks are few and each keeps its force.
FEWEST = 5
GROWTH = 1.1


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in this step, of the candidate and of the stable targets."""

    candidate: Tally
    stable: Tally


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, and what was found if there was a look; ``wants`` says what it waits for."""

    move: Literal["wait", "advance", "roll_back", "give_up"]
    looked: bool = False
    findings: tuple[Finding, ...] = ()
    wants: str = ""


def verdict(canary: Canary, measured: Measured, *, now: float) -> Verdict:
    """What to do. A paused canary does not go on, but is still taken back."""
    count = measured.candidate.requests
    wants = wanting(canary, measured, now=now)
    new = count > canary.looked and count >= GROWTH * canary.looked
    if count >= min(FEWEST, canary.plan.min_requests) and (new or not wants):
        found = tuple(_findings(canary, measured))
        if any(finding.worse for finding in found):
            return Verdict(move="roll_back", looked=True, findings=found)
        move = _patience(canary, now=now) if wants else "advance"
        return Verdict(move=move, looked=True, findings=found, wants=wants)
    return Verdict(move=_patience(canary, now=now), findings=canary.findings, wants=wants)


def _patience(canary: Canary, *, now: float) -> Literal["wait", "give_up"]:
    """Whether a step that lacks something goes on; only people end the pause of one that is paused."""
    ran = (now - canary.waits_since) / 60
    return "give_up" if canary.state is not State.PAUSED and ran >= canary.plan.max_minutes else "wait"


def wanting(canary: Canary, measured: Measured, *, now: float) -> str:
    """What the step still takes; empty when it has it all."""
    plan, count = canary.plan, measured.candidate.judged
    lasted = (now - canary.step_at) / 60
    scored = min(canary.scores.candidate.count, canary.scores.stable.count)
    lacking = [
        (canary.state is State.PAUSED, "It is paused."),
        (count < plan.min_requests, f"It has {count} of {plan.min_requests} requests."),
        (measured.stable.judged < min(FEWEST, plan.min_requests), "The stable targets have too few requests."),
        (lasted < plan.min_minutes, f"It lasted {lasted:.1f} of {plan.min_minutes:g} minutes."),
        (
            plan.gates.judge is not None and scored < FEWEST_FOR_MEANS,
            f"It has {scored} of {FEWEST_FOR_MEANS} scores on each side.",
        ),
    ]
    return " ".join(said for lacks, said in lacking if lacks)


def _findings(canary: Canary, measured: Measured) -> Iterator[Finding]:
    gates = canary.plan.gates
    level = evidence.level_of(canary.looks + 1, confidence=canary.plan.confidence) / gates.count
    if gates.error_rate is not None:
        yield _errors(measured, margin=gates.error_rate, level=level)
    if gates.p95_latency is not None:
        yield _latency(measured, ratio=gates.p95_latency, level=level)
    if gates.cost is not None:
        yield _cost(measured, ratio=gates.cost, level=level)
    if gates.judge is not None:
        yield _judged(canary, margin=gates.judge, level=level)


def _errors(measured: Measured, *, margin: float, level: float) -> Finding:
    """More errors than the margin allows and luck explains, or as many more refusals; half the level is each one's."""
    mine, theirs = measured.candidate, measured.stable
    refused = _more_often(
        "were refused or left",
        (mine.refused, mine.requests),
        (theirs.refused, theirs.requests),
        margin=margin,
        level=level / 2,
    )
    if refused.worse:
        return refused
    return _more_often(
        "failed", (mine.errors, mine.judged), (theirs.errors, theirs.judged), margin=margin, level=level / 2
    )


def _more_often(what: str, mine: tuple[int, int], theirs: tuple[int, int], *, margin: float, level: float) -> Finding:
    """Whether it happened more often to ``mine`` than to ``theirs``, each told as (such requests, of so many)."""
    p_value = evidence.more_often(*mine, than=theirs)
    share, other = _share(*mine), _share(*theirs)
    return Finding(
        gate="error_rate",
        candidate=share,
        stable=other,
        p_value=p_value,
        level=level,
        worse=p_value <= level and share - other > margin,
        why=f"{mine[0]} of {mine[1]} requests {what}, of the stable targets' {theirs[0]} of {theirs[1]} "
        "(Fisher's exact test)",
    )


def _latency(measured: Measured, *, ratio: float, level: float) -> Finding:
    """Half the level goes to the bound on the stable targets' quantile, half to the test against it."""
    mine, theirs = measured.candidate.latencies, measured.stable.latencies
    known = Finding(
        gate="p95_latency", candidate=quantile(mine, SHARE), stable=quantile(theirs, SHARE), level=level / 2
    )
    bound = evidence.quantile_bound(theirs, SHARE, level=level / 2)
    if bound is None:
        return msgspec.structs.replace(known, why="too few answers to know the stable targets' p95")
    limit = ratio * bound
    slow, count = evidence.above(mine, limit), sum(mine.values())
    p_value = evidence.at_least(slow, count, chance=1 - SHARE)
    return msgspec.structs.replace(
        known,
        p_value=p_value,
        worse=p_value <= level / 2,
        why=f"{slow} of {count} answers took longer than {limit:.0f} ms, where at most 1 in 20 should (sign test)",
    )


def _cost(measured: Measured, *, ratio: float, level: float) -> Finding:
    mine, theirs = _costs(measured.candidate), _costs(measured.stable)
    known = Finding(gate="cost", candidate=mine.value, stable=theirs.value, level=level)
    p_value = evidence.larger_mean(mine, theirs, ratio=ratio)
    if p_value is None:
        return msgspec.structs.replace(
            known, candidate=None, stable=None, why="too few requests with a price on each side"
        )
    return msgspec.structs.replace(
        known,
        p_value=p_value,
        worse=p_value <= level,
        why=f"a request costs {mine.value:.6g} USD, {ratio:g} times the stable targets' {theirs.value:.6g} are allowed "
        "(Welch's t-test)",
    )


def _judged(canary: Canary, *, margin: float, level: float) -> Finding:
    mine, theirs = canary.scores.candidate, canary.scores.stable
    known = Finding(gate="judge", candidate=mine.value, stable=theirs.value, level=level)
    # Lower is worse: the other side's mean is asked whether it is the larger one.
    p_value = evidence.larger_mean(theirs, mine, margin=margin)
    if p_value is None:
        return msgspec.structs.replace(known, candidate=None, stable=None, why="too few scores on each side")
    return msgspec.structs.replace(
        known,
        p_value=p_value,
        worse=p_value <= level,
        why=f"its mean score is {mine.value:.3f}, the stable targets' {theirs.value:.3f}; {margin:g} less is allowed "
        "(Welch's t-test)",
    )


def _costs(tally: Tally) -> Mean:
    return Mean(count=tally.priced, total=tally.cost_usd, squares=tally.cost_squares)


def _share(some: int, of: int) -> float:
    return some / of if of else 0.0
