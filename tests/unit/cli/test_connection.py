"""The command line's connection: what it says when there is none, or when somebody else answers."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from click.testing import CliRunner, Result

from tests.unit.cli.served import serving
from tuneway.cli.client import Failed, address
from tuneway.cli.main import main


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, words, env={"TUNEWAY_URL": "", "TUNEWAY_API_KEY": "any", **environment})


@pytest.fixture
def page() -> Iterator[str]:
    """Somebody else's web server: a page for every path."""

    def app(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("content-type", "text/html")])
        return [b"<!doctype html><title>Welcome</title>"]

    with serving(app) as url:
        yield url


@pytest.fixture
def stranger() -> Iterator[str]:
    """A server that speaks JSON of its own."""

    def app(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("content-type", "application/json")])
        return [b'{"id": 7, "data": [{"status": 1}]}']

    with serving(app) as url:
        yield url


def test_without_a_stack_or_an_address_it_asks_which_tuneway(tmp_path: Path) -> None:
    done = run("jobs", "list", "--data", str(tmp_path))
    assert (done.exit_code, "Which tuneway?" in done.stderr) == (1, True)


def test_what_is_not_there_is_named_with_a_remedy() -> None:
    near, far = (
        run("jobs", "list", "--url", "http://127.0.0.1:9"),
        run("jobs", "list", "--url", "http://nobody.invalid"),
    )
    assert (near.exit_code, far.exit_code) == (1, 1)
    assert "http://127.0.0.1:9 does not answer" in near.stderr
    assert "Is 'tuneway up' running?" in near.stderr
    assert "Look at --url or TUNEWAY_URL." in far.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://host", "https://", "http://host:port", "localhost"])
def test_what_is_no_address_is_refused_before_anything_is_sent(url: str) -> None:
    done = run("jobs", "list", "--url", url)
    assert (done.exit_code, f"'{url}' is no address" in done.stderr) == (1, True)


def test_an_address_for_sdks_does_as_well() -> None:
    for said in ("https://host", "https://host/", "https://host/v1", "https://host/v1/"):
        assert address(said) == "https://host"
    with pytest.raises(Failed):
        address("host")


@pytest.mark.parametrize("words", [["jobs", "list"], ["jobs", "show", "ftjob-1"], ["models", "list"]])
def test_a_page_instead_of_an_answer_is_told_in_one_line(page: str, words: list[str]) -> None:
    done = run(*words, "--url", page)
    assert (done.exit_code, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"Error: {page} answers with something that tuneway does not say. Look at --url or TUNEWAY_URL.\n"
    )


def test_json_of_another_kind_is_told_in_one_line(stranger: str) -> None:
    done = run("jobs", "list", "--url", stranger)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "another form" in done.stderr


def test_a_proxy_does_not_stand_between_two_programs_of_one_computer(stranger: str) -> None:
    done = run("jobs", "show", "ftjob-1", "--url", stranger, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="")
    assert (done.exit_code, '"id": 7' in done.stdout) == (0, True)
