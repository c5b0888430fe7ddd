"""The words of the command line: the same verbs and options everywhere, faults in one line, and exit codes."""

import errno
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tuneway.cli.main import Commands, main

# It tells a story as it happens, to people.
WITHOUT_JSON = {"tuneway demo"}


def commands(group: click.Group, path: str = "tuneway") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


ALL = dict(commands(main))


def options(command: click.Command) -> dict[str, click.Option]:
    return {name: each for each in command.params if isinstance(each, click.Option) for name in each.opts}


@pytest.mark.parametrize("path", sorted(set(ALL) - WITHOUT_JSON))
def test_every_command_prints_json_when_asked(path: str) -> None:
    assert "--json" in options(ALL[path])


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_command_and_every_option_is_explained(path: str) -> None:
    assert ALL[path].help
    assert [name for name, option in options(ALL[path]).items() if not option.help] == []


@pytest.mark.parametrize("path", sorted(ALL))
def test_a_help_fits_a_terminal_of_80_columns(path: str) -> None:
    done = CliRunner().invoke(main, [*path.split()[1:], "--help"], env={"COLUMNS": "80"})
    # The names of what may be dropped are one word.
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and "|" not in line] == []


def test_what_is_kept_is_listed_shown_and_deleted_by_the_same_words() -> None:
    for group in ("jobs", "sweeps", "deployments", "routes", "models"):
        assert {f"tuneway {group} list", f"tuneway {group} show"} <= set(ALL)
    for group in ("deployments", "routes", "models"):
        assert f"tuneway {group} delete" in ALL


@pytest.mark.parametrize("words", ["jobs get", "routes remove", "keys delete"])
def test_older_and_likely_words_are_understood_and_not_advertised(words: str) -> None:
    group, name = words.split()
    assert CliRunner().invoke(main, [group, name, "--help"]).exit_code == 0
    assert f"\n  {name} " not in CliRunner().invoke(main, [group, "--help"]).stdout


def run_raising(fault: BaseException) -> Result:
    @click.group(cls=Commands)
    def group() -> None: ...

    @group.command()
    def work() -> None:
        raise fault

    return CliRunner().invoke(group, ["work"])


def test_ctrl_c_ends_with_130() -> None:
    assert run_raising(KeyboardInterrupt()).exit_code == 130


def test_a_fault_of_the_disk_is_one_line() -> None:
    done = run_raising(NotADirectoryError(errno.ENOTDIR, "Not a directory", "notes.txt/dist"))
    assert (done.exit_code, done.stderr) == (1, "Error: notes.txt/dist: Not a directory.\n")


def test_a_reader_who_leaves_is_not_told_of_it() -> None:
    done = run_raising(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert (done.exit_code, done.output) == (1, "")


@pytest.mark.parametrize("words", [["--file", "{}"], ["vertex_ai/gemini-3.5-flash", "--prompts", "{}"]])
@pytest.mark.parametrize("content", [b"a: [1", b"[1]", b'{"a": "\xff"}', b""])
def test_a_route_that_is_no_json_names_its_file(tmp_path: Path, words: list[str], content: bytes) -> None:
    file = tmp_path / "route.json"
    file.write_bytes(content)
    named = [word.format(file) for word in words]
    done = CliRunner().invoke(
        main, ["routes", "put", "shop", *named, "--url", "http://127.0.0.1:9", "--api-key", "any"]
    )
    assert (done.exit_code, f"{file} is no JSON object" in done.stderr) == (1, True)


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = CliRunner().invoke(main, ["simulate", "--port", "0", "--data", str(tmp_path / "file" / "state")])
    assert (done.exit_code, "cannot be used" in done.stderr) == (1, True)
