"""How many jobs a project trains at once."""

from pathlib import Path

import pytest

from tests.fakes import Loop
from tuneway.errors import BadInput
from tuneway.tuning.catalogue import load
from tuneway.tuning.sweeps.quotas import Quotas


def test_what_the_installation_says_goes_before_what_is_published() -> None:
    assert (Quotas().of("vertex_ai"), Quotas('{"vertex_ai": 4}').of("vertex_ai")) == (1, 4)
    assert Quotas('{"vertex_ai": 4}').of("vertex_open") == 1


def test_every_backend_of_the_catalogue_has_a_quota() -> None:
    assert all(Quotas().of(base.backend) >= 1 for base in load().models)


@pytest.mark.parametrize("own", ["", "[]", '{"vertex_ai": 0}', '{"vertex_ai": "two"}', '{"vertex_ai": 1.5}'])
def test_a_wrong_quota_names_the_variable(own: str) -> None:
    with pytest.raises(BadInput) as fault:
        Quotas(own)
    assert fault.value.param == "TUNEWAY_TUNING_QUOTAS"


def test_places_are_counted_over_all_owners_and_a_held_job_takes_none(tmp_path: Path) -> None:
    loop, quotas = Loop(tmp_path), Quotas('{"vertex_ai": 3}')
    loop.desk.create(loop.order(), owner="acme")
    loop.desk.create(loop.order(max_cost_usd=0), owner="other")
    assert quotas.free("vertex_ai", loop.lifecycle.jobs) == 1
    loop.settle(train=False, beats=3)
    assert quotas.free("vertex_ai", loop.lifecycle.jobs) == 2
    assert quotas.free("vertex_open", loop.lifecycle.jobs) == 1
