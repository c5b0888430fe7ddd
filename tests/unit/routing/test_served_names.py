import pytest

from tuneway.routing.served_names import publisher_of, served_name


@pytest.mark.parametrize("name", ["codestral", "codestral@2405", "codestral-2", "mistral-nemo@2407", "mistral-small"])
def test_a_models_bare_name_says_who_publishes_it(name: str) -> None:
    assert publisher_of(name) == "mistralai"


@pytest.mark.parametrize("name", ["shop", "codestral-shop", "gemini-3.5-flash", ""])
def test_any_other_name_is_an_alias(name: str) -> None:
    assert publisher_of(name) is None


def test_a_host_without_a_row_serves_names_as_they_are() -> None:
    assert served_name("meta", "codestral") == "codestral"
