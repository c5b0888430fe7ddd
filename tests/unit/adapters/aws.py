"""What the tests of AWS's plugs share: made-up keys, a clock, a control plane and the plugs that reach it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.vendors.aws_services import AwsFake, running
from tests.vendors.bedrock_control import BedrockControl as Control
from tests.vendors.sigv4 import Account
from tuneway.adapters.aws_calls import AwsCaller
from tuneway.adapters.aws_keys import AwsKeys
from tuneway.adapters.bedrock_control import BedrockControl
from tuneway.ports import TuningRequest

KEYS = AwsKeys(access_key_id=Account().access_key, secret_access_key=Account().secret_key)
ROLE = "arn:aws:iam::123456789012:role/bedrock-tuning"
TOKEN = "ftjob-1"
NOVA = "amazon.nova-micro-v1:0:128k"


class HeldKeys:
    """Keys, and those that come after them."""

    def __init__(self, *sets: AwsKeys) -> None:
        self.sets = list(sets) or [KEYS]

    def keys(self) -> AwsKeys:
        return self.sets[0]

    def renewed(self) -> bool:
        if len(self.sets) > 1:
            self.sets.pop(0)
            return True
        return False


@dataclass
class Region:
    """One region of Bedrock, whose clock the test moves."""

    now: float = 1_790_000_000.0
    pauses: list[float] = field(default_factory=list)
    fake: AwsFake = field(init=False)
    service: Control = field(init=False)
    control: BedrockControl = field(init=False)

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


@contextmanager
def region() -> Iterator[Region]:
    """A region for the length of the block."""
    found = Region()
    found.service = Control(clock=lambda: found.now)
    with running(found.service) as found.fake:
        caller = AwsCaller(HeldKeys(), sleep=found.pauses.append)
        found.control = BedrockControl(caller, timeout=60, base_url=found.fake.url)
        yield found
        caller.close()


def asked(token: str = TOKEN, **changes: Any) -> TuningRequest:
    """A request for a job that succeeds."""
    fields: dict[str, Any] = {
        "token": token,
        "location": "us-east-1",
        "base_model": NOVA,
        "training_uri": "s3://bucket-1/jobs/1/training.jsonl",
        "display_name": "ft:nova-micro:acme:greetings:12345678",
        "output_uri": "s3://bucket-1/jobs/1/",
        **changes,
    }
    return TuningRequest(**fields)
