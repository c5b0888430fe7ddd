"""What happens to deployments that may sleep, told on ``tuning-events``: ``tuneway.deployment.asleep``, ``.woken``."""

from tuneway.ports import Message
from tuneway.registry.rest import News
from tuneway.registry.shelves import Deployment
from tuneway.tuning.cloud_events import Event, announced

SAID = {"asleep": "It sleeps, and costs nothing until it is woken.", "woken": "It answers again, and costs again."}


def deployment_event(deployment: Deployment, news: News) -> Message:
    """The event of what happened; told again it is the same one."""
    event = Event(
        id=f"{deployment.id}-{news.what}-{news.at:.3f}",
        type=f"deployment.{news.what}",
        source=f"/v1/registry/deployments/{deployment.id}",
        subject=deployment.id,
        time=news.at,
        data={
            "deployment": deployment.id,
            "model": deployment.model,
            "version": deployment.version,
            "alias": deployment.alias,
            "owner": deployment.owner,
            "message": SAID[news.what],
            "asleep_seconds": round(news.seconds, 3),
            "saved_usd": news.saved_usd,
        },
    )
    return announced(event, deployment=deployment.id)
