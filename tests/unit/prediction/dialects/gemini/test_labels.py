from typing import Any

import pytest

from tests.unit.prediction.asking import GEMINI, ask
from tuneway.errors import BadInput
from tuneway.prediction.dialects.gemini.labels import labels
from tuneway.prediction.dialects.gemini.request import to_request
from tuneway.routing.routes import Target


def test_who_asks_and_what_for_are_labels() -> None:
    assert labels(ask(user="u-1", metadata={"team": "shop_2"})) == {"user": "u-1", "team": "shop_2"}


def test_the_metadatas_own_user_goes_first() -> None:
    assert labels(ask(user="u-1", metadata={"user": "u-2"})) == {"user": "u-2"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"user": "alice@example.com"}, "user"),
        ({"user": "Alice"}, "user"),
        ({"user": "a" * 64}, "user"),
        ({"metadata": {"Team": "shop"}}, "metadata.Team"),
        ({"metadata": {"2nd": "shop"}}, "metadata.2nd"),
        ({"metadata": {"": "shop"}}, "metadata."),
        ({"metadata": {"team": "the shop"}}, "metadata.team"),
        ({"metadata": {f"k{number}": "v" for number in range(65)}}, "metadata"),
    ],
)
def test_what_cannot_be_a_label_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadInput) as caught:
        labels(ask(**fields))
    assert (caught.value.param, caught.value.code) == (param, "invalid_value")


def test_a_route_may_drop_what_cannot_be_a_label() -> None:
    target = Target(resource=GEMINI.resource, drop_params=("user", "metadata"))
    assert "labels" not in to_request(ask(user="A@b", metadata={"A": "B"}), target)
