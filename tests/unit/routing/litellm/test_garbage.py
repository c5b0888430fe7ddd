"""Whatever stands in a configuration, it is read to its end: every fault becomes a line."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden.litellm_config.test_imports import CASES
from tuneway.cli.route_files import loaded
from tuneway.routing.litellm_config import imported
from tuneway.routing.targets import Defaults

GARBAGE: list[Any] = [None, "", "x", "os.environ/", "a/b/c", -1, 1e300, True, [], [None], {}, {"a": None}, [[{}]]]


def spoilt(value: Any, garbage: Any) -> Iterator[Any]:
    """The value with one place of it after another replaced."""
    yield garbage
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, part in list(places):
        for other in spoilt(part, garbage):
            whole = copy.copy(value)
            whole[place] = other
            yield whole


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_garbage_anywhere_is_no_crash(case: Any) -> None:
    config = loaded(case / "config.yaml")
    for garbage in GARBAGE:
        for broken in spoilt(config, garbage):
            if isinstance(broken, dict):
                imported(broken, defaults=Defaults(project="p", location="us-central1"))
