"""``tuneway deploy`` as it is typed, with a Terraform and a gcloud that note what they are asked."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.infra.terraform import BINARY, terraform
from tuneway import settings
from tuneway.cli.deploy.command import check_checkout
from tuneway.cli.deploy.terraform import deployed
from tuneway.cli.main import main
from tuneway.errors import BadInput
from tuneway.local.manifest import load

Deploy = Callable[..., Result]
PROJECT = ("--project", "shop-models-1")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def deploy(tmp_path: Path) -> Deploy:
    """Runs the command, over bundles that are made up."""
    dist = tmp_path / "dist"
    dist.mkdir()
    for name in load().functions:
        (dist / f"{name}.zip").write_text(name)
    return lambda *words, answer="": CliRunner().invoke(
        main, ["deploy", "--packaged", "--to", str(dist), *words], input=answer
    )


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra/main.tf").touch()
    return tmp_path / "infra"


def tool(folder: Path, name: str, script: str) -> Path:
    """A program that notes its words, then does what the script says."""
    (folder / name).write_text(f'#!/bin/sh\necho "$@" >> {folder}/{name}.notes\n{script}\n')
    (folder / name).chmod(0o755)
    return folder / f"{name}.notes"


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no checkout of tuneway"):
        check_checkout(tmp_path)


@pytest.mark.parametrize("option", ["--door", "--header"])
def test_a_pair_without_a_value_is_refused(deploy: Deploy, option: str) -> None:
    done = deploy("--check", "http://127.0.0.1:9", option, "registry")
    assert (done.exit_code, "NAME=VALUE" in done.output) == (1, True)


def test_without_a_project_it_asks_for_one(deploy: Deploy) -> None:
    done = deploy()
    assert (done.exit_code, "--project" in done.output) == (1, True)


def test_without_terraform_it_says_where_to_get_it_and_the_other_way(deploy: Deploy, tools: Path) -> None:
    done = deploy(*PROJECT)
    assert done.exit_code == 1
    assert "terraform is not installed" in done.output
    assert "--with gcloud" in done.output


def test_without_gcloud_it_says_where_to_get_it(deploy: Deploy, tools: Path) -> None:
    done = deploy(*PROJECT, "--with", "gcloud")
    assert (done.exit_code, "gcloud is not installed" in done.output) == (1, True)


def test_terraform_plans_and_applies_that_plan_once_it_is_agreed(deploy: Deploy, tools: Path, infra: Path) -> None:
    notes = tool(tools, "terraform", 'test "$1" != plan || exit 2')
    done = deploy(*PROJECT, "--region", "europe-west4", "--infra", str(infra), "-var", "name=ml", answer="y\n")
    assert done.exit_code == 0, done.output
    init, planned, applied = notes.read_text().splitlines()
    assert (init, applied) == ("init -input=false", "apply -input=false tuneway.plan")
    for word in ("-out=tuneway.plan", "-var=project=shop-models-1", "-var=region=europe-west4", "-var=name=ml"):
        assert word in planned
    assert "tuneway keys first --project shop-models-1" in done.output


def test_nothing_is_applied_without_a_yes(deploy: Deploy, tools: Path, infra: Path) -> None:
    notes = tool(tools, "terraform", 'test "$1" != plan || exit 2')
    done = deploy(*PROJECT, "--infra", str(infra), answer="n\n")
    assert "apply" not in notes.read_text()
    assert (done.exit_code, "Deployed" in done.output) == (1, False)


def test_a_yes_can_be_given_before(deploy: Deploy, tools: Path, infra: Path) -> None:
    notes = tool(tools, "terraform", 'test "$1" != plan || exit 2')
    assert deploy(*PROJECT, "--infra", str(infra), "--yes").exit_code == 0
    assert "apply" in notes.read_text()


def test_where_nothing_changes_nothing_is_asked(deploy: Deploy, tools: Path, infra: Path) -> None:
    notes = tool(tools, "terraform", "")
    assert deploy(*PROJECT, "--infra", str(infra)).exit_code == 0
    assert "apply" not in notes.read_text()


@pytest.mark.parametrize("failing", ["init", "plan", "apply"])
def test_terraforms_exit_code_is_passed_on(deploy: Deploy, tools: Path, infra: Path, failing: str) -> None:
    tool(tools, "terraform", f'test "$1" != {failing} || exit 1\ntest "$1" != plan || exit 2')
    done = deploy(*PROJECT, "--infra", str(infra), "--yes")
    assert (done.exit_code, "Deployed" in done.output) == (1, False)


def test_a_folder_without_terraform_is_refused_before_anything_is_packaged(
    deploy: Deploy, tools: Path, tmp_path: Path
) -> None:
    tool(tools, "terraform", "")
    done = deploy(*PROJECT, "--infra", str(tmp_path / "none"))
    assert (done.exit_code, "--infra" in done.output, "packaged" in done.output) == (1, True, False)


def test_the_dry_run_of_gcloud_is_a_script_and_needs_no_gcloud(deploy: Deploy, tools: Path) -> None:
    done = deploy(*PROJECT, "--with", "gcloud", "--dry-run", "-var", 'settings={"max_cost_usd": 7}')
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("#!/bin/sh\n")
    assert '"TUNEWAY_MAX_COST_USD":"7"' in done.stdout
    assert subprocess.run(["/bin/sh", "-n"], input=done.stdout, text=True, check=False).returncode == 0


def test_the_plan_of_gcloud_is_shown_and_taken_when_it_is_agreed(deploy: Deploy, tools: Path) -> None:
    notes = tool(tools, "gcloud", 'case "$*" in *value\\(*) echo https://x.example ;; esac')
    done = deploy(*PROJECT, "--with", "gcloud", answer="n\n")
    assert "gcloud pubsub topics create job-requested" in done.output
    assert not notes.exists()
    assert deploy(*PROJECT, "--with", "gcloud", "--yes").exit_code == 0
    assert "scheduler jobs update http tuneway-tick" in notes.read_text()


def test_a_command_that_fails_is_told_with_its_remedy(deploy: Deploy, tools: Path) -> None:
    tool(tools, "gcloud", "echo PERMISSION_DENIED >&2; exit 1")
    done = deploy(*PROJECT, "--with", "gcloud", "--yes")
    assert done.exit_code == 1
    assert "gcloud services enable" in done.output
    assert "docs/deploy.md, Permissions" in done.output
    assert "Traceback" not in done.output


def test_a_bundle_that_is_missing_is_named(deploy: Deploy, tmp_path: Path) -> None:
    (tmp_path / "dist/tick.zip").unlink()
    done = deploy(*PROJECT, "--with", "gcloud", "--dry-run")
    assert (done.exit_code, "no bundle of tick" in done.output) == (1, True)


def test_what_only_terraform_makes_is_refused_before_anything_is_done(deploy: Deploy) -> None:
    done = deploy(*PROJECT, "--with", "gcloud", "-var", "hostname=models.example.com")
    assert (done.exit_code, "--with terraform" in done.output) == (1, True)


@pytest.mark.skipif(BINARY is None, reason="terraform is not installed")
@pytest.mark.xdist_group("terraform")
def test_the_minimal_example_is_planned_by_terraform_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch, terraform(tmp_path / "house") as planner:
        for name, value in planner.environment.items():
            patch.setenv(name, value)
        folder = planner.infra / "examples/minimal"
        given = {"project": "shop-models-1", "settings": '{"max_cost_usd": 5}', "region": "europe-west4"}
        assert deployed(folder, given, agreed=None) == 0
    said = capfd.readouterr().out
    assert 'google_cloudfunctions2_function.this["predict"]' in said
    assert "europe-west4" in said
    assert settings.environment()
