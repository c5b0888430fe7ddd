"""What is left behind is named as whoever takes it away by hand finds it."""

from tuneway.ports import DeployOrder
from tuneway.registry.hosting.remedies import left_behind
from tuneway.registry.shelves import Deployment


def left(order: DeployOrder) -> str:
    known = Deployment(id=order.id, owner="acme", endpoint="", dialect="openai", order=order, created_at=0)
    return left_behind(known, "No.").message


def test_what_has_an_endpoint_of_its_own_is_named_by_its_id() -> None:
    order = DeployOrder(id="ft-1-1", token="t", location="us-central1", display_name="d", model="m")
    assert "is named 'ft-1-1' in us-central1 and may still cost." in left(order)


def test_what_is_on_anothers_endpoint_is_named_by_that_one() -> None:
    order = DeployOrder(
        id="ft-1-2",
        token="t",
        location="us-central1",
        display_name="d",
        model="m",
        endpoint="ft-1-1",
        deployed_id="1234567890",
    )
    assert "'ft-1-2' in us-central1, and as 1234567890 on the endpoint 'ft-1-1' and may" in left(order)
