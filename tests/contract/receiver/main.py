"""A function as it would be deployed: what it takes is put into the inbox of whoever serves it."""

import functions_framework
from cloudevents.http import CloudEvent
from flask import current_app


@functions_framework.cloud_event
def take(event: CloudEvent) -> None:
    current_app.config["INBOX"].take(event)
