"""What an installation is told, from -var texts."""

import pytest

from tuneway.cli.deploy.installation import installation, variables
from tuneway.errors import BadInput

PROJECT = "shop-models-1"


def test_without_variables_everything_is_as_in_the_minimal_example() -> None:
    made = installation(PROJECT, None, {})
    assert (made.region, made.name, made.database) == ("us-central1", "tuneway", "tuneway")
    assert (made.public, made.deletion_protection, made.bucket) == (True, False, f"{PROJECT}-tuneway")


def test_texts_are_texts_and_everything_else_is_json() -> None:
    given = variables(("name=mlx", 'settings={"max_cost_usd": 5}', "public=false", "database=(default)"))
    made = installation(PROJECT, "europe-west4", given)
    assert (made.name, made.settings.max_cost_usd, made.public) == ("mlx", 5, False)
    assert (made.region, made.database) == ("europe-west4", "(default)")


def test_a_value_may_hold_the_sign_that_ends_a_name() -> None:
    assert variables(("labels=a=b",)) == {"labels": "a=b"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hostname=models.example.com", "--with terraform"),
        ("kms_key=k", "--with terraform"),
        ("alerts={}", "--with terraform"),
        ("regoin=x", "regoin"),
        ("settings={", "no JSON"),
        ('settings={"max_costs": 1}', "max_costs"),
        ('settings={"max_cost_usd": -1}', "max_cost_usd"),
        ('settings={"watch": "/datasets"}', "watch"),
        ('settings={"aws_role": "r", "aws_secret": true}', "either aws_role"),
        ('settings={"entra_tenant": "t"}', "belong together"),
        ('instances={"predict": {"min": 9, "max": 2}}', "instances.predict"),
        ('secret_environment={"TUNEWAY_X": "s"}', "TUNEWAY_"),
        ('secret_environment={"key": "s"}', "capitals"),
        ('files={"rates_file": "s"}', "rates_file"),
        ("name=A-Name", "name"),
        ("database=A", "database"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told.replace(".", r"\.")):
        installation(PROJECT, None, variables((text,)))


@pytest.mark.parametrize("project", ["Shop", "123456789012", "shop"])
def test_a_project_is_named_by_its_id(project: str) -> None:
    with pytest.raises(BadInput, match="project"):
        installation(project, None, {})


def test_a_region_is_no_multi_region() -> None:
    with pytest.raises(BadInput, match="region"):
        installation(PROJECT, "us", {})


def test_a_variable_without_a_value_is_refused() -> None:
    with pytest.raises(BadInput, match="name=value"):
        variables(("settings",))
