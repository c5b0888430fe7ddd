"""What the pages name is there: commands, options, links, files, variables, paths, folders, and targets of make."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from tuneway.cli.main import main
from tuneway.local.manifest import HttpTrigger, load

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "shared" / "tuneway"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
# What is written down once stays as it was: names may have changed since.
TODAY = [page for page in PAGES if page.parent.name != "decisions" and page.name != "CHANGELOG.md"]
BLOCK = re.compile(r"^```\w*\n(?s:(.*?))^```|((?:^ {4}\S[^\n]*\n(?:^ {4}[^\n]*\n|^\n)*)+)", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\bTUNEWAY_[A-Z_]+\b")
FILE = re.compile(r"[\w.-]+(?:/[\w.*<>{}-]+)+\.(?:py|jsonl?|yaml|tf|md|sh|txt)\b|[\w-]+/(?:[\w-]+/)+")
PATH = re.compile(r"/v1/[a-z_]+(?:/[a-z_]+)?")
SHELL_ENDS = re.compile(r"\s(?:&&|\||>|#|->|⇒)\s.*|\s{3,}.*|\s#.*")
MADE = {"dist", "htmlcov"}  # by the tools
PLACES = (ROOT, LIBRARY, LIBRARY / "routing", LIBRARY / "prediction", ROOT / "docs")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def text(page: Path) -> str:
    return page.read_text()


def code(page: Path) -> Iterator[str]:
    """Lines of code blocks, a line that goes on joined with the next, and inline code."""
    for found in BLOCK.finditer(text(page)):
        yield from re.sub(r"\\\n\s*", " ", found[1] or found[2] or "").splitlines()
    yield from INLINE.findall(BLOCK.sub("", text(page)))


def commands(page: Path) -> Iterator[list[str]]:
    """The words behind ``tuneway`` wherever somebody is told to type it."""
    for line in code(page):
        for said in re.split(r" && ", line):
            found = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?tuneway (.+)", said)
            if found:
                yield SHELL_ENDS.sub("", f"{found[1]} ").split()


def led_to(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the words that are left."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith(("-", "…")):
        if words[0] not in command.commands:
            raise AssertionError(f"no command {words[0]!r}: tuneway {' '.join(words)}")
        command, words = command.commands[words[0]], words[1:]
    return command, words


def anchors(page: Path) -> set[str]:
    """What a link may name behind ``#``, as GitHub makes it of a heading."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", TODAY, ids=name)
def test_commands_and_their_options_are_there(page: Path) -> None:
    for words in commands(page):
        first = [part for part in words[0].split("|") if part]  # `datasets lint|convert`
        command, left = led_to([first[0], *words[1:]])
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
        named = {word.partition("=")[0] for word in left if re.match(r"--?[a-z]", word)}
        assert named <= known, f"tuneway {' '.join(words)}"


@pytest.mark.parametrize("said", ["jobs make x", "routes put shop x --wait 3", "deploy -x"])
def test_a_command_or_an_option_that_is_not_there_is_noticed(said: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Type `tuneway {said}`.\n\n    tuneway {said} \\\n        --json\n")
    assert [" ".join(words) for words in commands(page)] == [f"{said} --json", said]
    with pytest.raises(AssertionError):
        test_commands_and_their_options_are_there(page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(text(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", TODAY, ids=name)
def test_files_and_folders_are_there(page: Path) -> None:
    said = {word for line in code(page) for word in FILE.findall(line) if "://" not in line}
    missing = {word for word in said if _ours(word) and not any(_matches(place, word) for place in PLACES)}
    assert missing == set()


def _ours(word: str) -> bool:
    """Whether it begins with a folder of this house; other names are the reader's own."""
    first = word.partition("/")[0]
    return any((place / first).is_dir() for place in PLACES)


def _matches(place: Path, word: str) -> bool:
    pattern = re.sub(r"<[^>]*>|\{[^}]*\}", "*", word).rstrip("/")
    return next(place.glob(pattern), None) is not None


@cache
def variables() -> frozenset[str]:
    """Those that the code reads: by their names, or as fields of the settings."""
    files = [*LIBRARY.rglob("*.py"), *(ROOT / "infra").glob("*.tf")]
    fields = re.findall(r"^    (\w+):", (LIBRARY / "settings.py").read_text(), re.MULTILINE)
    named = {found for file in files for found in VARIABLE.findall(file.read_text())}
    return frozenset(named | {f"TUNEWAY_{field.upper()}" for field in fields})


@pytest.mark.parametrize("page", TODAY, ids=name)
def test_variables_are_read_by_somebody(page: Path) -> None:
    assert set(VARIABLE.findall(text(page))) - variables() == set()


@pytest.mark.parametrize("page", TODAY, ids=name)
def test_paths_are_answered_by_a_function(page: Path) -> None:
    triggers = [function.trigger for function in load().functions.values()]
    answered = [path for each in triggers if isinstance(each, HttpTrigger) for path in each.paths]
    said = {found for line in code(page) for found in PATH.findall(line)}
    unanswered = {path for path in said if not any(path.startswith(each) or each.startswith(path) for each in answered)}
    assert unanswered - {"/v1/traces"} == set()  # OpenTelemetry's own


def test_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = {found for page in TODAY for line in code(page) for found in re.findall(r"^\s*make ([\w-]+)", line)}
    assert said
    assert said <= targets


def test_the_map_names_every_function_and_every_room() -> None:
    house = text(ROOT / "README.md").partition("## The house")[2]
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    rooms = {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"}
    tests = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    top = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in MADE and path.name[0] != "."}
    assert {each for each in functions | rooms | tests | top if not re.search(rf"\b{each}\b", house)} == set()


def test_every_page_is_found_from_the_first_one() -> None:
    """By links, over any number of pages."""
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = [target.partition("#")[0] for target in LINK.findall(text(page)) if "://" not in target]
        waiting += [(page.parent / target).resolve() for target in targets if target]
    assert {name(page) for page in TODAY} - {name(page) for page in seen} == set()
