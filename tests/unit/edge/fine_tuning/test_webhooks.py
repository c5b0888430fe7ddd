"""``/v1/webhook_endpoints``: what OpenAI's own SDK makes of our answers, and what is refused."""

from pathlib import Path

import pytest
from openai.types.webhooks.deleted_webhook_endpoint import DeletedWebhookEndpoint
from openai.types.webhooks.webhook_endpoint import WebhookEndpoint
from openai.types.webhooks.webhook_endpoint_with_secret import WebhookEndpointWithSecret

from tests.fakes import Loop
from tests.unit.edge.asking import NOW, Asked, Asking
from tuneway.edge.fine_tuning.webhooks import ENDPOINTS, rules
from tuneway.tuning.webhooks import Webhooks

GOOD = {"name": "shop", "url": "https://hooks.example/", "event_types": ["fine_tuning.job.succeeded"]}


class Desk:
    def __init__(self, folder: Path) -> None:
        loop = Loop(folder)
        self.asking = Asking(rules(Webhooks(loop.documents, root=lambda: b"root", now=lambda: NOW, new_id=loop.new_id)))

    def ask(self, method: str, path: str = "", *, key: str = "tune", body: object = None) -> Asked:
        return self.asking(method, ENDPOINTS + path, key=key, body=body)

    def made(self) -> WebhookEndpointWithSecret:
        return WebhookEndpointWithSecret.model_validate(self.ask("POST", body=GOOD).json, strict=True)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_webhook_is_made_and_its_secret_shown_once(desk: Desk) -> None:
    made = desk.made()
    assert made.signing_secret.startswith("whsec_")
    shown = desk.ask("GET", f"/{made.id}")
    again = WebhookEndpoint.model_validate(shown.json, strict=True)
    assert (again.id, again.url, again.created_at) == (made.id, GOOD["url"], int(NOW))
    assert made.signing_secret.encode() not in shown.content


def test_webhooks_are_listed_by_pages(desk: Desk) -> None:
    ids = {desk.made().id for _ in range(3)}
    first = desk.ask("GET", "?limit=2").json
    assert (len(first["data"]), first["has_more"]) == (2, True)
    rest = desk.ask("GET", f"?limit=2&after={first['last_id']}").json
    assert {row["id"] for row in first["data"] + rest["data"]} == ids
    assert not rest["has_more"]
    assert desk.ask("GET", "?after=nobody").status == 404


def test_a_webhook_is_changed_rotated_and_deleted(desk: Desk) -> None:
    made = desk.made()
    changed = desk.ask("POST", f"/{made.id}", body={"name": "other"})
    assert WebhookEndpoint.model_validate(changed.json, strict=True).name == "other"
    rotated = desk.ask("POST", f"/{made.id}/rotate_secret", body={"keep_old_secret_active_for_24_hours": True})
    assert WebhookEndpointWithSecret.model_validate(rotated.json).signing_secret != made.signing_secret
    assert desk.ask("POST", f"/{made.id}/rotate_secret").status == 200
    gone = desk.ask("DELETE", f"/{made.id}")
    assert DeletedWebhookEndpoint.model_validate(gone.json, strict=True).deleted
    assert desk.ask("GET", f"/{made.id}").status == 404


def test_another_tenant_sees_none_of_it_and_an_admin_all(desk: Desk) -> None:
    made = desk.made()
    assert desk.ask("GET", f"/{made.id}", key="tune@other").status == 404
    assert desk.ask("DELETE", f"/{made.id}", key="tune@other").status == 404
    assert desk.ask("GET", key="tune@other").json["data"] == []
    assert desk.ask("GET", f"/{made.id}", key="admin@other").status == 200
    assert desk.ask("GET", key="predict").status == 403


@pytest.mark.parametrize(
    "body",
    [{**GOOD, "url": "http://hooks.example/"}, {**GOOD, "event_types": ["batch.failed"]}, {**GOOD, "name": ""}],
)
def test_what_cannot_be_is_refused_by_name(desk: Desk, body: dict[str, object]) -> None:
    refused = desk.ask("POST", body=body)
    wrong = next(name for name in body if body[name] != GOOD[name])
    assert (refused.status, refused.error["param"]) == (400, wrong)


def test_an_unknown_or_missing_field_is_refused(desk: Desk) -> None:
    assert desk.ask("POST", body={**GOOD, "colour": "red"}).status == 400
    assert desk.ask("POST", body={"name": "shop"}).status == 400
