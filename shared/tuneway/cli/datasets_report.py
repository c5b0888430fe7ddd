"""Reports on datasets as tables for the terminal."""

from collections.abc import Iterator, Sequence

import msgspec
from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tuneway.tuning.datasets.fix import Fixed
from tuneway.tuning.datasets.preview import Example, SeenTurn
from tuneway.tuning.datasets.report import DatasetIssue, DatasetReport, Histogram, TokenRange

BAR = 30
COLOURS = {"error": "red", "warning": "yellow"}


def show_report(console: Console, name: str, report: DatasetReport) -> None:
    """Print the whole report: verdict, counts, histograms and the first issues."""
    console.print(_verdict(name, report))
    console.print(_figures(report))
    for title, histogram in (("TOKENS A ROW", report.tokens_per_row), ("TURNS A ROW", report.turns_per_row)):
        if histogram is not None:
            console.print(_histogram(title, histogram))
    if report.errors or report.warnings:
        console.print(_issues(report))


def _verdict(name: str, report: DatasetReport) -> Text:
    colour = "green" if report.accepted else "red"
    text = Text.assemble((report.verdict, f"bold {colour}"), f"  {name}")
    counts = ((report.error_count, "error"), (report.warning_count, "warning"))
    told = [f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count]
    return text.append(f"  ({', '.join(told)})" if told else "")


def _figures(report: DatasetReport) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in _told(report):
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _told(report: DatasetReport) -> Iterator[tuple[str, str]]:
    yield "Form", str(report.form or "unknown")
    media = f", {report.media_rows:,} of them with files" if report.media_rows else ""
    yield "Rows", f"{report.rows:,}{media}"
    yield "Size", f"{report.bytes:,} bytes"
    yield "Tokens", f"{_range(report.tokens)} in one epoch ({report.tokens.basis})"
    yield "Longest row", f"{_range(report.longest_row)} tokens"
    if (cut := report.truncation) and (cut.certain or cut.possible):
        said = f"{cut.certain:,} rows surely and {cut.possible:,} perhaps above {cut.limit:,} tokens"
        yield "Left out", f"{said}: the provider drops or cuts them"
    if report.roles:
        yield "Turns", ", ".join(f"{role} {count:,}" for role, count in report.roles.items())


def _range(tokens: TokenRange) -> str:
    return f"{tokens.low:,} to {tokens.high:,}"


def _histogram(title: str, histogram: Histogram) -> Table:
    table = Table(title=title, title_justify="left", title_style="dim", box=None, show_header=False, pad_edge=False)
    most = max(bucket.rows for bucket in histogram.buckets)
    for bucket in histogram.buckets:
        span = f"{bucket.low:,}" if bucket.low == bucket.high else f"{bucket.low:,}-{bucket.high:,}"
        bar = "█" * max(1, round(BAR * bucket.rows / most))
        table.add_row(Text(span, justify="right"), Text(bar, style="cyan"), f"{bucket.rows:,}")
    return table


def _issues(report: DatasetReport) -> Group:
    shown = [*report.errors, *report.warnings]
    more = report.error_count + report.warning_count - len(shown)
    parts: list[RenderableType] = [_issue_table(shown)]
    if more > 0:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in report.by_rule.items())
        parts.append(Text(f"… and {more:,} more (--max-errors shows more). All by rule: {rules}", style="dim"))
    return Group(*parts)


def _issue_table(issues: Sequence[DatasetIssue]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("LINE", justify="right", no_wrap=True)
    for name in ("PATH", "RULE", "WHAT, AND WHAT TO DO"):
        table.add_column(name, overflow="fold")
    for issue in issues:
        said = Text(f"{issue.message} {issue.remedy}")
        if issue.excerpt:
            said.append(f"\n{issue.excerpt}", style="dim")
        line = "file" if issue.line is None else f"{issue.line:,}"
        table.add_row(line, Text(issue.path), Text(issue.rule, style=COLOURS[issue.severity]), said)
    return table


def show_fixed(console: Console, name: str, fixed: Fixed) -> None:
    """Print what was changed, and what was left as it is."""
    dropped = fixed.rows_read - fixed.rows_written
    console.print(
        f"{name}: {fixed.rows_written:,} of {fixed.rows_read:,} rows written, {dropped:,} dropped",
        markup=False,
        highlight=False,
    )
    if fixed.by_rule:
        told = ", ".join(f"{rule} {count:,}" for rule, count in fixed.by_rule.items())
        console.print(Text(f"Changed: {told}"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("LINE", "PATH", "RULE", "BEFORE", "AFTER"):
        table.add_column(column, overflow="fold")
    for change in fixed.changes:
        after = Text(change.after) if change.after else Text("dropped", style="dim")
        table.add_row(
            "" if change.line is None else f"{change.line:,}",
            Text(change.path),
            Text(change.rule),
            Text(change.before),
            after,
        )
    if fixed.changes:
        console.print(table)
    if fixed.left:
        said = f"{fixed.left:,} rows still break a rule, which no safe change mends: see the report, or use --drop-bad."
        console.print(Text(said, style="yellow"))


def show_example(console: Console, example: Example) -> None:
    """Print one row turn by turn; what the model learns to say is marked."""
    parts: list[RenderableType] = [_turn(turn) for turn in example.turns]
    parts += [Text(f"{issue.text}", style=COLOURS[issue.severity]) for issue in example.issues]
    if example.converted is not None:
        parts.append(Text("As the provider gets it:", style="dim"))
        console_json = Text(_json(example.converted), style="dim")
        parts.append(console_json)
    tokens = f", {_range(example.tokens)} tokens" if example.tokens else ""
    title = Text(f"line {example.line:,}, {example.form or 'unknown form'}{tokens}")
    console.print(Panel(Group(*parts), title=title, title_align="left"))


def _turn(turn: SeenTurn) -> Text:
    learned = "learned" if turn.loss else "read"
    note = f", {turn.note}" if turn.note else ""
    head = Text(
        f"{turn.role} ({learned}{note}, {_range(turn.tokens)} tokens)\n", style="bold green" if turn.loss else "bold"
    )
    return head.append(Text(turn.text, style="green" if turn.loss else ""))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
